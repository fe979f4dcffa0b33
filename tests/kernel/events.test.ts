import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { icmpErrorPacket, icmpPacket, sctpPacket, tcpPacket, udpPacket } from '../../engine/packet/build.ts';
import { type SctpChunk, sctpInit, sctpInitAck } from '../../engine/packet/build-sctp.ts';
import { TH_ACK, TH_FIN, TH_RST, TH_SYN } from '../../engine/packet/tcp.ts';
import { Dice } from '../traffic/dice.ts';
import { MixedTraffic } from '../traffic/mix.ts';
import { SctpTraffic } from '../traffic/sctp.ts';
import { TcpTraffic } from '../traffic/tcp.ts';
import { compareVerdict } from './compare.ts';
import {
  compareEvents,
  type EventLine,
  eventText,
  kernelEvent,
  RecordingSide,
  sameEvents,
} from './compare-events.ts';
import { Kernel, kernelUsable } from './oracle.ts';

/** Seed of this run: another one each day, or KEEPSTATE_SEED. */
const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));
const RUN = 20_000;

type Traffic = { next(): Uint8Array };
const TRAFFIC: Readonly<Record<string, (dice: Dice) => Traffic>> = {
  tcp: (dice) => new TcpTraffic(dice),
  'tcp, few connections': (dice) => new TcpTraffic(dice, 4),
  sctp: (dice) => new SctpTraffic(dice),
  mixed: (dice) => new MixedTraffic(dice),
};

const ENDS = [
  { src: '10.0.0.1', dst: '10.1.0.1', sport: 1000, dport: 80 },
  { src: '10.1.0.1', dst: '10.0.0.1', sport: 80, dport: 1000 },
] as const;

/** Sequence numbers: SYN 0, data from 1 on, either way. */
function tcp(dir: 0 | 1, flags: number, seq: number, ack: number, payload = 0): Uint8Array {
  return tcpPacket({ ...ENDS[dir], flags, seq, ack, payload, window: 8192 });
}

const TAGS = [1, 2] as const;
function sctp(dir: 0 | 1, chunk: SctpChunk): Uint8Array {
  return sctpPacket({ ...ENDS[dir], vtag: chunk.type === 1 ? 0 : TAGS[1 - dir]!, chunks: [chunk] });
}

const SYN = tcp(0, TH_SYN, 0, 0);
const SYN_ACK = tcp(1, TH_SYN | TH_ACK, 0, 1);
const HANDSHAKE: Facts = [
  [SYN, 'NEW SYN_SENT'],
  [SYN_ACK, 'UPDATE SYN_RECV'],
  [tcp(0, TH_ACK, 1, 1), 'UPDATE ESTABLISHED'],
];
const UDP = udpPacket(ENDS[0]);

/** Packets, each with the events that it makes: type, and the protocol's state if the event tells it. */
type Facts = readonly (readonly [Uint8Array, ...string[]])[];

const FACTS: readonly (readonly [string, Facts])[] = [
  [
    'a TCP connection: NEW, and UPDATE for each change of its state',
    [
      ...HANDSHAKE,
      [tcp(0, TH_FIN | TH_ACK, 1, 1), 'UPDATE FIN_WAIT'],
      [tcp(1, TH_ACK, 1, 2), 'UPDATE CLOSE_WAIT'],
      [tcp(1, TH_FIN | TH_ACK, 1, 2), 'UPDATE LAST_ACK'],
      [tcp(0, TH_ACK, 2, 2), 'UPDATE TIME_WAIT'],
    ],
  ],
  [
    'a packet that only sets the timer anew makes no event',
    [...HANDSHAKE, [tcp(0, TH_ACK, 1, 1, 9)], [tcp(1, TH_ACK, 1, 10)], [tcp(0, TH_ACK, 10, 1)]],
  ],
  ['a repeated SYN makes no event', [[SYN, 'NEW SYN_SENT'], [SYN], [SYN]]],
  [
    'a RST that answers the SYN ends the flow: DESTROY, and no UPDATE for the answer',
    [
      [SYN, 'NEW SYN_SENT'],
      [tcp(1, TH_RST | TH_ACK, 0, 1), 'DESTROY CLOSE'],
    ],
  ],
  [
    'an ACK that is ignored in SYN_SENT counts as an answer: UPDATE without a state',
    [
      [SYN, 'NEW SYN_SENT'],
      [tcp(1, TH_ACK, 5, 77), 'UPDATE'],
    ],
  ],
  [
    'opened anew: DESTROY and NEW by the same SYN',
    [
      ...HANDSHAKE,
      [tcp(0, TH_RST, 1, 0), 'UPDATE CLOSE'],
      [tcp(0, TH_SYN, 5000, 0), 'DESTROY CLOSE', 'NEW SYN_SENT'],
    ],
  ],
  [
    'a SYN/ACK that acknowledges an ignored SYN makes an UPDATE, though the state was SYN_RECV before',
    [
      [SYN, 'NEW SYN_SENT'],
      [SYN_ACK, 'UPDATE SYN_RECV'],
      [tcp(0, TH_SYN, 900, 0)],
      [tcp(1, TH_SYN | TH_ACK, 300, 901), 'UPDATE SYN_RECV'],
    ],
  ],
  [
    'picked up in the middle: NEW, UPDATE for the answer, UPDATE for ASSURED, the last two without a state',
    [
      [tcp(0, TH_ACK, 1, 1), 'NEW ESTABLISHED'],
      [tcp(1, TH_ACK, 1, 1), 'UPDATE'],
      [tcp(0, TH_ACK, 1, 1), 'UPDATE'],
    ],
  ],
  ['an INVALID packet makes no event', [...HANDSHAKE, [tcp(0, TH_SYN | TH_FIN, 1, 1)]]],
  ['UDP: NEW, and UPDATE for the first answer only', [[UDP, 'NEW'], [udpPacket(ENDS[1]), 'UPDATE'], [UDP]]],
  [
    'an ICMP error makes no event of its own',
    [[UDP, 'NEW'], [icmpErrorPacket({ src: ENDS[1].src, type: 3, code: 3, quoted: UDP })]],
  ],
  [
    'ICMP: NEW for the request, UPDATE for the first reply',
    [
      [icmpPacket({ ...ENDS[0], type: 8 }), 'NEW'],
      [icmpPacket({ ...ENDS[1], type: 0 }), 'UPDATE'],
      [icmpPacket({ ...ENDS[1], type: 0 })],
    ],
  ],
  [
    'SCTP: UPDATE for each change of the state',
    [
      [sctp(0, sctpInit({ tag: TAGS[0] })), 'NEW CLOSED'],
      [sctp(1, sctpInitAck({ tag: TAGS[1] })), 'UPDATE COOKIE_WAIT'],
      [sctp(0, { type: 10, value: 4 }), 'UPDATE COOKIE_ECHOED'],
      [sctp(1, { type: 11 }), 'UPDATE ESTABLISHED'],
      [sctp(0, { type: 4, value: 4 })],
    ],
  ],
  [
    'a first packet that routing drops makes no event',
    [[udpPacket({ ...ENDS[0], ip: { ttl: 1 } })], [udpPacket(ENDS[1]), 'NEW']],
  ],
  [
    'what a packet did that routing dropped is told with the next packet',
    [[UDP, 'NEW'], [udpPacket({ ...ENDS[1], ip: { ttl: 1 } })], [UDP, 'UPDATE']],
  ],
];

describe.skipIf(!kernelUsable())('the engine tells its sink what the kernel tells ctnetlink', () => {
  let kernel: Kernel;
  beforeAll(async () => {
    console.log(`events: KEEPSTATE_SEED=${SEED}`);
    kernel = await Kernel.open({ stages: true, events: true });
  });
  afterAll(() => kernel.close());
  beforeEach(async () => {
    await kernel.reset();
    await kernel.sysctls({});
  });

  test.each([
    ['tcp', 1],
    ['tcp, few connections', 1],
    ['sctp', 1],
    ['mixed', 2],
  ])('on %s traffic: type, tuples, state, status and timeout of each event', async (kind, runs) => {
    for (let run = 0; run < runs; run++) {
      const traffic = TRAFFIC[kind]!(new Dice(SEED * 100 + run));
      const packets = Array.from({ length: RUN }, () => ({ bytes: traffic.next() }));
      await kernel.reset();
      const { differences, events } = compareEvents(await kernel.replay(packets), packets);
      expect(differences, `seed ${SEED} run ${run}`).toEqual([]);
      expect(events).toBeGreaterThan(1000);
    }
  });

  test.each(FACTS)('%s', async (_fact, facts) => {
    const packets = facts.map(([bytes]) => ({ bytes }));
    const run = await kernel.replay(packets);
    const told = run.events!.map((events) =>
      events.map(kernelEvent).map(({ text }) => /^(\w+) \d+ (\w*)/.exec(text)!.slice(1).join(' ').trim()),
    );
    expect(told, 'the kernel').toEqual(facts.map(([, ...events]) => events));
    expect(compareEvents(run, packets).differences).toEqual([]);
  });

  test('flushing the table tells DESTROY of every flow, with the time it had left and what it counted', async () => {
    const sysctls = { nf_conntrack_acct: 1 };
    await kernel.sysctls(sysctls);
    const traffic = new MixedTraffic(new Dice(SEED * 100 + 9));
    const packets = Array.from({ length: 3000 }, () => ({ bytes: traffic.next() }));
    const run = await kernel.replay(packets);
    const { engine } = compareEvents(run, packets, sysctls);
    await kernel.exec(['conntrack', '-F']);
    engine.firewall.conntrack.flush();
    const byText = (a: EventLine, b: EventLine): number => (a.text < b.text ? -1 : 1);
    const { events } = await kernel.replay([{ bytes: UDP }]);
    const theirs = events![0]!.filter(({ before }) => before).map(kernelEvent);
    const ours = engine.take();
    expect(theirs.length).toBeGreaterThan(50);
    expect(theirs.length).toBe(ours.length);
    const differing = theirs
      .sort(byText)
      .filter((event, n) => !sameEvents([event], [[...ours].sort(byText)[n]!]));
    expect(eventText(differing)).toBe('');
  });

  test('with a timer of 0 s no packet finds the entry of the one before, and each makes its own', async () => {
    const sysctls = {
      nf_conntrack_udp_timeout: 0,
      nf_conntrack_icmp_timeout: 0,
      nf_conntrack_tcp_timeout_syn_sent: 0,
    };
    await kernel.sysctls(sysctls);
    const udp = [UDP, udpPacket(ENDS[1]), UDP];
    const icmp = [icmpPacket({ ...ENDS[0], type: 8 }), icmpPacket({ ...ENDS[1], type: 0 })];
    const packets = [...udp, ...icmp, SYN, SYN, SYN_ACK].map((bytes) => ({ bytes }));
    const run = await kernel.replay(packets);
    expect(run.verdicts.map(({ state }) => state)).toEqual([
      ...['NEW', 'NEW', 'NEW', 'NEW', 'INVALID', 'NEW', 'NEW', 'INVALID'],
    ]);
    // The engine's clock stands still: not even a millisecond passes.
    const engine = new RecordingSide(sysctls);
    for (const [i, { bytes }] of packets.entries())
      expect(compareVerdict(i, run.verdicts[i]!, engine.receive(bytes, 1000))).toBeNull();
  });

  test('nf_conntrack_events=0: nothing is told of the flows that are made meanwhile, ever', async () => {
    const other = (payload: number): Uint8Array => udpPacket({ ...ENDS[0], sport: 7, payload });
    const engine = new RecordingSide({ nf_conntrack_events: 0 });
    const course: readonly (readonly [number, readonly (readonly [Uint8Array, number])[]])[] = [
      [
        0,
        [
          [SYN, 0],
          [SYN_ACK, 0],
        ],
      ],
      [
        1,
        [
          [tcp(0, TH_ACK, 1, 1), 0],
          [other(0), 1],
          [tcp(0, TH_RST, 1, 0), 0],
          [tcp(0, TH_SYN, 9, 0), 1],
        ],
      ],
      [
        0,
        [
          [tcp(1, TH_SYN | TH_ACK, 0, 10), 1],
          [UDP, 0],
          [other(1), 0],
        ],
      ],
    ];
    for (const [setting, packets] of course) {
      await kernel.sysctls({ nf_conntrack_events: setting });
      engine.firewall.settings.set('nf_conntrack_events', setting);
      const { events } = await kernel.replay(packets.map(([bytes]) => ({ bytes })));
      for (const [i, [bytes, count]] of packets.entries()) {
        engine.receive(bytes, 1000);
        const theirs = events![i]!.map(kernelEvent);
        const ours = engine.take();
        expect(theirs).toHaveLength(count);
        expect(sameEvents(theirs, ours), `${eventText(theirs)}\n${eventText(ours)}`).toBe(true);
      }
    }
  });
});
