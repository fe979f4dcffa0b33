import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  genericPacket,
  grePacket,
  icmpErrorPacket,
  icmpPacket,
  icmpv6ErrorPacket,
  icmpv6Packet,
  pptpGrePacket,
  sctpPacket,
  tcpPacket,
  udplitePacket,
  udpPacket,
} from '../../engine/packet/build.ts';
import { destinationOptions, fragmentHeader, hopByHop } from '../../engine/packet/build-ipv6.ts';
import { sctpInit } from '../../engine/packet/build-sctp.ts';
import { TH_ACK, TH_RST, TH_SYN } from '../../engine/packet/tcp.ts';
import { Dice } from '../traffic/dice.ts';
import { compareTables } from './compare.ts';
import { compareCounters } from './compare-accounting.ts';
import { compareEvents } from './compare-events.ts';
import { OddTraffic } from './odd-traffic.ts';
import { Kernel, type KernelPacket, kernelUsable } from './oracle.ts';

/** Seed of this run: another one each day, or KEEPSTATE_SEED. */
const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));
const RUN = 20_000;
const ACCT = { nf_conntrack_acct: 1 };

const A = '10.0.0.1';
const B = '10.1.0.1';
const OUT = { src: A, dst: B, sport: 1000, dport: 53 };
const BACK = { src: B, dst: A, sport: 53, dport: 1000 };
const OUT6 = { src: 'fd00::1', dst: 'fd00::2', sport: 1000, dport: 53 };
const ROUTER = { src: '10.9.9.9', type: 3, code: 1 };
const ROUTER6 = { src: 'fd00::9', type: 1, code: 0 };

/** A packet and what it is: `>` in original, `<` in reply direction. */
type Course = readonly (readonly [Uint8Array, string])[];

function about(quoted: Uint8Array): Uint8Array {
  return icmpErrorPacket({ ...ROUTER, quoted });
}

function about6(quoted: Uint8Array): Uint8Array {
  return icmpv6ErrorPacket({ ...ROUTER6, quoted });
}

/** A copy with other bytes from `at` on. */
function bent(packet: Uint8Array, at: number, ...bytes: readonly number[]): Uint8Array {
  const out = packet.slice();
  out.set(bytes, at);
  return out;
}

/** With `words` words of IPv4 options (no-operations). */
function withOptions(packet: Uint8Array, words: number): Uint8Array {
  return Uint8Array.from([
    0x45 + words,
    ...packet.subarray(1, 20),
    ...new Uint8Array(words * 4).fill(1),
    ...packet.subarray(20),
  ]);
}

const UDP = udpPacket({ ...OUT, payload: 4 });
const UDP6 = udpPacket({ ...OUT6, payload: 4 });
const ECHO = icmpPacket({ ...OUT, type: 8, id: 1, payload: 4 });
const ECHO6 = icmpv6Packet({ ...OUT6, type: 128, id: 1, payload: 4 });
const SCTP = sctpPacket({ ...OUT, vtag: 0, chunks: [sctpInit({ tag: 1 })] });
const UDPLITE = udplitePacket({ ...OUT, checksumAs: 'linux', payload: 4 });
const GRE = grePacket({ ...OUT, payload: 4 });
const ESP = genericPacket({ ...OUT, proto: 50, payload: 8 });
const tcp = (flags: number, ends = OUT): Uint8Array => tcpPacket({ ...ends, flags });
const land = { src: A, dst: A, sport: 7, dport: 7 };

const FACTS: readonly (readonly [string, Course])[] = [
  [
    'gre version 1 with call id 0 is one flow for both ways',
    [
      [pptpGrePacket({ ...OUT, callId: 0, payload: 4 }), 'NEW >'],
      [pptpGrePacket({ ...BACK, callId: 0, payload: 4 }), 'ESTABLISHED <'],
      [grePacket({ ...OUT, payload: 4 }), 'ESTABLISHED >'],
    ],
  ],
  [
    'gre version 1 with another call id, the same both ways, is two flows',
    [
      [pptpGrePacket({ ...OUT, callId: 5 }), 'NEW >'],
      [pptpGrePacket({ ...BACK, callId: 5 }), 'NEW >'],
      [pptpGrePacket({ ...OUT, callId: 5 }), 'NEW >'],
    ],
  ],
  [
    'an error about an echo request is RELATED, against the way of the request',
    [
      [ECHO, 'NEW >'],
      [about(ECHO), 'RELATED <'],
    ],
  ],
  [
    'an error about an echo reply is RELATED, in the way of the request',
    [
      [ECHO, 'NEW >'],
      [about(icmpPacket({ ...BACK, type: 0, id: 1 })), 'RELATED >'],
    ],
  ],
  [
    'an error about an echo request over IPv6 is RELATED',
    [
      [ECHO6, 'NEW >'],
      [about6(ECHO6), 'RELATED <'],
    ],
  ],
  [
    'an error about SCTP is RELATED',
    [
      [SCTP, 'NEW >'],
      [about(SCTP), 'RELATED <'],
    ],
  ],
  [
    'an error about GRE is RELATED',
    [
      [GRE, 'NEW >'],
      [about(GRE), 'RELATED <'],
    ],
  ],
  [
    'an error about UDP-Lite is RELATED',
    [
      [UDPLITE, 'NEW >'],
      [about(UDPLITE), 'RELATED <'],
    ],
  ],
  [
    'an error about a protocol without a tracker is RELATED',
    [
      [ESP, 'NEW >'],
      [about(ESP), 'RELATED <'],
    ],
  ],
  [
    'an error about a packet with IPv4 options is RELATED',
    [
      [UDP, 'NEW >'],
      [about(withOptions(UDP, 1)), 'RELATED <'],
      [about(withOptions(UDP, 10)), 'RELATED <'],
    ],
  ],
  [
    'a quoted IPv4 header length of 0 leads to other ports, hence to no flow',
    [
      [UDP, 'NEW >'],
      [about(bent(UDP, 0, 0x40)), 'INVALID'],
    ],
  ],
  [
    'a quoted IPv4 header length of 4 words leads to no flow either',
    [
      [UDP, 'NEW >'],
      [about(bent(UDP, 0, 0x44)), 'INVALID'],
    ],
  ],
  [
    'nobody minds the IP version of a quote',
    [
      [UDP, 'NEW >'],
      [about(bent(UDP, 0, 0xf5)), 'RELATED <'],
      [about(bent(UDP, 0, 0x65)), 'RELATED <'],
    ],
  ],
  [
    'nobody minds the IP version of an IPv6 quote',
    [
      [UDP6, 'NEW >'],
      [about6(bent(UDP6, 0, 0x40)), 'RELATED <'],
    ],
  ],
  [
    'nobody minds the total length of a quote',
    [
      [UDP, 'NEW >'],
      [about(bent(UDP, 2, 0, 0)), 'RELATED <'],
    ],
  ],
  [
    'a quote that ends within the ports is INVALID, one that ends behind them RELATED',
    [
      [UDP, 'NEW >'],
      [about(UDP.slice(0, 23)), 'INVALID'],
      [about(UDP.slice(0, 24)), 'RELATED <'],
    ],
  ],
  [
    'a quoted ICMP header must be whole',
    [
      [ECHO, 'NEW >'],
      [about(ECHO.slice(0, 27)), 'INVALID'],
      [about(ECHO.slice(0, 28)), 'RELATED <'],
    ],
  ],
  [
    'of GRE and protocols without a tracker the quoted IP header is enough',
    [
      [GRE, 'NEW >'],
      [ESP, 'NEW >'],
      [about(GRE.slice(0, 20)), 'RELATED <'],
      [about(ESP.slice(0, 20)), 'RELATED <'],
    ],
  ],
  [
    'a quoted first fragment is RELATED, a later one INVALID',
    [
      [UDP, 'NEW >'],
      [about(bent(UDP, 6, 0x20, 0)), 'RELATED <'],
      [about(bent(UDP, 6, 0, 1)), 'INVALID'],
    ],
  ],
  [
    'quoted IPv6 extension headers are stepped over, but not into a later fragment',
    [
      [UDP6, 'NEW >'],
      [about6(udpPacket({ ...OUT6, ip: { extensions: [hopByHop(), destinationOptions()] } })), 'RELATED <'],
      [
        about6(udpPacket({ ...OUT6, ip: { extensions: [fragmentHeader({ offset: 0, more: true })] } })),
        'RELATED <',
      ],
      [
        about6(udpPacket({ ...OUT6, ip: { extensions: [fragmentHeader({ offset: 8, more: false })] } })),
        'INVALID',
      ],
    ],
  ],
  [
    'an error about an error is INVALID',
    [
      [UDP, 'NEW >'],
      [about(UDP), 'RELATED <'],
      [about(about(UDP)), 'INVALID'],
    ],
  ],
  [
    'an error that goes to somebody else than the quoted sender is INVALID',
    [
      [UDP, 'NEW >'],
      [icmpErrorPacket({ ...ROUTER, dst: '10.0.0.2', quoted: UDP }), 'INVALID'],
    ],
  ],
  [
    'an error about an answer that was never seen is RELATED, the flow stays unanswered',
    [
      [UDP, 'NEW >'],
      [about(udpPacket(BACK)), 'RELATED >'],
      [UDP, 'NEW >'],
    ],
  ],
  [
    'an error may come from the quoted sender itself',
    [
      [UDP, 'NEW >'],
      [icmpErrorPacket({ src: A, type: 3, code: 3, quoted: UDP }), 'RELATED <'],
    ],
  ],
  [
    'port 0 is a port like any other',
    [
      [udpPacket({ ...OUT, sport: 0, dport: 0 }), 'NEW >'],
      [udpPacket({ ...BACK, sport: 0, dport: 0 }), 'ESTABLISHED <'],
      [tcpPacket({ ...OUT, sport: 0, flags: TH_SYN }), 'NEW >'],
      [tcpPacket({ ...BACK, dport: 0, flags: TH_SYN | TH_ACK, ack: 1 }), 'ESTABLISHED <'],
    ],
  ],
  [
    'land: all but the first packet from a TCP port to itself count as answers',
    [
      [tcp(TH_SYN, land), 'NEW >'],
      [tcp(TH_SYN, land), 'ESTABLISHED <'],
      [tcp(TH_SYN | TH_ACK, land), 'ESTABLISHED <'],
      [tcp(TH_ACK, land), 'ESTABLISHED <'],
      [tcp(TH_RST, land), 'ESTABLISHED <'],
      [tcp(TH_RST, land), 'ESTABLISHED <'],
    ],
  ],
  [
    'land: a UDP port that speaks to itself answers itself',
    [
      [udpPacket(land), 'NEW >'],
      [udpPacket(land), 'ESTABLISHED <'],
      [udpPacket(land), 'ESTABLISHED <'],
    ],
  ],
  [
    'land: an echo request to oneself is no answer, the reply is',
    [
      [icmpPacket({ ...land, type: 8 }), 'NEW >'],
      [icmpPacket({ ...land, type: 8 }), 'NEW >'],
      [icmpPacket({ ...land, type: 0 }), 'ESTABLISHED <'],
    ],
  ],
  [
    'land: without ports a host that speaks to itself answers itself',
    [
      [genericPacket({ ...land, proto: 50 }), 'NEW >'],
      [genericPacket({ ...land, proto: 50 }), 'ESTABLISHED <'],
      [grePacket(land), 'NEW >'],
      [grePacket(land), 'ESTABLISHED <'],
    ],
  ],
  [
    'a broadcast is answered by the broadcast address only, to conntrack',
    [
      [udpPacket({ src: A, dst: '255.255.255.255', sport: 68, dport: 67 }), 'NEW >'],
      [udpPacket({ src: B, dst: A, sport: 67, dport: 68 }), 'NEW >'],
      [udpPacket({ src: '255.255.255.255', dst: A, sport: 67, dport: 68 }), 'ESTABLISHED <'],
    ],
  ],
  [
    'DHCP from 0.0.0.0 is a flow that nothing answers',
    [
      [udpPacket({ src: '0.0.0.0', dst: '255.255.255.255', sport: 68, dport: 67 }), 'NEW >'],
      [udpPacket({ src: '0.0.0.0', dst: '255.255.255.255', sport: 68, dport: 67 }), 'NEW >'],
    ],
  ],
  [
    'ICMP over IPv6 and ICMPv6 over IPv4 are INVALID',
    [
      [genericPacket({ ...OUT6, proto: 1, payload: ECHO.slice(20) }), 'INVALID'],
      [genericPacket({ ...OUT, proto: 58, payload: ECHO6.slice(40) }), 'INVALID'],
    ],
  ],
];

describe.skipIf(!kernelUsable())('the engine agrees with the kernel on oddities', () => {
  let kernel: Kernel;
  beforeAll(async () => {
    console.log(`odd: KEEPSTATE_SEED=${SEED}`);
    kernel = await Kernel.open({ stages: true, events: true, sysctls: ACCT });
  });
  afterAll(() => kernel.close());
  beforeEach(() => kernel.reset());

  async function replay(packets: readonly KernelPacket[]): Promise<readonly string[]> {
    const run = await kernel.replay(packets);
    const { differences, engine } = compareEvents(run, packets, ACCT);
    expect(differences).toEqual([]);
    expect(compareTables(-1, run.table, engine.table(), 0.2)).toEqual([]);
    expect(compareCounters(run.table, engine)).toEqual([]);
    return run.verdicts.map(({ state, dir }) =>
      dir === null ? `${state}` : `${state} ${dir === 'reply' ? '<' : '>'}`,
    );
  }

  test.each(FACTS)('%s', async (_fact, course) => {
    const states = await replay(course.map(([bytes]) => ({ bytes })));
    expect(states).toEqual(course.map(([, state]) => state));
  });

  test('random ones: verdicts, events, counters and the table', async () => {
    const traffic = new OddTraffic(new Dice(SEED));
    await replay(Array.from({ length: RUN }, () => ({ bytes: traffic.next() })));
  });
});
