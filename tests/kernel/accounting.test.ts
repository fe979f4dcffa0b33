import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readFlow } from '../../engine/conntrack/flow-record.ts';
import {
  genericPacket,
  icmpErrorPacket,
  icmpPacket,
  icmpv6Packet,
  sctpPacket,
  tcpPacket,
  udpPacket,
} from '../../engine/packet/build.ts';
import { fragmentIpv4, fragmentIpv6 } from '../../engine/packet/build-fragment.ts';
import { type SctpChunk, sctpInit, sctpInitAck } from '../../engine/packet/build-sctp.ts';
import { TH_ACK, TH_FIN, TH_RST, TH_SYN } from '../../engine/packet/tcp.ts';
import { Dice } from '../traffic/dice.ts';
import { MixedTraffic } from '../traffic/mix.ts';
import { SctpTraffic } from '../traffic/sctp.ts';
import { TcpTraffic } from '../traffic/tcp.ts';
import { EngineSide } from './compare.ts';
import { compareCounters } from './compare-accounting.ts';
import { compareEvents } from './compare-events.ts';
import { Kernel, type KernelCounters, type KernelRun, kernelUsable } from './oracle.ts';

/** Seed of this run: another one each day, or KEEPSTATE_SEED. */
const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));
const RUN = 20_000;
const ACCT = { nf_conntrack_acct: 1 };

type Traffic = { next(): Uint8Array };
const TRAFFIC: Readonly<Record<string, (dice: Dice) => Traffic>> = {
  tcp: (dice) => new TcpTraffic(dice),
  sctp: (dice) => new SctpTraffic(dice),
  mixed: (dice) => new MixedTraffic(dice),
};

const ENDS = [
  { src: '10.0.0.1', dst: '10.1.0.1', sport: 1000, dport: 80 },
  { src: '10.1.0.1', dst: '10.0.0.1', sport: 80, dport: 1000 },
] as const;
const ENDS6 = { src: 'fd00::1', dst: 'fd00::2', sport: 1000, dport: 80 };
const IP = 20;
const IP6 = 40;

/** TCP, 40 bytes and the payload; sequence numbers: SYN 0, data from 1 on. */
function tcp(dir: 0 | 1, flags: number, seq: number, ack: number, payload = 0): Uint8Array {
  return tcpPacket({ ...ENDS[dir], flags, seq, ack, payload, window: 8192 });
}

function udp(dir: 0 | 1, payload: number): Uint8Array {
  return udpPacket({ ...ENDS[dir], payload });
}

const TAGS = [1, 2] as const;
function sctp(dir: 0 | 1, chunk: SctpChunk): Uint8Array {
  return sctpPacket({ ...ENDS[dir], vtag: chunk.type === 1 ? 0 : TAGS[1 - dir]!, chunks: [chunk] });
}

const SYN = tcp(0, TH_SYN, 0, 0);
const SYN_ACK = tcp(1, TH_SYN | TH_ACK, 0, 1);
const HANDSHAKE = [SYN, SYN_ACK, tcp(0, TH_ACK, 1, 1)];
const INIT = sctpInit({ tag: TAGS[0] });
const sctpLength = (chunk: SctpChunk): number => sctp(0, chunk).length;

/** What was counted: packets and bytes of the original, then of the reply direction. */
type Counted = readonly [number, number, number, number];

/** A fact, packets that show it, and what the only flow that they leave has counted. */
const FACTS: readonly (readonly [string, readonly Uint8Array[], Counted])[] = [
  ['bytes are those of the IP packet', [udp(0, 5), udp(1, 9), udp(0, 0)], [2, 33 + 28, 1, 37]],
  [
    'bytes of IPv6 include the header of 40 bytes',
    [udpPacket({ ...ENDS6, payload: 2 })],
    [1, IP6 + 10, 0, 0],
  ],
  ['what pads the packet behind its IP length is not counted', [padded(udp(0, 5), 18)], [1, 33, 0, 0]],
  [
    'a datagram in fragments is one packet, as long as it is whole',
    [udp(0, 5), ...fragmentIpv4(udp(0, 3000), 800)],
    [2, 33 + IP + 8 + 3000, 0, 0],
  ],
  [
    'of IPv6 fragments the fragment header is not counted',
    fragmentIpv6(udpPacket({ ...ENDS6, payload: 3000 }), 800),
    [1, IP6 + 8 + 3000, 0, 0],
  ],
  [
    'fragments of which one is missing are not counted',
    [udp(0, 5), fragmentIpv4(udp(0, 3000), 800)[1]!],
    [1, 33, 0, 0],
  ],
  ['a request and its reply', [echo(8), echo(0), echo(0)], [1, IP + 8, 2, 2 * (IP + 8)]],
  ['ICMPv6 too', [icmpv6Packet({ ...ENDS6, type: 128, id: 1 })], [1, IP6 + 8, 0, 0]],
  [
    'protocols without a tracker',
    [genericPacket({ ...ENDS[0], proto: 89, payload: 4 }), genericPacket({ ...ENDS[1], proto: 89 })],
    [1, IP + 4, 1, IP],
  ],
  [
    'an ICMP error is not counted for the flow that it is about',
    [udp(0, 5), icmpErrorPacket({ src: ENDS[1].src, type: 3, code: 3, quoted: udp(0, 5) })],
    [1, 33, 0, 0],
  ],
  [
    'an INVALID packet is not counted',
    [...HANDSHAKE, tcp(0, TH_SYN | TH_FIN, 1, 1), tcp(0, TH_ACK, 10_000_000, 1, 9)],
    [2, 80, 1, 40],
  ],
  ['a packet with a wrong checksum is not counted', [udp(0, 5), damaged(udp(0, 5))], [1, 33, 0, 0]],
  ['a repeated SYN is not counted', [SYN, SYN, SYN], [1, 40, 0, 0]],
  ['a repeated SYN/ACK is not counted', [...HANDSHAKE, SYN_ACK], [2, 80, 1, 40]],
  [
    'a SYN that is ignored in ESTABLISHED is not counted',
    [...HANDSHAKE, tcp(0, TH_SYN, 900, 0)],
    [2, 80, 1, 40],
  ],
  ['an ACK that is ignored in SYN_SENT is not counted', [SYN, tcp(1, TH_ACK, 5, 77)], [1, 40, 0, 0]],
  [
    'a segment below the window passes but is not counted',
    [...HANDSHAKE, tcp(1, TH_ACK, -10_000_000, 1, 4)],
    [2, 80, 1, 40],
  ],
  [
    'data sent again is counted again',
    [...HANDSHAKE, tcp(0, TH_ACK, 1, 1, 10), tcp(0, TH_ACK, 1, 1, 10)],
    [4, 80 + 100, 1, 40],
  ],
  [
    'a RST that closes and what follows it are counted',
    [...HANDSHAKE, tcp(1, TH_RST, 1, 0), tcp(0, TH_ACK, 1, 1)],
    [3, 120, 2, 80],
  ],
  [
    'a SYN that opens the flow anew counts from one',
    [...HANDSHAKE, tcp(0, TH_RST, 1, 0), tcp(0, TH_SYN, 5000, 0)],
    [1, 40, 0, 0],
  ],
  [
    'an INIT repeated in CLOSED is not counted',
    [sctp(0, INIT), sctp(0, INIT), sctp(1, sctpInitAck({ tag: TAGS[1] }))],
    [1, sctpLength(INIT), 1, sctpLength(sctpInitAck({ tag: TAGS[1] }))],
  ],
  [
    'a packet of a known flow that routing drops is counted all the same',
    [udp(0, 5), udpPacket({ ...ENDS[1], payload: 5, ip: { ttl: 1 } })],
    [1, 33, 1, 33],
  ],
];

function echo(type: number): Uint8Array {
  return icmpPacket({ ...ENDS[type === 8 ? 0 : 1], type, id: 1 });
}

function padded(packet: Uint8Array, bytes: number): Uint8Array {
  return Uint8Array.from([...packet, ...new Uint8Array(bytes)]);
}

/** With its last bit the other way round. */
function damaged(packet: Uint8Array): Uint8Array {
  const out = packet.slice();
  out[out.length - 1]! ^= 1;
  return out;
}

function counted([original, reply]: readonly [KernelCounters, KernelCounters]): Counted {
  return [original.packets, original.bytes, reply.packets, reply.bytes];
}

/** The engine with the packets of a run behind it. */
function engineAfter(run: KernelRun, packets: readonly Uint8Array[], engine: EngineSide): EngineSide {
  for (const [i, bytes] of packets.entries())
    engine.receive(bytes, 1_000_000 + run.times[i]!, run.verdicts[i]!.stage !== 'forward');
  return engine;
}

describe.skipIf(!kernelUsable())('the engine counts what the kernel counts', () => {
  let kernel: Kernel;
  beforeAll(async () => {
    console.log(`accounting: KEEPSTATE_SEED=${SEED}`);
    kernel = await Kernel.open({ stages: true, events: true });
  });
  afterAll(() => kernel.close());
  beforeEach(async () => {
    await kernel.reset();
    await kernel.sysctls(ACCT);
  });

  test.each(['tcp', 'sctp', 'mixed'])(
    'on %s traffic: packets and bytes of every flow, also of those that ended on the way',
    async (kind) => {
      const traffic = TRAFFIC[kind]!(new Dice(SEED * 100 + 20));
      const packets = Array.from({ length: RUN }, () => ({ bytes: traffic.next() }));
      const run = await kernel.replay(packets);
      const { differences, engine } = compareEvents(run, packets, ACCT);
      expect(differences, `seed ${SEED}`).toEqual([]);
      expect(compareCounters(run.table, engine), `seed ${SEED}`).toEqual([]);
      const total = run.table.reduce((sum, entry) => sum + entry.counters![0].packets, 0);
      expect(total).toBeGreaterThan(100);
    },
  );

  test.each(FACTS)('%s', async (_fact, packets, expected) => {
    const run = await kernel.replay(packets.map((bytes) => ({ bytes })));
    expect(run.table.map(({ counters }) => counted(counters!))).toEqual([expected]);
    expect(compareCounters(run.table, engineAfter(run, packets, new EngineSide(ACCT)))).toEqual([]);
  });

  test('a flow that a RST ends at once has counted that RST', async () => {
    const packets = [SYN, tcp(1, TH_RST | TH_ACK, 0, 1)].map((bytes) => ({ bytes }));
    const run = await kernel.replay(packets);
    expect(run.events![1]!.map(({ type, entry }) => [type, ...counted(entry.counters!)])).toEqual([
      ['DESTROY', 1, 40, 1, 40],
    ]);
    expect(compareEvents(run, packets, ACCT).differences).toEqual([]);
  });

  test('whether a flow counts is decided when it is made', async () => {
    await kernel.sysctls({ nf_conntrack_acct: 0 });
    const other = (payload: number): Uint8Array => udpPacket({ ...ENDS[0], sport: 2000, payload });
    const engine = new EngineSide({ nf_conntrack_acct: 0 });
    for (const [acct, packets] of [
      [0, [udp(0, 5)]],
      [1, [udp(0, 5), other(5)]],
      [0, [udp(0, 5), other(6)]],
    ] as const) {
      await kernel.sysctls({ nf_conntrack_acct: acct });
      engine.firewall.settings.set('nf_conntrack_acct', acct);
      const run = await kernel.replay(packets.map((bytes) => ({ bytes })));
      expect(compareCounters(run.table, engineAfter(run, packets, engine))).toEqual([]);
    }
    const counters = (await kernel.table()).map((entry) => entry.counters && counted(entry.counters));
    expect(counters.sort()).toEqual([[2, 33 + 34, 0, 0], null]);
  });
});

describe.skipIf(!kernelUsable())('the engine tells since when a flow is there', () => {
  let kernel: Kernel;
  beforeAll(async () => {
    kernel = await Kernel.open({ sysctls: { nf_conntrack_timestamp: 1 } });
  });
  afterAll(() => kernel.close());

  /** Start of each flow of the kernel (ms) by source port. */
  async function starts(): Promise<Map<number, number>> {
    const { stdout } = await kernel.exec(['conntrack', '-L', '-o', 'xml,ktimestamp']);
    const flows = stdout.split('<flow>').slice(1);
    const field = (flow: string, name: string): string => new RegExp(`<${name}>(\\d+)<`).exec(flow)![1]!;
    return new Map(flows.map((flow) => [Number(field(flow, 'sport')), Number(field(flow, 'start')) / 1e6]));
  }

  test('nf_conntrack_timestamp: the moment when the first packet was confirmed, anew when it is opened anew', async () => {
    const port = (sport: number): Uint8Array => udpPacket({ ...ENDS[0], sport });
    // Flow 1 gets a second packet, flow 1000 (TCP) is closed and opened anew.
    const packets = [
      port(1),
      ...HANDSHAKE,
      port(2),
      port(1),
      tcp(0, TH_RST, 1, 0),
      tcp(0, TH_SYN, 9, 0),
      port(3),
    ];
    const run = await kernel.replay(packets.map((bytes) => ({ bytes, waitMs: 100 })));
    const engine = engineAfter(run, packets, new EngineSide({ nf_conntrack_timestamp: 1 }));
    const ct = engine.firewall.conntrack;
    const ours = new Map<number, number>();
    ct.eachFlow((flow) => {
      const { original, start } = readFlow(ct, flow);
      ours.set(original.sport!, start! - 1_000_000);
    });
    const theirs = await starts();
    const zero = theirs.get(1)! - run.times[0]!;
    expect([...theirs.keys()].sort()).toEqual([...ours.keys()].sort());
    for (const [sport, start] of theirs)
      expect(Math.abs(start - zero - ours.get(sport)!), `port ${sport}`).toBeLessThan(80);
    expect(theirs.get(1000)! - zero).toBeGreaterThan(run.times[6]!);
  });

  test('a flow that was made before it was turned on tells no start', async () => {
    await kernel.reset();
    await kernel.sysctls({ nf_conntrack_timestamp: 0 });
    const engine = new EngineSide({ nf_conntrack_timestamp: 0 });
    await kernel.replay([{ bytes: udp(0, 0) }]);
    engine.receive(udp(0, 0), 1000);
    await kernel.sysctls({ nf_conntrack_timestamp: 1 });
    engine.firewall.settings.set('nf_conntrack_timestamp', 1);
    await kernel.replay([{ bytes: udp(0, 0) }]);
    engine.receive(udp(0, 0), 1001);
    const { stdout } = await kernel.exec(['conntrack', '-L', '-o', 'xml,ktimestamp']);
    expect(stdout).toContain('<flow>');
    expect(stdout).not.toContain('<start>');
    const ct = engine.firewall.conntrack;
    ct.eachFlow((flow) => expect(readFlow(ct, flow).start).toBeNull());
  });
});
