/**
 * Random SCTP conversations, packet by packet, through the engine and through this machine's kernel: ct state,
 * direction, status bits, reason, events, and after each packet the flow's state, tags, counters and timer.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  Kernel,
  type KernelEntry,
  type KernelEvent,
  type KernelVerdict,
  kernelUsable,
} from '../../tests/kernel/oracle.ts';
import { Random } from '../base/random.ts';
import * as R from '../base/reason.ts';
import { reasonText } from '../base/reason-text.ts';
import { IPCT_NEW } from '../conntrack/events.ts';
import { F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import { Settings } from '../conntrack/settings.ts';
import { Firewall } from '../hook/firewall.ts';
import { viewOf } from '../packet/build-bytes.ts';
import { ipPacket } from '../packet/build-ip.ts';
import { type SctpChunk, sctp } from '../packet/build-sctp.ts';
import { sctpCrc } from '../packet/checksum.ts';
import { DLT_RAW } from '../packet/link.ts';
import { CTINFO_INVALID, Packet, resetPacket } from '../packet/packet.ts';
import { IPPROTO_SCTP } from '../packet/protocols.ts';
import { SCTP_HEADER } from '../packet/sctp.ts';
import { SCTP_STATE_NAMES, SCTP_TIMEOUTS } from './sctp-states.ts';
import { W_STATE, W_TAGS } from './sctp-words.ts';

const ROUNDS = 25;
const TALKS = 20;
const LENGTH = 16;
const MIXED = [0, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10, 10, 11, 11, 13, 14, 15, 64, 192];
const INITS = [1, 2];
const HEARTBEATS = [0, 4, 4, 4, 5, 5, 5];
/** The way through an association's life: direction and chunk type. */
const LIFE = [0x01, 0x12, 0x0a, 0x1b, 0x07, 0x18, 0x0e];
/** Reasons that the kernel logs too. */
const LOGGED = new Set([R.R_SCTP_SHORT, R.R_SCTP_CRC, R.R_SCTP_CHUNKS, R.R_SCTP_VTAG, R.R_SCTP_INVALID]);
const CT_STATES = ['ESTABLISHED original', '', 'NEW original', 'ESTABLISHED reply'];

/** Timeouts far apart, so that one taken for another shows; acct tells which packets refreshed the timer. */
const SYSCTLS: Record<string, number> = { nf_conntrack_acct: 1 };
SCTP_TIMEOUTS.slice(1).forEach((name, i) => {
  SYSCTLS[name] = 1000 + 100 * i;
});

interface Talk {
  readonly port: number;
  readonly six: boolean;
  /** How many packets follow LIFE before chance takes over. */
  readonly sane: number;
  /** Few tags, so that they meet, or any. */
  readonly tags: readonly number[];
  /** Chunk types that chance picks from. */
  readonly types: readonly number[];
}

function makeTalk(random: Random, port: number): Talk {
  const tags = random.below(2) === 0 ? [0, 1, 2, 3] : [random.word(), random.word(), 0x80000000];
  return {
    port,
    six: random.below(4) === 0,
    sane: random.below(LIFE.length + 1),
    tags,
    types: pick(random, [MIXED, MIXED, INITS, HEARTBEATS]),
  };
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)]!;
}

function address(talk: Talk, side: number): string {
  return talk.six ? `2001:db8::${side + 1}` : `10.${side}.0.1`;
}

function makeChunk(random: Random, talk: Talk, type: number): SctpChunk {
  const init = type === 1 || type === 2;
  const value = new Uint8Array(init ? 16 + 4 * random.below(2) : 4 + random.below(9)).fill(random.below(9));
  new DataView(value.buffer).setInt32(0, pick(random, talk.tags));
  const flags = random.below(3) === 0 ? 1 : 0;
  return random.below(60) === 0 ? { type, flags, value, length: random.below(40) } : { type, flags, value };
}

/** The next packet of a talk. `tags` are those that the engine expects of either direction. */
function makePacket(random: Random, talk: Talk, at: number, tags: readonly number[]): Uint8Array {
  const sane = at < talk.sane;
  const dir = sane ? LIFE[at]! >> 4 : random.below(2);
  let types = [LIFE[at]! & 15];
  if (!sane) {
    const count = talk.types === INITS ? 1 : pick(random, [1, 1, 1, 1, 2, 2, 3]);
    types = Array.from({ length: count }, () => pick(random, talk.types));
  }
  const right = types[0] === 1 ? 0 : tags[dir]!;
  const honest = random.below(talk.types === HEARTBEATS ? 2 : 4) !== 0;
  const vtag = sane || honest ? right : pick(random, [...talk.tags, ...tags, 0]);
  const [sport, dport] = dir === 0 ? [talk.port, 7] : [7, talk.port];
  const chunks = types.map((type) => makeChunk(random, talk, type));
  let payload = sctp({ sport: sport!, dport: dport!, vtag, chunks });
  if (!sane && random.below(25) === 0) payload = recut(random, payload);
  else if (!sane && random.below(50) === 0) payload[8]! ^= 1 << random.below(8);
  return ipPacket({ src: address(talk, dir), dst: address(talk, 1 - dir) }, IPPROTO_SCTP, payload);
}

/** Cut short, with a right CRC32c where there is room for one. */
function recut(random: Random, payload: Uint8Array): Uint8Array {
  const cut = payload.slice(0, random.below(payload.length));
  const view = viewOf(cut);
  if (cut.length >= SCTP_HEADER) view.setInt32(8, sctpCrc(view, 0, cut.length));
  return cut;
}

/** What one side says of a packet. */
interface Said {
  readonly verdict: string;
  readonly reason: string;
  readonly event: string;
  readonly flow: string;
  /** Seconds left; the kernel rounds down. */
  readonly left: number;
}

function flowText(
  state: number,
  tags: readonly number[],
  status: number,
  packets: readonly number[],
): string {
  return `${SCTP_STATE_NAMES[state]} tags ${tags.map((t) => (t >>> 0).toString(16))} status ${status} packets ${packets}`;
}

/** One talk's engine. */
class Engine {
  private readonly fw: Firewall;
  private readonly pkt = new Packet();
  private events = 0;
  private status = 0;

  constructor() {
    const settings = new Settings();
    for (const [name, value] of Object.entries(SYSCTLS)) settings.set(name, value);
    const event = (_: number, mask: number): void => {
      this.events |= mask;
    };
    this.fw = new Firewall({ settings, sink: { event } });
    const ct = this.fw.conntrack;
    const confirm = ct.confirm.bind(ct);
    // The kernel's rule reads the status before the packet's flow is confirmed.
    ct.confirm = (pkt) => {
      this.status = pkt.flow === 0 ? 0 : ct.table.words[pkt.flow * ROW_WORDS + F_STATUS]!;
      return confirm(pkt);
    };
  }

  /** The row of the talk's only flow, 0 if there is none. */
  private row(): number {
    let row = 0;
    this.fw.conntrack.eachFlow((flow) => {
      row = flow;
    });
    return row;
  }

  tags(): readonly number[] {
    const at = this.row() * ROW_WORDS + W_TAGS;
    return [...this.fw.conntrack.table.words.subarray(at, at + 2)];
  }

  receive(bytes: Uint8Array): Said {
    const { pkt } = this;
    const { table } = this.fw.conntrack;
    this.events = 0;
    resetPacket(pkt, bytes, viewOf(bytes), 0, bytes.length);
    pkt.time = 1;
    this.fw.receive(pkt, DLT_RAW);
    const row = this.row();
    const at = row * ROW_WORDS;
    const { counters } = table;
    const packets = row === 0 ? [] : [counters![row * 4]!, counters![row * 4 + 2]!];
    return {
      verdict: pkt.ctinfo === CTINFO_INVALID ? 'INVALID 0' : `${CT_STATES[pkt.ctinfo]} ${this.status}`,
      reason: LOGGED.has(pkt.reason) ? reasonText(pkt.reason, pkt.operands).trim() : '',
      event: this.events === 0 ? '' : (this.events & IPCT_NEW) !== 0 ? 'NEW' : 'UPDATE',
      flow:
        row === 0
          ? ''
          : flowText(table.words[at + W_STATE]!, this.tags(), table.words[at + F_STATUS]!, packets),
      left: row === 0 ? 0 : this.fw.conntrack.left(row) / 1000,
    };
  }
}

/** The kernel logs tags and lengths in the byte order of the machine (little endian). */
function reasonOfLog(log: readonly string[]): string {
  return log
    .map((line) => line.replace(/^nf_ct_proto_132: /, '').trim())
    .map((line) => line.replace(/\blen (\d+)/, (_, len) => `len ${((len & 255) << 8) | (len >> 8)}`))
    .map((line) => line.replace(/(\w+) vs (\w+)/, (_, a, b) => `${swapped(a)} vs ${swapped(b)}`))
    .join();
}

function swapped(hex: string): string {
  const bytes = hex.padStart(8, '0').match(/../g)!;
  return Number.parseInt(bytes.reverse().join(''), 16).toString(16).padStart(4, '0');
}

function kernelSaid(v: KernelVerdict, events: readonly KernelEvent[], entry: KernelEntry | undefined): Said {
  const { sctp, status, counters, timeout } = entry ?? {};
  return {
    verdict: v.dir === null ? `${v.state} ${v.status}` : `${v.state} ${v.dir} ${v.status}`,
    reason: reasonOfLog(v.log),
    event: events.map((event) => event.type).join(),
    flow:
      entry === undefined
        ? ''
        : flowText(
            sctp!.state,
            sctp!.vtag!,
            status!,
            counters!.map((c) => c.packets),
          ),
    left: timeout ?? 0,
  };
}

function agree(kernel: Said, engine: Said): boolean {
  return (
    kernel.verdict === engine.verdict &&
    kernel.reason === engine.reason &&
    kernel.event === engine.event &&
    kernel.flow === engine.flow &&
    Math.abs(kernel.left - engine.left) <= 1
  );
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Some talks through both. Returns the first difference as text, or null. */
async function round(kernel: Kernel, random: Random): Promise<string | null> {
  const packets: { readonly bytes: Uint8Array }[] = [];
  const ours: Said[] = [];
  for (let t = 0; t < TALKS; t++) {
    const talk = makeTalk(random, 2000 + t);
    const engine = new Engine();
    for (let at = 0; at < LENGTH; at++) {
      const bytes = makePacket(random, talk, at, engine.tags());
      packets.push({ bytes });
      ours.push(engine.receive(bytes));
    }
  }
  await kernel.flush();
  const run = await kernel.replay(packets, { dumpEvery: true });
  const theirs = packets.map((_, i) => {
    const port = 2000 + Math.floor(i / LENGTH);
    const entry = run.tables![i]!.find((e) => e.original.sport === port || e.original.dport === port);
    return kernelSaid(run.verdicts[i]!, run.events![i]!, entry);
  });
  const bad = theirs.findIndex((said, i) => !agree(said, ours[i]!));
  if (bad < 0) return null;
  const before = packets.slice(bad - (bad % LENGTH), bad + 1).map((p) => hex(p.bytes));
  return `${before.join('\n')}\nkernel ${JSON.stringify(theirs[bad])}\nengine ${JSON.stringify(ours[bad])}`;
}

describe.skipIf(!kernelUsable())('sctp: the engine and the kernel', () => {
  let kernel: Kernel;
  beforeAll(async () => {
    kernel = await Kernel.open({ sysctls: SYSCTLS, events: true });
  });
  afterAll(() => kernel?.close());

  test(`agree on ${ROUNDS * TALKS * LENGTH} packets of random conversations`, async () => {
    const seed = Number(process.env.KEEPSTATE_SEED ?? Date.now() % 1_000_000);
    console.log(`sctp: KEEPSTATE_SEED=${seed}`);
    const random = new Random(seed);
    for (let i = 0; i < ROUNDS; i++) expect(await round(kernel, random), `seed ${seed}`).toBeNull();
  });
});
