/** keepstate as a stranger uses it, with captures in and text out, against the kernel and the conntrack command. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Place } from '../../cli/testing/keepstate.ts';
import { Dice } from '../traffic/dice.ts';
import { MixedTraffic } from '../traffic/mix.ts';
import { SctpTraffic } from '../traffic/sctp.ts';
import { TcpTraffic } from '../traffic/tcp.ts';
import { type Captured, LINKS, type LinkName, pcapFile, pcapngFile } from './cli-captures.ts';
import {
  flowWords,
  type JsonFlow,
  type JsonPacket,
  packetWords,
  saidOfPacket,
  tupleKey,
} from './cli-kernel.ts';
import { Kernel, type KernelEntry, type KernelRun, kernelUsable, type ReplayOptions } from './oracle.ts';

/** Seed of this run: another one each day, or KEEPSTATE_SEED. */
const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));
/** Time of the first packet (ms): any will do, as captures are from any time. */
const START = 1_795_229_507_123;
/** Seconds by which two clocks that were read at different moments may differ. */
const SLACK = 2;

const place = new Place();
afterAll(() => place.end());

/** TCP, SCTP and everything else in equal parts. */
function traffic(seed: number, count: number): Uint8Array[] {
  const dice = new Dice(seed);
  const kinds = [new TcpTraffic(dice, 6), new SctpTraffic(dice), new MixedTraffic(dice)];
  return Array.from({ length: count }, () => dice.pick(kinds).next());
}

const CONFIRMED = 8;

/**
 * Leaves out the packets that opened a flow but were dropped by routing, of which keepstate knows nothing (hop limit 1,
 * odd addresses, mostly of damaged headers): their flow was never confirmed, so nothing else depends on them.
 */
function routed(packets: readonly Uint8Array[], run: KernelRun): { packets: Uint8Array[]; run: KernelRun } {
  const kept = packets
    .map((_, i) => i)
    .filter((i) => {
      const { state, stage, status } = run.verdicts[i]!;
      return stage !== 'forward' || state !== 'NEW' || (status & CONFIRMED) !== 0;
    });
  const pick = <T>(list: readonly T[]): T[] => kept.map((i) => list[i]!);
  return {
    packets: pick(packets),
    run: {
      ...run,
      verdicts: pick(run.verdicts),
      times: Float64Array.from(pick([...run.times])),
      ...(run.tables && { tables: pick(run.tables) }),
    },
  };
}

/** As captured: at the times at which the kernel had them, in whole microseconds. */
function captured(packets: readonly Uint8Array[], times: Float64Array): Captured[] {
  return packets.map((bytes, i) => ({ bytes, at: START + Math.round(times[i]! * 1000) / 1000 }));
}

async function json<T>(...args: readonly string[]): Promise<T[]> {
  const { status, lines, err } = await place.run(...args, '--json', '--quiet');
  expect({ status, err }).toEqual({ status: 0, err: '' });
  return lines.map((line) => JSON.parse(line) as T);
}

/** Every packet on which kernel and trace differ, as text. */
function packetDifferences(run: KernelRun, said: readonly JsonPacket[]): string[] {
  expect(said).toHaveLength(run.verdicts.length);
  return run.verdicts.flatMap((v, i) => {
    const ours = said[i]!;
    const words = packetWords(v);
    const own = saidOfPacket(ours);
    if (own === words && ours.packet === i + 1) return [];
    return [`packet ${i + 1}: kernel ${words} (${v.log}), keepstate ${own} (${ours.reason})`];
  });
}

/** Whether a flow that is printed is this entry; null if it is. */
function flowDifference(entry: KernelEntry, flow: JsonFlow | undefined): string | null {
  const words = flowWords(entry);
  if (flow === undefined) return `kernel ${JSON.stringify(words)}, keepstate nothing`;
  const own = Object.fromEntries(Object.keys(words).map((name) => [name, flow[name as keyof JsonFlow]]));
  const apart = Math.abs(flow.timeout - (entry.timeout ?? 0));
  if (isDeepStrictEqual(own, words) && apart <= SLACK) return null;
  return `kernel ${JSON.stringify(words)} ${entry.timeout}, keepstate ${JSON.stringify(own)} ${flow.timeout}`;
}

/** Every entry on which kernel and flows differ, as text. */
function tableDifferences(table: readonly KernelEntry[], flows: readonly JsonFlow[]): string[] {
  const key = (f: Pick<JsonFlow, 'protonum' | 'original'>): string => tupleKey(f.protonum, f.original);
  const ours = new Map(flows.map((flow) => [key(flow), flow]));
  expect(ours.size).toBe(flows.length);
  const out: (string | null)[] = [];
  for (const entry of table) {
    const at = key(flowWords(entry));
    out.push(flowDifference(entry, ours.get(at)));
    ours.delete(at);
  }
  for (const flow of ours.values()) out.push(`kernel nothing, keepstate ${JSON.stringify(flow)}`);
  return out.filter((difference) => difference !== null);
}

/** Lines in an order that both sides can have; taken out is what moves on and what Linux draws at random. */
function comparable(lines: readonly string[]): string[] {
  return lines
    .map((line) =>
      line
        .replace(TIMEOUT, '$1 T ')
        .replace(/delta-time=[0-2] /, 'delta-time=D ')
        .replace(/ id=\d+$/, ' id=N'),
    )
    .sort();
}

/** The third column of a line (the fifth with -o extended). */
const TIMEOUT = /^((?:ipv[46] +\d+ )?\S+ +\d+) (\d+) /;

function timeoutsOf(lines: readonly string[]): Map<string, number> {
  const strip = (line: string): string => comparable([line])[0]!;
  return new Map(lines.map((line) => [strip(line), Number(TIMEOUT.exec(line)?.[2] ?? -1)]));
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

describe.skipIf(!kernelUsable())('keepstate says of captures what the kernel says of their packets', () => {
  let kernel: Kernel;
  beforeAll(async () => {
    console.log(`cli: KEEPSTATE_SEED=${SEED}`);
    kernel = await Kernel.open({ stages: true });
  });
  afterAll(() => kernel.close());

  /** Replays packets; the run without those that routing dropped, and the rest as captured. */
  async function replayed(
    all: readonly Uint8Array[],
    options: ReplayOptions = {},
  ): Promise<{ run: KernelRun; records: Captured[] }> {
    const { packets, run } = routed(
      all,
      await kernel.replay(
        all.map((bytes) => ({ bytes })),
        options,
      ),
    );
    return { run, records: captured(packets, run.times) };
  }

  describe('whatever the file format and the link layer', () => {
    let run: KernelRun;
    let records: Captured[];
    beforeAll(async () => {
      await kernel.reset();
      ({ run, records } = await replayed(traffic(SEED * 100, 3000)));
    });

    const check = async (name: string, bytes: Uint8Array): Promise<void> => {
      const file = place.file(name, bytes);
      const said = await json<JsonPacket>('trace', '--no-time', file);
      expect(packetDifferences(run, said), `seed ${SEED}`).toEqual([]);
      expect(said.map((p) => Math.abs(p.time * 1000 - records[p.packet - 1]!.at) < 0.001)).not.toContain(
        false,
      );
      const flows = await json<JsonFlow>('flows', '--no-time', file);
      expect(tableDifferences(run.table, flows), `seed ${SEED}`).toEqual([]);
      expect(run.table.length).toBeGreaterThan(50);
    };

    test.each<[LinkName, { nanoseconds?: boolean; bigEndian?: boolean }]>([
      ['raw', {}],
      ['ethernet', {}],
      ['vlan', { nanoseconds: true }],
      ['qinq', { bigEndian: true }],
      ['sll', { bigEndian: true, nanoseconds: true }],
      ['sll2', {}],
      ['null', {}],
      ['null, big-endian', { bigEndian: true }],
      ['loop', { nanoseconds: true }],
    ])('pcap of %s, %j', (link, options) => check('a.pcap', pcapFile(LINKS[link], records, options)));

    test.each<[LinkName, LinkName, string]>([
      ['ethernet', 'raw', 'little-endian'],
      ['sll2', 'qinq', 'big-endian'],
    ])('pcapng of %s and %s, %s', (a, b, order) =>
      check('a.pcapng', pcapngFile([LINKS[a], LINKS[b]], records, order === 'big-endian')),
    );

    test('gzip through standard input, as a process of its own', () => {
      const input = gzipSync(pcapFile(LINKS.ethernet, records));
      const { status, lines, err } = place.spawn(['trace', '--json', '--no-time', '-q', '-'], input);
      expect({ status, err }).toEqual({ status: 0, err: '' });
      const said = lines.map((line) => JSON.parse(line) as JsonPacket);
      expect(packetDifferences(run, said), `seed ${SEED}`).toEqual([]);
    });

    test('two captures of one link, each with every other packet', async () => {
      const half = (rest: number): string =>
        place.file(
          `half-${rest}.pcap`,
          pcapFile(
            LINKS.raw,
            records.filter((_, i) => i % 2 === rest),
          ),
        );
      const said = await json<JsonPacket>('trace', '--no-time', half(0), half(1));
      // Of two packets of one microsecond in two files nobody knows which came first.
      const apart = records.every(({ at }, i) => i === 0 || at > records[i - 1]!.at);
      if (apart) expect(packetDifferences(run, said), `seed ${SEED}`).toEqual([]);
      expect(said).toHaveLength(records.length);
    });
  });

  test('each packet has the flow, the state and the timeout that the entry of its tuple has after it', async () => {
    await kernel.reset();
    const { run, records } = await replayed(traffic(SEED * 100 + 1, 600), { dumpEvery: true });
    const file = place.file('each.pcap', pcapFile(LINKS.ethernet, records));
    const said = await json<JsonPacket>('trace', file);
    const born = await json<JsonFlow & { event: string }>('events', file);
    const tuples = new Map(born.filter((e) => e.event === 'NEW').map((e) => [e.id, e]));
    const theirs = new Map<number, number>();
    let compared = 0;
    for (const packet of said) {
      if (packet.flow === null || packet.timeout === null) continue;
      const { protonum, original, reply } = tuples.get(packet.flow)!;
      const where = `packet ${packet.packet} of seed ${SEED}`;
      const own = tupleKey(protonum, original);
      const entry = run.tables![packet.packet - 1]!.find((e) => {
        const words = flowWords(e);
        return tupleKey(words.protonum, words.original) === own;
      });
      expect(entry, where).toBeDefined();
      // The kernel's ids are random, but as long as one of ours lives so does one of theirs.
      expect(theirs.get(packet.flow) ?? entry!.id, where).toBe(entry!.id);
      theirs.set(packet.flow, entry!.id);
      expect(packet.tcpstate ?? packet.sctpstate, where).toBe(flowWords(entry!).state);
      expect(Math.abs(packet.timeout - entry!.timeout!), where).toBeLessThanOrEqual(SLACK);
      const sender = packet.ctdir === 'reply' ? reply : original;
      if (packet.ctstate !== 'RELATED')
        expect([packet.src, packet.dst], where).toEqual([sender.src, sender.dst]);
      compared++;
    }
    expect(compared).toBeGreaterThan(150);
  });

  describe('in the words of conntrack and /proc', () => {
    // So long that nothing expires between two listings, however slow the machine is.
    const LONG = [
      ...[
        'udp_timeout',
        'udp_timeout_stream',
        'icmp_timeout',
        'icmpv6_timeout',
        'gre_timeout',
        'generic_timeout',
      ],
      ...['gre_timeout_stream', 'tcp_timeout_close', 'tcp_timeout_last_ack', 'tcp_timeout_close_wait'],
      ...['tcp_timeout_syn_recv', 'tcp_timeout_syn_sent', 'tcp_timeout_fin_wait', 'tcp_timeout_time_wait'],
      ...['sctp_timeout_closed', 'sctp_timeout_cookie_wait', 'sctp_timeout_cookie_echoed'],
      ...['sctp_timeout_shutdown_sent', 'sctp_timeout_shutdown_recd', 'sctp_timeout_shutdown_ack_sent'],
      ...['sctp_timeout_heartbeat_sent', 'sctp_timeout_established'],
    ].map((name) => [`nf_conntrack_${name}`, 900] as const);
    const SYSCTLS = { nf_conntrack_acct: 1, nf_conntrack_timestamp: 1, ...Object.fromEntries(LONG) };
    const ours = Object.entries(SYSCTLS).flatMap(([name, value]) => ['--sysctl', `${name}=${value}`]);
    let file: string;
    /** When the last packet had passed: the kernel's timers run on until it is asked. */
    let last = 0;
    beforeAll(async () => {
      await kernel.reset();
      await kernel.sysctls(SYSCTLS);
      const { records } = await replayed(traffic(SEED * 100 + 2, 4000));
      last = performance.now();
      file = place.file('words.pcap', pcapFile(LINKS.sll2, records));
    });

    test.each<[string[], string[]]>([
      [['conntrack', '-L'], []],
      [
        ['conntrack', '-L', '-o', 'extended'],
        ['--format', 'extended'],
      ],
      [
        ['conntrack', '-L', '-o', 'extended,id'],
        ['-o', 'extended,id'],
      ],
      [
        ['cat', '/proc/net/nf_conntrack'],
        ['--format', 'proc'],
      ],
    ])('%j prints what flows %j prints', async (command, args) => {
      const { stdout } = await kernel.exec(command);
      const passed = Math.ceil((performance.now() - last) / 1000);
      const theirs = linesOf(stdout);
      const { lines } = await place.run('flows', ...args, ...ours, file);
      expect(comparable(lines)).toEqual(comparable(theirs));
      const times = timeoutsOf(theirs);
      for (const [line, seconds] of timeoutsOf(lines))
        expect(Math.abs(seconds - times.get(line)!), line).toBeLessThanOrEqual(SLACK + passed);
      expect(lines.length).toBeGreaterThan(50);
    });
  });

  describe('in the words of conntrack -E', () => {
    const SYSCTLS = { nf_conntrack_acct: 1 };
    let run = 0;

    /** What the real conntrack -E prints while packets pass, up to the moment at which `after` is over. */
    async function followed(
      packets: readonly Uint8Array[],
      after: () => Promise<unknown> = async () => {},
    ): Promise<{ lines: string[]; records: Captured[] }> {
      const out = join(place.folder, `events-${run++}`);
      // The shell waits for the subscription: its group is then among the netlink sockets of the namespace.
      // It comes before the process that sends: conntrack's -b is for another socket, events that do not fit are lost.
      const script = `chrt -f 50 conntrack -E -o extended,id >${out} 2>/dev/null & echo $!
        until awk '$2 == 12 && $4 != "00000000" { found = 1 } END { exit !found }' /proc/net/netlink; do sleep 0.01; done`;
      const { stdout } = await kernel.exec(['sh', '-c', script]);
      const pid = stdout.trim();
      const { records } = await replayed(packets);
      await after();
      await kernel.exec([
        'sh',
        '-c',
        `kill -INT ${pid}; while kill -0 ${pid} 2>/dev/null; do sleep 0.01; done`,
      ]);
      return { lines: linesOf(readFileSync(out, 'utf8')), records };
    }

    /** Ids in the order of NEW, since the kernel's are random and come again with memory and tuple; no timeouts. */
    function eventWords(lines: readonly string[]): string[] {
      const ids = new Map<string, number>();
      let born = 0;
      return lines.map((line) => {
        const id = /id=\d+$/.exec(line)![0];
        if (line.startsWith('    [NEW]')) ids.set(id, ++born);
        return line
          .replace(/id=\d+$/, `id=${ids.get(id)}`)
          .replace(/^( *\[[A-Z]+\] ipv[46] +\d+ \S+ +\d+) \d+ /, '$1 T ');
      });
    }

    beforeAll(async () => {
      await kernel.reset();
      await kernel.sysctls(SYSCTLS);
    });

    test('events prints the lines of conntrack -E, byte for byte and in its order', async () => {
      const theirs = await followed(traffic(SEED * 100 + 3, 4000));
      const file = place.file('events.pcap', pcapFile(LINKS.qinq, theirs.records));
      const { lines } = await place.run(
        'events',
        '-o',
        'extended,id',
        '--sysctl',
        'nf_conntrack_acct=1',
        file,
      );
      expect(eventWords(lines)).toEqual(eventWords(theirs.lines));
      expect(lines.length).toBeGreaterThan(300);
    });

    test('and for flows whose timer runs out, the moment apart', async () => {
      const short = Object.fromEntries(
        ['udp_timeout', 'icmp_timeout', 'icmpv6_timeout', 'generic_timeout', 'gre_timeout']
          .concat(['tcp_timeout_close', 'sctp_timeout_closed'])
          .map((name) => [`nf_conntrack_${name}`, 2]),
      );
      await kernel.reset();
      await kernel.sysctls(short);
      // Linux destroys what ran out at its leisure; whoever lists the table makes it hurry.
      const theirs = await followed(traffic(SEED * 100 + 4, 400), async () => {
        await pause(2500);
        await kernel.exec(['conntrack', '-L']);
      });
      const file = place.file('short.pcap', pcapFile(LINKS.raw, theirs.records));
      const sysctls = Object.entries(short).flatMap(([name, value]) => ['--sysctl', `${name}=${value}`]);
      const { lines } = await place.run('events', '-o', 'extended,id', '--at', '+2.5', ...sysctls, file);
      expect(eventWords(lines).sort()).toEqual(eventWords(theirs.lines).sort());
      const gone = lines.filter((line) => /^\[DESTROY\] ipv[46] +\d+ \S+ +\d+ (src|[A-Z])/.test(line));
      expect(gone.length).toBeGreaterThan(10);
    });
  });
});
