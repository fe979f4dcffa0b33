import { describe, expect, test } from 'vitest';
import { udpPacket } from '../packet/build.ts';
import { concat, viewOf } from '../packet/build-bytes.ts';
import { dissect } from '../packet/dissect.ts';
import { enterLink } from '../packet/link.ts';
import { Packet, resetPacket } from '../packet/packet.ts';
import { Chain, Rule, type RuleTable } from '../rules/chain.ts';
import type { Expr } from '../rules/expr.ts';
import { LogExpr } from '../rules/expr-log.ts';
import { VerdictExpr } from '../rules/expr-verdict.ts';
import { NF_INET_FORWARD, NFPROTO_IPV4 } from '../rules/family.ts';
import { NF_ACCEPT, NF_DROP, NFT_GOTO, NFT_JUMP, NFT_RETURN } from '../rules/verdict.ts';
import { Bench, call, gateway, table, when } from './testing.mts';
import { TraceLines } from './trace-lines.ts';
import { tracePacket } from './trace-packet.ts';

const LINK = Uint8Array.of(2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9);
const FRONT = 'iif "eth0" ether saddr 02:00:00:00:00:09 ether daddr 02:00:00:00:00:01 ';

/** As `nft monitor trace` of nftables 1.0.6 printed them on Linux 6.18, behind {@link FRONT}. */
const CAPTURED: readonly (readonly [name: string, family: string, packet: string, text: string])[] = [
  [
    'tcp80',
    'inet',
    '45b90028004d4000400625c00a0000050a01000503e8005000000007000000005002faf09ca80000',
    'ip saddr 10.0.0.5 ip daddr 10.1.0.5 ip dscp ef ip ecn ect1 ip ttl 64 ip id 77 ip protocol tcp ip length 40 tcp sport 1000 tcp dport 80 tcp flags == syn tcp window 64240 ',
  ],
  [
    'tcp80',
    'ip',
    '45b90028004d4000400625c00a0000050a01000503e8005000000007000000005002faf09ca80000',
    'ip saddr 10.0.0.5 ip daddr 10.1.0.5 ip dscp ef ip ecn ect1 ip ttl 64 ip id 77 ip length 40 tcp sport 1000 tcp dport 80 tcp flags == syn tcp window 64240 ',
  ],
  [
    'udp55',
    'inet',
    '4500003a00000000401166a90a0000050a01000503e800370026e14e68656c6c6f20776f726c6420616e64207468656e20736f6d65206d6f7265',
    'ip saddr 10.0.0.5 ip daddr 10.1.0.5 ip dscp cs0 ip ecn not-ect ip ttl 64 ip id 0 ip protocol udp ip length 58 udp sport 1000 udp dport 55 udp length 38 @th,64,96 0x68656c6c6f20776f726c6420 ',
  ],
  [
    'icmp echo',
    'inet',
    '4500002000000000400166d30a0000050a010005080033360001000261626364',
    'ip saddr 10.0.0.5 ip daddr 10.1.0.5 ip dscp cs0 ip ecn not-ect ip ttl 64 ip id 0 ip protocol icmp ip length 32 icmp type echo-request icmp code net-unreachable icmp id 1 icmp sequence 2 @th,64,32 0x61626364 ',
  ],
  [
    'icmp echo',
    'ip',
    '4500002000000000400166d30a0000050a010005080033360001000261626364',
    'ip saddr 10.0.0.5 ip daddr 10.1.0.5 ip dscp cs0 ip ecn not-ect ip ttl 64 ip id 0 ip length 32 icmp type echo-request icmp code net-unreachable icmp id 1 icmp sequence 2 @th,64,32 0x61626364 ',
  ],
  [
    'icmp err',
    'inet',
    '4500003800000000400166bb0a0000050a01000503040ba8000005784500001c00000000401166c70a0000050a010005000100020008ebd0',
    'ip saddr 10.0.0.5 ip daddr 10.1.0.5 ip dscp cs0 ip ecn not-ect ip ttl 64 ip id 0 ip protocol icmp ip length 56 icmp type destination-unreachable icmp code frag-needed icmp id 0 icmp sequence 1400 @th,64,96 0x4500001c00000000401166c7 ',
  ],
  [
    'proto99',
    'inet',
    '4500001c00000000406366750a0000050a0100056162636465666768',
    'ip saddr 10.0.0.5 ip daddr 10.1.0.5 ip dscp cs0 ip ecn not-ect ip ttl 64 ip id 0 ip protocol 99 ip length 28 @th,0,64 0x6162636465666768 ',
  ],
  [
    'proto99',
    'ip',
    '4500001c00000000406366750a0000050a0100056162636465666768',
    'ip saddr 10.0.0.5 ip daddr 10.1.0.5 ip dscp cs0 ip ecn not-ect ip ttl 64 ip id 0 ip protocol 99 ip length 28 @th,0,64 0x6162636465666768 ',
  ],
  [
    'esp',
    'inet',
    '45000024000000004032669e0a0000050a0100056162636465666768696a6b6c6d6e6f70',
    'ip saddr 10.0.0.5 ip daddr 10.1.0.5 ip dscp cs0 ip ecn not-ect ip ttl 64 ip id 0 ip protocol esp ip length 36 esp spi 1633837924 esp sequence 1701209960 @th,64,64 0x696a6b6c6d6e6f70 ',
  ],
  [
    'gre',
    'inet',
    '4500002400000000402f66a10a0000050a0100056162636465666768696a6b6c6d6e6f70',
    'ip saddr 10.0.0.5 ip daddr 10.1.0.5 ip dscp cs0 ip ecn not-ect ip ttl 64 ip id 0 ip protocol gre ip length 36 @th,0,128 0x6162636465666768696a6b6c6d6e6f70 ',
  ],
  [
    'sctp',
    'inet',
    '4500002000000000408466500a0000050a0100050005000600000000286850d9',
    'ip saddr 10.0.0.5 ip daddr 10.1.0.5 ip dscp cs0 ip ecn not-ect ip ttl 64 ip id 0 ip protocol sctp ip length 32 sctp sport 5 sctp dport 6 sctp vtag 0 ',
  ],
  [
    'dccp',
    'inet',
    '4500002400000000402166af0a0000050a010005000102030405060708090a0b0c0d0e0f',
    'ip saddr 10.0.0.5 ip daddr 10.1.0.5 ip dscp cs0 ip ecn not-ect ip ttl 64 ip id 0 ip protocol dccp ip length 36 dccp sport 1 dccp dport 515 @th,32,96 0x405060708090a0b0c0d0e0f ',
  ],
  [
    'ah',
    'inet',
    '45000034000000004033668d0a0000050a010005000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    'ip saddr 10.0.0.5 ip daddr 10.1.0.5 ip dscp cs0 ip ecn not-ect ip ttl 64 ip id 0 ip protocol ah ip length 52 ah spi 67438087 ah hdrlength 1 ah nexthdr ip @th,96,64 0xc0d0e0f10111213 ',
  ],
  [
    'udplite',
    'inet',
    '4500001c00000000408866500a0000050a010005000500060000eb59',
    'ip saddr 10.0.0.5 ip daddr 10.1.0.5 ip dscp cs0 ip ecn not-ect ip ttl 64 ip id 0 ip protocol udplite ip length 28 udplite sport 5 udplite dport 6 udplite csumcov 0 udplite checksum 60249 ',
  ],
  [
    'tcp6',
    'inet',
    '6b9123450014064020010db800010000000000000000000520010db800020000000000000000000503e8005000000000000000005018faf055250000',
    'ip6 saddr 2001:db8:1::5 ip6 daddr 2001:db8:2::5 ip6 dscp ef ip6 ecn ect1 ip6 hoplimit 64 ip6 flowlabel 74565 ip6 nexthdr tcp ip6 length 20 tcp sport 1000 tcp dport 80 tcp flags == 0x18 tcp window 64240 ',
  ],
  [
    'icmp6',
    'inet',
    '6000000000083a4020010db800010000000000000000000520010db80002000000000000000000058000243b00010002',
    'ip6 saddr 2001:db8:1::5 ip6 daddr 2001:db8:2::5 ip6 dscp cs0 ip6 ecn not-ect ip6 hoplimit 64 ip6 flowlabel 0 ip6 nexthdr ipv6-icmp ip6 length 8 icmpv6 type echo-request icmpv6 code no-route icmpv6 parameter-problem 65538 ',
  ],
  [
    'icmp6 ns',
    'inet',
    '6000000000183aff20010db800010000000000000000000520010db800020000000000000000000587001d2e0000000000000000000000000000000000000000',
    'ip6 saddr 2001:db8:1::5 ip6 daddr 2001:db8:2::5 ip6 dscp cs0 ip6 ecn not-ect ip6 hoplimit 255 ip6 flowlabel 0 ip6 nexthdr ipv6-icmp ip6 length 24 icmpv6 type nd-neighbor-solicit icmpv6 code no-route icmpv6 parameter-problem 0 @th,64,96 0x0 ',
  ],
  [
    'ext6',
    'inet',
    '6000000000103c4020010db800010000000000000000000520010db80002000000000000000000051100010400000000000100020008a45c',
    'ip6 saddr 2001:db8:1::5 ip6 daddr 2001:db8:2::5 ip6 dscp cs0 ip6 ecn not-ect ip6 hoplimit 64 ip6 flowlabel 0 ip6 nexthdr ipv6-opts ip6 length 16 @th,0,64 0x100020008a45c ',
  ],
  [
    'in',
    'inet',
    '4500002800000000400666cb0a0000050a00000103e8001600000000000000005002faf09cee0000',
    'ip saddr 10.0.0.5 ip daddr 10.0.0.1 ip dscp cs0 ip ecn not-ect ip ttl 64 ip id 0 ip protocol tcp ip length 40 tcp sport 1000 tcp dport 22 tcp flags == syn tcp window 64240 ',
  ],
  [
    'opt',
    'inet',
    '4600002000000000401163c10a0000050a01000501010101000100020008ebd0',
    'ip saddr 10.0.0.5 ip daddr 10.1.0.5 ip dscp cs0 ip ecn not-ect ip ttl 64 ip id 0 ip protocol udp ip length 32 @nh,160,32 0x1010101 udp sport 1 udp dport 2 udp length 8 ',
  ],
];

describe('the line about a traced packet', () => {
  test.each(CAPTURED)('%s in a table of family %s', (_name, family, packet, text) => {
    const bytes = Uint8Array.from(Buffer.from(packet, 'hex'));
    const type = bytes[0]! >> 4 === 4 ? [8, 0] : [0x86, 0xdd];
    const frame = concat(LINK, Uint8Array.from(type), bytes);
    const pkt = new Packet();
    resetPacket(pkt, frame, viewOf(frame), 0, frame.length);
    expect(enterLink(pkt, 1) && dissect(pkt)).toBe(true);
    pkt.mac = 0;
    pkt.ifin = 2;
    expect(tracePacket(gateway(), pkt, family)).toBe(FRONT + text);
  });
});

const SET_TRACE = call(({ pkt }) => {
  pkt.nftrace = 1;
});

function setMark(mark: number): Expr {
  return call(({ pkt }) => {
    pkt.mark = mark;
  });
}

/** A rule of a text. */
function rule(text: string, ...exprs: Expr[]): Rule {
  return new Rule(exprs, null, [{ first: 0, text }]);
}

describe('lines about the way of a traced packet', () => {
  const packet = udpPacket({ src: '10.0.0.5', dst: '198.51.100.7', sport: 1000, dport: 6 });

  // As captured from nft monitor trace: a rule that sets nftrace counts, a chain's end does not.
  test('are those of nft monitor trace for nf_tables', () => {
    const chains = new Map<string, Chain>();
    const filter: RuleTable = { family: NFPROTO_IPV4, name: 'fw', backend: 'nft', chains };
    const base = {
      type: 'filter' as const,
      hook: NF_INET_FORWARD,
      priority: 0,
      policy: NF_DROP,
      devices: [],
    };
    const forward = new Chain(filter, 'forward', base);
    const sub = new Chain(filter, 'sub', null);
    chains.set('forward', forward).set('sub', sub);
    sub.rules = [
      rule(
        'counter packets 0 bytes 0',
        call(() => null),
      ),
    ];
    forward.rules = [
      rule('meta nftrace set 1', SET_TRACE),
      rule(
        'tcp dport 5 accept',
        when(() => false),
        new VerdictExpr(NF_ACCEPT),
      ),
      rule('jump sub', new VerdictExpr(NFT_JUMP, sub)),
      rule('meta mark set 0x00000005', setMark(5)),
    ];
    const lines: string[] = [];
    const bench = new Bench([filter]);
    bench.firewall.tracer = new TraceLines(bench.firewall.host, {
      nft: (line) => lines.push(line.replace(/^trace id [0-9a-f]{8} /, '')),
      log: (line) => lines.push(line),
    });
    bench.send(packet);
    const fields =
      'iif "eth1" oif "eth0" ip saddr 10.0.0.5 ip daddr 198.51.100.7 ip dscp cs0 ip ecn not-ect ip ttl 63 ip id 0 ';
    expect(lines).toEqual([
      `ip fw forward packet: ${fields}ip length 28 udp sport 1000 udp dport 6 udp length 8 `,
      'ip fw forward rule meta nftrace set 1 (verdict continue)',
      'ip fw forward rule jump sub (verdict jump sub)',
      'ip fw sub rule counter packets 0 bytes 0 (verdict continue)',
      'ip fw forward rule meta mark set 0x00000005 (verdict continue)',
      'ip fw forward policy drop meta mark 0x00000005 ',
    ]);
  });

  // As captured from the kernel's log for the same rules with iptables-legacy.
  test('are those of TRACE for legacy tables', () => {
    const raw = table(NFPROTO_IPV4, [{ hook: 0, priority: -300, rules: [[SET_TRACE]] }], 'legacy');
    const chains = new Map<string, Chain>();
    const filter: RuleTable = { family: NFPROTO_IPV4, name: 'filter', backend: 'legacy', chains };
    const base = {
      type: 'filter' as const,
      hook: NF_INET_FORWARD,
      priority: 0,
      policy: NF_DROP,
      devices: [],
    };
    const forward = new Chain(filter, 'FORWARD', base);
    const [u, v, w] = ['u', 'v', 'w'].map((name) => new Chain(filter, name, null));
    chains.set('FORWARD', forward).set('u', u!).set('v', v!).set('w', w!);
    const no = when(() => false);
    const yes = when(() => true);
    forward.rules = [
      rule('', no, new VerdictExpr(NF_DROP)),
      rule('', new VerdictExpr(NFT_JUMP, u)),
      rule('', new VerdictExpr(NFT_GOTO, w)),
    ];
    u!.rules = [
      rule('', no, new VerdictExpr(NFT_RETURN)),
      rule('', new VerdictExpr(NFT_JUMP, v)),
      rule('', yes, new LogExpr({ prefix: 'L ' })),
    ];
    v!.rules = [rule('', new VerdictExpr(NFT_RETURN)), rule('', new VerdictExpr(NF_ACCEPT))];
    w!.rules = [rule('', yes, setMark(1))];
    const lines: string[] = [];
    const bench = new Bench([raw, filter]);
    bench.firewall.tracer = new TraceLines(bench.firewall.host, {
      nft: (line) => lines.push(line),
      log: (line) => lines.push(line.replace(/ IN=.* LEN=8 /, ' … ')),
    });
    bench.send(packet);
    expect(lines).toEqual([
      'TRACE: t:c0:policy:2 … ',
      'TRACE: filter:FORWARD:rule:2 … ',
      'TRACE: filter:u:rule:2 … ',
      'TRACE: filter:v:return:1 … ',
      'TRACE: filter:u:rule:3 … ',
      'TRACE: filter:u:return:4 … ',
      'TRACE: filter:FORWARD:rule:3 … ',
      'TRACE: filter:w:rule:1 … ',
      'TRACE: filter:w:return:2 … MARK=0x1 ',
      'TRACE: filter:FORWARD:policy:4 … MARK=0x1 ',
    ]);
  });
});
