/** Flows that `conntrack -I` made, met by packets: the engine does with them what the kernel does. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseArguments } from '../../cli/conntrack/command-line.ts';
import { Labels } from '../../cli/conntrack/labels.ts';
import { newEntry } from '../../cli/conntrack/new-entry.ts';
import { LiveTable } from '../../cli/run/live-table.ts';
import { icmpPacket, sctpPacket, tcpPacket, udpPacket } from '../../engine/packet/build.ts';
import { Dice } from '../traffic/dice.ts';
import { compareTables, compareVerdict, type Difference, EngineSide } from './compare.ts';
import { commandUsable } from './conntrack-command-run.ts';
import { Kernel, type KernelPacket } from './oracle.ts';

const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));
const START = 1_000_000;
const TCP_STATES = [
  ...['NONE', 'SYN_SENT', 'SYN_RECV', 'ESTABLISHED', 'FIN_WAIT', 'CLOSE_WAIT', 'LAST_ACK', 'TIME_WAIT'],
  ...['CLOSE', 'SYN_SENT2'],
];
/** Without HEARTBEAT_SENT, with which conntrack 1.4.7 crashes. */
const SCTP_STATES = ['CLOSED', 'COOKIE_WAIT', 'COOKIE_ECHOED', 'ESTABLISHED', 'SHUTDOWN_SENT'];
const STATUS = ['UNSET', 'SEEN_REPLY', 'SEEN_REPLY,ASSURED', 'SEEN_REPLY,ASSURED,FIXED_TIMEOUT'];
/** Chunks of SCTP. */
const DATA = { type: 0, value: 16 };
const HEARTBEAT = { type: 4, value: 4 };
const ABORT = { type: 6 };
const A = '10.64.0.1';
const B = '10.65.0.1';

/** What a scene is made of: command lines, then packets. */
interface Scene {
  readonly lines: string[];
  readonly packets: KernelPacket[];
}

const folder = mkdtempSync(join(tmpdir(), 'keepstate-packets-'));
afterAll(() => rmSync(folder, { recursive: true }));

const world = { say: () => {}, labels: new Labels(() => {}) };

/** Both sides with the flows of a scene, then its packets. Returns what differs. */
async function differences(kernel: Kernel, { lines, packets }: Scene): Promise<Difference[]> {
  const file = join(folder, 'lines');
  writeFileSync(file, `${lines.join('\n')}\n`);
  const { status, stderr } = await kernel.exec(['conntrack', '-R', file]);
  expect([status, stderr]).toEqual([0, '']);
  const run = await kernel.replay(packets);
  const engine = new EngineSide({});
  const table = new LiveTable(engine.firewall.conntrack, () => START);
  for (const line of lines) {
    const request = parseArguments(['conntrack', ...line.split(' ')], world);
    expect(table.create(newEntry(request)), line).toBe(null);
  }
  const out: Difference[] = [];
  for (const [i, { bytes }] of packets.entries()) {
    const ours = engine.receive(bytes, START + run.times[i]!, run.verdicts[i]!.stage !== 'forward');
    const difference = compareVerdict(i, run.verdicts[i]!, ours);
    if (difference !== null) out.push(difference);
  }
  engine.firewall.tick(START + run.elapsedMs);
  // Flows that no packet met are older in the kernel by the time that the commands took.
  out.push(...compareTables(-1, run.table, engine.table(), 2));
  return out.slice(0, 5);
}

/** Segments around where a connection might be, of which many do not fit. */
function segments(dice: Dice, port: number): KernelPacket[] {
  const seq = [dice.word(), dice.word()];
  return Array.from({ length: dice.between(1, 8) }, () => {
    const dir = dice.below(2);
    const flags = dice.pick([0x10, 0x10, 0x18, 0x11, 0x02, 0x12, 0x04, 0x14, 0x00]);
    const jump = dice.weighted({ none: 6, small: 2, large: 1 });
    const by = jump === 'none' ? 0 : jump === 'small' ? dice.below(2000) - 1000 : dice.word();
    const payload = dice.chance(40) ? dice.between(1, 600) : 0;
    const at = (seq[dir]! + by) >>> 0;
    seq[dir] = (at + payload) >>> 0;
    const ends =
      dir === 0 ? { src: A, dst: B, sport: port, dport: 80 } : { src: B, dst: A, sport: 80, dport: port };
    const window = dice.pick([0, 1, 1000, 65_535]);
    return { bytes: tcpPacket({ ...ends, flags, seq: at, ack: seq[1 - dir]!, window, payload }) };
  });
}

function tcpScene(dice: Dice): Scene {
  const scene: Scene = { lines: [], packets: [] };
  for (let port = 1; port <= 400; port++) {
    const state = TCP_STATES[port % TCP_STATES.length]!;
    scene.lines.push(
      `-I -p tcp -s ${A} -d ${B} --sport ${port} --dport 80 --state ${state} -t 100 -u ${dice.pick(STATUS)}`,
    );
    scene.packets.push(...segments(dice, port));
  }
  return scene;
}

function otherScene(dice: Dice): Scene {
  const scene: Scene = { lines: [], packets: [] };
  for (let port = 1; port <= 120; port++) {
    const status = `-t 100 -u ${dice.pick(STATUS)}`;
    const state = dice.pick(SCTP_STATES);
    scene.lines.push(
      `-I -p udp -s ${A} -d ${B} --sport ${port} --dport 53 ${status}`,
      `-I -p icmp -s ${A} -d ${B} --icmp-type 8 --icmp-code 0 --icmp-id ${port} ${status}`,
      `-I -p sctp -s ${A} -d ${B} --sport ${port} --dport 9 --state ${state} --orig-vtag 0 --reply-vtag 0 ${status}`,
    );
    for (let n = dice.below(4); n >= 0; n--) {
      const back = dice.chance(50);
      const [src, dst] = back ? [B, A] : [A, B];
      const ends = (other: number): { src: string; dst: string; sport: number; dport: number } =>
        back ? { src, dst, sport: other, dport: port } : { src, dst, sport: port, dport: other };
      scene.packets.push(
        { bytes: udpPacket({ ...ends(53), payload: 4 }) },
        { bytes: icmpPacket({ src, dst, type: back ? 0 : 8, code: 0, id: port, seq: n, payload: 8 }) },
        {
          bytes: sctpPacket({
            ...ends(9),
            vtag: dice.pick([0, 7]),
            chunks: [dice.pick([DATA, HEARTBEAT, ABORT])],
          }),
        },
      );
    }
  }
  return scene;
}

describe.skipIf(!commandUsable())('packets of flows that conntrack -I made', () => {
  let kernel: Kernel;
  beforeAll(async () => {
    kernel = await Kernel.open({ stages: true });
  });
  beforeEach(() => kernel.reset());
  afterAll(() => kernel.close());

  test.each([0, 1, 2])(
    'fare as in the kernel: TCP in every state, run %i',
    async (run) => {
      expect(await differences(kernel, tcpScene(new Dice(SEED + run))), `seed ${SEED}`).toEqual([]);
    },
    60_000,
  );

  test('fare as in the kernel: UDP, ICMP and SCTP', async () => {
    expect(await differences(kernel, otherScene(new Dice(SEED))), `seed ${SEED}`).toEqual([]);
  }, 60_000);
});
