import { describe, expect, test } from 'vitest';
import { R_HOP_LIMIT, R_NO_ROUTE, R_OTHER_HOST } from '../base/reason.ts';
import { defaultHost, HostModel } from '../host/model.ts';
import { parseAddress } from '../packet/address.ts';
import { icmpErrorPacket, tcpPacket, udpPacket } from '../packet/build.ts';
import { viewOf } from '../packet/build-bytes.ts';
import { fragmentIpv4 } from '../packet/build-fragment.ts';
import { ethernetFrame } from '../packet/build-link.ts';
import { DLT_EN10MB } from '../packet/link.ts';
import { IP_CT_RELATED_REPLY, IP_CT_UNTRACKED, Packet, resetPacket } from '../packet/packet.ts';
import { writable } from '../packet/rewrite.ts';
import { TH_ACK, TH_PUSH, TH_SYN } from '../packet/tcp.ts';
import { UnknownExpr } from '../rules/expr.ts';
import { RejectExpr } from '../rules/expr-reject.ts';
import { VerdictExpr } from '../rules/expr-verdict.ts';
import {
  NF_INET_FORWARD,
  NF_INET_LOCAL_IN,
  NF_INET_LOCAL_OUT,
  NF_INET_POST_ROUTING,
  NF_INET_PRE_ROUTING,
  NF_INGRESS,
  NFPROTO_INET,
  NFPROTO_IPV4,
  NFPROTO_IPV6,
  NFPROTO_NETDEV,
} from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_DROP, NF_QUEUE } from '../rules/verdict.ts';
import { Firewall } from './firewall.ts';
import { ruleNumber } from './outcome.ts';
import { Bench, type ChainSpec, call, gateway, table, when } from './testing.mts';

const inside = { src: '10.0.0.5', dst: '198.51.100.7', sport: 1000, dport: 53 };
const outside = { src: '198.51.100.7', dst: '10.0.0.5', sport: 53, dport: 1000 };
const DROP = new VerdictExpr(NF_DROP);
const RESET = new RejectExpr(1, 0);
const REJECT = new RejectExpr(2, 1);
const ALL = [
  NF_INET_PRE_ROUTING,
  NF_INET_LOCAL_IN,
  NF_INET_FORWARD,
  NF_INET_LOCAL_OUT,
  NF_INET_POST_ROUTING,
] as const;
const NAMES = ['prerouting', 'input', 'forward', 'output', 'postrouting'];

function addressBytes(address: string): number[] {
  return parseAddress(address)!.flatMap((word) => [24, 16, 8, 0].map((shift) => (word >>> shift) & 255));
}

/** Chains at all hooks that note them, with the packet's devices. */
function noting(notes: string[]): ChainSpec[] {
  return ALL.map((hook) => ({
    hook,
    rules: [[call(({ pkt }) => void notes.push(`${NAMES[hook]} ${pkt.ifin}>${pkt.ifout}`))]],
  }));
}

describe('the way of a packet', () => {
  test.each([
    ['through', inside, ['prerouting 3>0', 'forward 3>2', 'postrouting 3>2']],
    ['to this host', { ...inside, dst: '203.0.113.1' }, ['prerouting 3>0', 'input 3>0']],
    ['to its broadcast address', { ...inside, dst: '10.0.0.255' }, ['prerouting 3>0', 'input 3>0']],
    ['to all hosts', { ...inside, dst: '224.0.0.1' }, ['prerouting 3>0', 'input 3>0']],
    ['from this host', { ...inside, src: '203.0.113.1' }, ['output 0>2', 'postrouting 0>2']],
    [
      'from this host to itself',
      { ...inside, src: '203.0.113.1', dst: '10.0.0.1' },
      ['output 0>1', 'postrouting 0>1', 'prerouting 1>0', 'input 1>0'],
    ],
    [
      'over IPv6',
      { ...inside, src: 'fd00::5', dst: '2001:db8:9::1' },
      ['prerouting 3>0', 'forward 3>2', 'postrouting 3>2'],
    ],
    [
      'to this host over IPv6',
      { ...inside, src: 'fd00::5', dst: '2001:db8::1' },
      ['prerouting 3>0', 'input 3>0'],
    ],
  ])('%s', (_name, ends, way) => {
    const notes: string[] = [];
    const bench = new Bench([table(NFPROTO_INET, noting(notes))]);
    expect(bench.send(udpPacket(ends))).toBe('accept');
    expect(notes).toEqual(way);
  });

  test('is the same when the caller says by which device it came, even from an address of this host', () => {
    const notes: string[] = [];
    const host = gateway();
    host.acceptLocal = true;
    const bench = new Bench([table(NFPROTO_INET, noting(notes))], host);
    bench.send(udpPacket({ ...inside, src: '203.0.113.1' }), 2);
    expect(notes).toEqual(['prerouting 2>0', 'forward 2>2', 'postrouting 2>2']);
  });

  test('by default leads from eth0 to eth1, whatever the addresses are', () => {
    const notes: string[] = [];
    const firewall = new Firewall({ rules: [table(NFPROTO_INET, noting(notes))] });
    const pkt = new Packet();
    const frame = ethernetFrame(udpPacket(outside));
    resetPacket(pkt, frame, viewOf(frame), 0, frame.length);
    firewall.receive(pkt, DLT_EN10MB, 5);
    expect(firewall.outcome.verdict).toBe('accept');
    expect(notes).toEqual(['prerouting 2>0', 'forward 2>3', 'postrouting 2>3']);
    expect([firewall.outcome.ifin, firewall.outcome.ifout]).toEqual([2, 3]);
  });

  test('ends before the rules for a frame to another machine', () => {
    const host = new HostModel();
    host.addDevice('eth0', { mac: Uint8Array.of(2, 0, 0, 0, 0, 9) });
    const firewall = new Firewall({ host });
    const pkt = new Packet();
    const frame = ethernetFrame(udpPacket(outside));
    resetPacket(pkt, frame, viewOf(frame), 0, frame.length);
    firewall.receive(pkt, DLT_EN10MB, 5);
    expect([firewall.outcome.verdict, pkt.reason]).toEqual(['none', R_OTHER_HOST]);
  });

  test('ends in routing where there is no route, and the sender is told', () => {
    const host = new HostModel();
    host.addAddress('eth0', { family: 2, words: [0x0a000001], length: 24 });
    const bench = new Bench([], host);
    expect(bench.send(udpPacket(inside))).toBe('drop');
    expect(bench.pkt.reason).toBe(R_NO_ROUTE);
    const [answer] = bench.firewall.outcome.answers;
    expect([answer?.why, answer?.left, answer?.bytes[20], answer?.bytes[21]]).toEqual(['icmp', true, 3, 0]);
  });

  test('ends where the hop limit is used up, and the sender is told', () => {
    const bench = new Bench([]);
    expect(bench.send(udpPacket({ ...inside, ip: { ttl: 1 } }))).toBe('drop');
    expect(bench.pkt.reason).toBe(R_HOP_LIMIT);
    expect(bench.firewall.outcome.answers[0]?.bytes[20]).toBe(11);
    expect(bench.firewall.conntrack.table.count).toBe(0);
  });
});

describe('a packet that is forwarded', () => {
  test('has one hop less from FORWARD on, and its capture is as it was', () => {
    const ttls: number[] = [];
    const look = call(({ pkt }) => void ttls.push(pkt.view.getUint8(pkt.off + 8)));
    const specs = ALL.map((hook) => ({ hook, rules: [[look]] }));
    const bench = new Bench([table(NFPROTO_INET, specs)]);
    const bytes = udpPacket(inside);
    const before = bytes.slice();
    bench.send(bytes);
    expect(ttls).toEqual([64, 63, 63]);
    expect(bytes).toEqual(before);
    expect(bench.firewall.outcome.out).toEqual([udpPacket({ ...inside, ip: { ttl: 63 } })]);
  });

  test('leaves as a rule changed it, and its capture is as it was', () => {
    const change = call(({ pkt }) => {
      writable(pkt);
      pkt.view.setUint8(pkt.l4 + 9, 0x58);
    });
    const bench = new Bench([table(NFPROTO_INET, [{ hook: NF_INET_FORWARD, rules: [[change]] }])]);
    const bytes = udpPacket({ ...inside, payload: 'abc' });
    const before = bytes.slice();
    bench.send(bytes);
    expect(bytes).toEqual(before);
    const [out] = bench.firewall.outcome.out;
    expect(out?.slice(-3)).toEqual(Uint8Array.of(0x61, 0x58, 0x63));
    expect(out?.[8]).toBe(63);
  });
});

describe('chains', () => {
  test('are called by priority, and of several with the same the last one first', () => {
    const order: string[] = [];
    const at = (priority: number, name: string): ChainSpec => ({
      hook: NF_INET_FORWARD,
      priority,
      rules: [[call(() => void order.push(name))]],
    });
    const first = table(NFPROTO_INET, [at(0, 'a'), at(10, 'late'), at(0, 'b')]);
    const second = table(NFPROTO_IPV4, [at(0, 'c'), at(-150, 'early')]);
    new Bench([first, second]).send(udpPacket(inside));
    expect(order).toEqual(['early', 'c', 'b', 'a', 'late']);
  });

  test('of another family or device do not see the packet', () => {
    const seen: string[] = [];
    const note = (name: string) => [[call(() => void seen.push(name))]];
    const bench = new Bench([
      table(NFPROTO_IPV6, [{ hook: NF_INET_FORWARD, rules: note('ip6') }]),
      table(NFPROTO_NETDEV, [
        { hook: NF_INGRESS, devices: ['eth0'], rules: note('ingress eth0') },
        { hook: NF_INGRESS, devices: ['eth1'], rules: note('ingress eth1') },
      ]),
    ]);
    bench.send(udpPacket(inside));
    expect(seen).toEqual(['ingress eth1']);
  });

  test('before tracking see no state, and can keep a packet from being tracked', () => {
    const seen: number[] = [];
    const bench = new Bench([
      table(NFPROTO_INET, [
        {
          hook: NF_INET_PRE_ROUTING,
          priority: -300,
          rules: [
            [
              call(({ pkt }) => {
                seen.push(pkt.flow);
                pkt.ctinfo = IP_CT_UNTRACKED;
              }),
            ],
          ],
        },
      ]),
    ]);
    bench.send(udpPacket(inside));
    expect(seen).toEqual([0]);
    expect(bench.firewall.conntrack.table.count).toBe(0);
  });

  test('of type nat see the first packet of a flow only, at their place among the others', () => {
    const seen: string[] = [];
    const nat = (priority: number, name: string): ChainSpec => ({
      hook: NF_INET_PRE_ROUTING,
      type: 'nat',
      priority,
      rules: [[call(() => void seen.push(name))]],
    });
    const filter = {
      hook: NF_INET_PRE_ROUTING,
      priority: -95,
      rules: [[call(() => void seen.push('filter'))]],
    };
    const bench = new Bench([table(NFPROTO_INET, [nat(-90, 'nat-90'), nat(-110, 'nat-110'), filter])]);
    bench.send(udpPacket(inside));
    bench.send(udpPacket(inside));
    bench.send(udpPacket(outside), 2);
    expect(seen).toEqual(['nat-110', 'nat-90', 'filter', 'filter', 'filter']);
  });
});

describe('a verdict', () => {
  test('names the hook, the chain and the rule that gave it', () => {
    const never = when(() => false);
    const bench = new Bench([
      table(NFPROTO_INET, [{ hook: NF_INET_FORWARD, rules: [[never, DROP], [DROP]] }]),
    ]);
    expect(bench.send(udpPacket(inside))).toBe('drop');
    const { hook, chain, rule } = bench.firewall.outcome;
    expect([hook, chain?.name, ruleNumber(chain, rule)]).toEqual([NF_INET_FORWARD, 'c0', 2]);
  });

  test('of a policy names no rule', () => {
    const bench = new Bench([table(NFPROTO_INET, [{ hook: NF_INET_LOCAL_IN, policy: NF_DROP }])]);
    expect(bench.send(udpPacket({ ...inside, dst: '10.0.0.1' }))).toBe('drop');
    expect([bench.firewall.outcome.chain?.name, bench.firewall.outcome.rule]).toEqual(['c0', null]);
  });

  test('drop leaves no flow behind, accept does', () => {
    const drops = new Bench([table(NFPROTO_INET, [{ hook: NF_INET_POST_ROUTING, rules: [[DROP]] }])]);
    drops.send(udpPacket(inside));
    expect(drops.firewall.conntrack.table.count).toBe(0);
    const passes = new Bench([]);
    passes.send(udpPacket(inside));
    expect(passes.firewall.conntrack.table.count).toBe(1);
  });

  test('unknown says why, and the packet counts as passed on for tracking', () => {
    const bench = new Bench([
      table(NFPROTO_INET, [{ hook: NF_INET_FORWARD, rules: [[new UnknownExpr('no eBPF here')], [DROP]] }]),
    ]);
    expect(bench.send(udpPacket(inside))).toBe('unknown');
    expect(bench.firewall.outcome.unknown).toContain('no eBPF here');
    expect(bench.firewall.conntrack.table.count).toBe(1);
  });

  test('queue has its number', () => {
    const bench = new Bench([
      table(NFPROTO_INET, [{ hook: NF_INET_FORWARD, rules: [[call(() => NF_QUEUE | (7 << 16))]] }]),
    ]);
    expect(bench.send(udpPacket(inside))).toBe('queue');
    expect(bench.firewall.outcome.queue).toBe(7);
  });
});

describe('an answer', () => {
  test('comes through OUTPUT and POSTROUTING as RELATED, and the rejected flow is gone', () => {
    const seen: HookState['pkt']['ctinfo'][] = [];
    const note = [[call(({ pkt }) => void seen.push(pkt.ctinfo))]];
    const bench = new Bench([
      table(NFPROTO_INET, [
        { hook: NF_INET_FORWARD, rules: [[REJECT]] },
        { hook: NF_INET_LOCAL_OUT, rules: note },
        { hook: NF_INET_POST_ROUTING, rules: note },
      ]),
    ]);
    expect(bench.send(udpPacket(inside))).toBe('reject');
    expect(seen).toEqual([IP_CT_RELATED_REPLY, IP_CT_RELATED_REPLY]);
    expect(bench.firewall.outcome.answers).toMatchObject([{ why: 'reject', left: true }]);
    expect(bench.firewall.conntrack.table.count).toBe(0);
  });

  test.each([
    ['192.0.2.1', inside, 12, 16],
    ['2001:db8::1', { ...inside, src: 'fd00::5', dst: 'fd01::7' }, 8, 24],
  ])(
    'of a machine whose addresses are not known comes from one for documentation, %s',
    (address, from, at, end) => {
      const rejects = table(NFPROTO_INET, [{ hook: NF_INET_FORWARD, rules: [[REJECT]] }]);
      const bench = new Bench([rejects], defaultHost());
      expect(bench.send(udpPacket(from))).toBe('reject');
      const [answer] = bench.firewall.outcome.answers;
      expect([...answer!.bytes.subarray(at, end)]).toEqual(addressBytes(address));
    },
  );

  test('does not leave if OUTPUT drops it', () => {
    const bench = new Bench([
      table(NFPROTO_INET, [
        { hook: NF_INET_FORWARD, rules: [[REJECT]] },
        { hook: NF_INET_LOCAL_OUT, policy: NF_DROP },
      ]),
    ]);
    expect(bench.send(udpPacket(inside))).toBe('reject');
    expect(bench.firewall.outcome.answers).toMatchObject([{ left: false }]);
    expect(bench.firewall.outcome.hook).toBe(NF_INET_FORWARD);
  });

  test('that is not sent leaves a drop: there is none to an ICMP error', () => {
    const bench = new Bench([table(NFPROTO_INET, [{ hook: NF_INET_FORWARD, rules: [[REJECT]] }])]);
    const error = icmpErrorPacket({
      src: '10.0.0.5',
      dst: '198.51.100.7',
      type: 3,
      quoted: udpPacket(outside),
    });
    expect(bench.send(error)).toBe('drop');
  });

  // Measured: conntrack -L shows CLOSE with 10 s after `reject with tcp reset` hit an ESTABLISHED flow.
  test('that is a reset closes the flow', () => {
    const bench = new Bench([
      table(NFPROTO_INET, [
        {
          hook: NF_INET_FORWARD,
          rules: [[when(({ pkt }) => (pkt.view.getUint8(pkt.l4 + 13) & TH_PUSH) !== 0), RESET]],
        },
      ]),
    ]);
    const there = { ...inside, dport: 80 };
    const back = { ...outside, sport: 80 };
    bench.send(tcpPacket({ ...there, flags: TH_SYN, seq: 1 }));
    bench.send(tcpPacket({ ...back, flags: TH_SYN | TH_ACK, seq: 100, ack: 2 }), 2);
    bench.send(tcpPacket({ ...there, flags: TH_ACK, seq: 2, ack: 101 }));
    expect(bench.send(tcpPacket({ ...there, flags: TH_ACK | TH_PUSH, seq: 2, ack: 101, payload: 5 }))).toBe(
      'reject',
    );
    const { conntrack } = bench.firewall;
    const flows: [string | null, number][] = [];
    conntrack.eachFlow((flow) =>
      flows.push([conntrack.tracker(6).state(conntrack, flow), conntrack.left(flow)]),
    );
    expect(flows).toEqual([['CLOSE', 10_000]]);
  });
});

describe('what leaves', () => {
  // As Linux 6.18 sent it on: tests/kernel/pipeline.test.ts compares it with the kernel.
  test('is cut into fragments again as it came, whatever their order was', () => {
    const bench = new Bench([]);
    const datagram = udpPacket({ ...outside, payload: 2000, ip: { id: 77, ttl: 64 } });
    const pieces = fragmentIpv4(datagram, [800, 800]);
    const verdicts = [...pieces].reverse().map((piece) => bench.send(piece, 2));
    expect(verdicts).toEqual(['stolen', 'stolen', 'accept']);
    const forwarded = udpPacket({ ...outside, payload: 2000, ip: { id: 77, ttl: 63 } });
    expect(bench.firewall.outcome.out).toEqual(fragmentIpv4(forwarded, [800, 800]));
  });

  test('has this host in its route record', () => {
    const bench = new Bench([]);
    const options = Uint8Array.of(7, 7, 4, 0, 0, 0, 0);
    bench.send(udpPacket({ ...inside, ip: { options } }));
    const recorded = Uint8Array.of(7, 7, 8, 203, 0, 113, 1);
    expect(bench.firewall.outcome.out).toEqual([
      udpPacket({ ...inside, ip: { options: recorded, ttl: 63 } }),
    ]);
  });
});
