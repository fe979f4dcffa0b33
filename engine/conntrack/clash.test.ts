/** Packets under way at the same time. Measured: packets held in an NFQUEUE behind conntrack, then let go. */
import { describe, expect, test } from 'vitest';
import { R_CLASH, R_CLASH_RESOLVED } from '../base/reason.ts';
import { reasonText } from '../base/reason-text.ts';
import { genericPacket, grePacket, icmpPacket, sctpPacket, udplitePacket } from '../packet/build.ts';
import { sctpInit } from '../packet/build-sctp.ts';
import { IP_CT_NEW } from '../packet/packet.ts';
import { TH_ACK, TH_SYN } from '../packet/tcp.ts';
import { F_RDST, F_STATUS, ROW_WORDS } from './flow-table.ts';
import { IPS_SRC_NAT_DONE } from './status.ts';
import { tcp, udp, udp6, Wire } from './testing.mts';

const A = { src: '10.0.0.1', dst: '10.1.0.1' };
const B = { src: '10.1.0.1', dst: '10.0.0.1' };
const lite = { checksumAs: 'linux' } as const;
const init = { vtag: 0, chunks: [sctpInit({ tag: 1 })] };

type Pair = readonly [name: string, first: Uint8Array, second: Uint8Array];

const JOINED: readonly Pair[] = [
  ['UDP', udp(1), udp(1)],
  ['UDP, one each way', udp(1), udp(1, true)],
  ['UDP over IPv6', udp6(1), udp6(1)],
  ['UDP over IPv6, one each way', udp6(1), udp6(1, true)],
  [
    'UDP-Lite',
    udplitePacket({ ...A, sport: 1, dport: 2, ...lite }),
    udplitePacket({ ...A, sport: 1, dport: 2, ...lite }),
  ],
  ['GRE', grePacket(A), grePacket(A)],
  ['GRE, one each way', grePacket(A), grePacket(B)],
  ['ESP', genericPacket({ ...A, proto: 50 }), genericPacket({ ...A, proto: 50 })],
  ['ESP, one each way', genericPacket({ ...A, proto: 50 }), genericPacket({ ...B, proto: 50 })],
];

const DROPPED: readonly Pair[] = [
  ['TCP', tcp(1, TH_SYN), tcp(1, TH_SYN)],
  ['TCP, one each way', tcp(1, TH_SYN), tcp(1, TH_SYN, true)],
  ['TCP without SYN', tcp(1, TH_ACK), tcp(1, TH_ACK)],
  ['ICMP', icmpPacket({ ...A, type: 8, id: 7 }), icmpPacket({ ...A, type: 8, id: 7 })],
  [
    'SCTP',
    sctpPacket({ ...A, sport: 1, dport: 2, ...init }),
    sctpPacket({ ...A, sport: 1, dport: 2, ...init }),
  ],
  [
    'SCTP, one each way',
    sctpPacket({ ...A, sport: 1, dport: 2, ...init }),
    sctpPacket({ ...B, sport: 2, dport: 1, ...init }),
  ],
];

describe('two packets of one new flow under way', () => {
  test.each(JOINED)(
    'of %s: the later one joins the flow of the first and is counted there',
    (_name, a, b) => {
      const wire = new Wire({ nf_conntrack_acct: 1 });
      const first = wire.track(a);
      const second = wire.track(b);
      expect([first.ctinfo, second.ctinfo]).toEqual([IP_CT_NEW, IP_CT_NEW]);
      expect(second.flow).not.toBe(first.flow);
      expect(wire.ct.confirm(first)).toBe(true);
      expect(wire.ct.confirm(second)).toBe(true);
      expect(second.flow).toBe(first.flow);
      expect(second.reason).toBe(R_CLASH_RESOLVED);
      expect(wire.flows()).toMatchObject([
        {
          status: 8,
          counters: { original: { packets: 2, bytes: a.length + b.length }, reply: { packets: 0, bytes: 0 } },
        },
      ]);
      expect(reasonText(second.reason, second.operands)).toContain(`joined flow ${wire.flows()[0]!.flowId}`);
      expect(wire.ct.stats).toMatchObject({ clash_resolve: 1, created: 1, drop: 0 });
      expect(wire.ct.table.count).toBe(1);
      expect(wire.told()).toEqual([expect.stringMatching(/^NEW\b/)]);
    },
  );

  test.each(DROPPED)('of %s: the later one is dropped', (_name, a, b) => {
    const wire = new Wire();
    const first = wire.track(a);
    const second = wire.track(b);
    expect(second.ctinfo).toBe(IP_CT_NEW);
    expect(wire.ct.confirm(first)).toBe(true);
    expect(wire.ct.confirm(second)).toBe(false);
    expect(second.reason).toBe(R_CLASH);
    expect(second.flow).toBe(0);
    expect(wire.ct.stats).toMatchObject({ clash_resolve: 0, created: 1, insert_failed: 1, drop: 1 });
    expect(wire.ct.table.count).toBe(1);
  });

  test('whichever is let go first makes the flow', () => {
    const wire = new Wire();
    const first = wire.track(udp(1));
    const second = wire.track(udp(1, true));
    wire.ct.confirm(second);
    wire.ct.confirm(first);
    expect(wire.flows()).toMatchObject([{ original: { src: '10.1.0.1', sport: 53 } }]);
  });

  test('two pings in both directions are two flows', () => {
    const wire = new Wire();
    const first = wire.track(icmpPacket({ ...A, type: 8, id: 7 }));
    const second = wire.track(icmpPacket({ ...B, type: 8, id: 7 }));
    expect(wire.ct.confirm(first) && wire.ct.confirm(second)).toBe(true);
    expect(wire.flows()).toHaveLength(2);
  });

  test.each([
    ['joined whatever the other flow is like', 0, true],
    ['not joined by one that is answered otherwise, once NAT has looked at it', IPS_SRC_NAT_DONE, false],
  ])('a flow is %s', (_name, status, passes) => {
    const wire = new Wire();
    const first = wire.track(udp(1));
    const second = wire.track(udp(1));
    const { words } = wire.ct.table;
    words[first.flow * ROW_WORDS + F_STATUS]! |= status;
    words[second.flow * ROW_WORDS + F_RDST] = 0x01010101;
    wire.ct.confirm(first);
    expect(wire.ct.confirm(second)).toBe(passes);
  });

  test('if the first was deleted meanwhile, the second makes a flow of its own', () => {
    const wire = new Wire();
    const first = wire.track(udp(1));
    const second = wire.track(udp(1));
    wire.ct.confirm(first);
    const id = wire.flows()[0]!.flowId;
    wire.ct.delete(first.flow);
    expect(wire.ct.confirm(second)).toBe(true);
    expect(wire.flows()).toHaveLength(1);
    expect(wire.flows()[0]!.flowId).not.toBe(id);
  });

  test('a flow whose reply tuple is taken cannot enter, though its original is free', () => {
    const wire = new Wire();
    const first = wire.track(tcp(1, TH_SYN));
    const other = wire.track(tcp(2, TH_SYN));
    // As NAT would: both flows would be answered alike.
    const { words } = wire.ct.table;
    for (let word = 3; word < 6; word++)
      words[other.flow * ROW_WORDS + word] = words[first.flow * ROW_WORDS + word]!;
    expect(wire.ct.confirm(first)).toBe(true);
    expect(wire.ct.confirm(other)).toBe(false);
    expect(wire.flows()).toHaveLength(1);
  });
});
