/** Matches of nft rules. */
import { addresses, fits, l3, type NftScope, negation, ports } from './rules-gen-nft-scope.ts';
import { ALL4, ALL6, HOST4, HOST6, NETS4, NETS6 } from './rules-world.ts';

type Make = (scope: NftScope) => string;

function address(scope: NftScope, side: string): string {
  const v6 = l3(scope);
  return `${v6 ? 'ip6' : 'ip'} ${side} ${negation(scope.dice)}${addresses(scope, v6)}`;
}

function transport(scope: NftScope, side: string, protos: readonly string[]): string {
  const settled = scope.proto ?? scope.dice.pick(protos);
  const proto = ['tcp', 'udp', 'sctp', 'udplite'].includes(settled) ? settled : 'th';
  const value = ports(scope);
  return `${proto} ${side} ${/^[<>lg]/.test(value) ? '' : negation(scope.dice)}${value}`;
}

function protocolName(scope: NftScope): string {
  const { dice } = scope;
  if (scope.has.has('protos') && dice.chance(40)) return '@protos';
  const one = dice.pick(['tcp', 'udp', 'icmp', 'ipv6-icmp', 'sctp', 'gre', 'esp', '47', '255', 'udplite']);
  return dice.chance(75) ? one : `{ ${[...new Set([one, 'tcp', dice.pick(['udp', 'icmp'])])].join(', ')} }`;
}

const ICMP_TYPES: readonly string[] = [
  'echo-request',
  'echo-reply',
  'destination-unreachable',
  '{ echo-request, destination-unreachable, time-exceeded, parameter-problem }',
  'time-exceeded',
  'redirect',
  'timestamp-request',
  'router-advertisement',
  '{ 3, 11, 12 }',
  '8-14',
];
const ICMPV6_TYPES: readonly string[] = [
  'echo-request',
  'echo-reply',
  '{ echo-request, nd-neighbor-solicit, nd-router-advert, nd-neighbor-advert }',
  'destination-unreachable',
  'packet-too-big',
  'time-exceeded',
  'parameter-problem',
  '{ destination-unreachable, packet-too-big, time-exceeded }',
  'nd-router-solicit',
  '128',
  '133-136',
];
const TCP_FLAGS: readonly string[] = [
  'syn',
  '& (fin | syn | rst | ack) == syn',
  '& (fin|syn|rst|psh|ack|urg) == fin | psh | urg',
  '& (syn|fin) == syn|fin',
  '! syn',
  '== syn',
  '!= syn',
  '& (fin|syn|rst|ack) != syn',
  '& (fin|syn|rst|psh|ack|urg|ecn|cwr) == 0x0',
  'syn / fin,syn,rst,ack',
  'fin,rst / fin,rst,ack',
  '{ syn, ack, fin | rst }',
  '& syn != 0',
  'syn,ack',
];

/** By weight, roughly how many of the real rulesets use it. */
const MATCHES: Readonly<Record<string, readonly [number, Make]>> = {
  ctState: [
    60,
    ({ dice }) =>
      `ct state ${dice.pick([
        'established,related',
        '{ established, related }',
        'new',
        'invalid',
        'established',
        'related',
        '!= invalid',
        'untracked',
        'invalid,untracked',
        '!= { new, invalid }',
        'new,invalid',
        '! established',
        'established | related',
        '!= established,related',
      ])}`,
  ],
  dport: [50, (s) => transport(s, 'dport', ['tcp', 'tcp', 'tcp', 'udp', 'udp', 'sctp', 'udplite'])],
  iifname: [
    40,
    (s) =>
      s.hook === 'output' || s.hook === 'postrouting'
        ? address(s, 'saddr')
        : `${s.dice.pick(['iifname', 'meta iifname'])} ${negation(s.dice)}${s.dice.pick(['"eth1"', 'eth0', '"lo"', '{ "eth1", "lo" }', '"eth*"', '"et*"', '"none0"', '{ "eth0", "none*" }', s.has.has('ifaces') ? '@ifaces' : '"eth1"'])}`,
  ],
  saddr: [40, (s) => address(s, 'saddr')],
  daddr: [36, (s) => address(s, 'daddr')],
  iif: [
    30,
    (s) =>
      s.hook === 'output' || s.hook === 'postrouting'
        ? address(s, 'daddr')
        : `iif ${negation(s.dice)}${s.dice.pick(['lo', '"eth1"', 'eth0', '{ lo, eth1 }'])}`,
  ],
  oifname: [
    25,
    (s) =>
      ['input', 'prerouting', 'ingress', 'user'].includes(s.hook)
        ? transport(s, 'dport', ['tcp', 'udp'])
        : `${s.dice.pick(['oifname', 'oif'])} ${negation(s.dice)}${s.dice.pick(['"eth1"', '"eth0"', '"lo"'])}`,
  ],
  protocol: [
    25,
    (s) => {
      if (l3(s)) return `ip6 nexthdr ${negation(s.dice)}${protocolName(s)}`;
      return `ip protocol ${negation(s.dice)}${protocolName(s)}`;
    },
  ],
  icmp: [
    22,
    (s) => (l3(s) ? `icmpv6 type ${s.dice.pick(ICMPV6_TYPES)}` : `icmp type ${s.dice.pick(ICMP_TYPES)}`),
  ],
  l4proto: [20, (s) => `meta l4proto ${negation(s.dice)}${protocolName(s)}`],
  tcpFlags: [12, (s) => `tcp flags ${s.dice.pick(TCP_FLAGS)}`],
  sport: [12, (s) => transport(s, 'sport', ['tcp', 'udp', 'udp'])],
  nfproto: [
    7,
    (s) =>
      s.family === 'inet'
        ? `meta nfproto ${l3(s) ? s.dice.pick(['ipv6', '!= ipv4']) : 'ipv4'}`
        : address(s, 'saddr'),
  ],
  ctStatus: [
    6,
    ({ dice }) =>
      `ct status ${dice.pick(['dnat', 'assured', 'seen-reply', 'confirmed', '!= seen-reply', 'seen-reply,assured', '& seen-reply != 0'])}`,
  ],
  mark: [
    6,
    ({ dice }) =>
      `${dice.pick(['meta mark', 'mark', 'ct mark'])} ${dice.pick(['0x1', '0', '!= 0', '1-5', '{ 1, 5, 7 }', 'and 0x3 == 1', '& 0xff != 0x5', '> 4'])}`,
  ],
  th: [5, (s) => `${s.dice.pick(['meta l4proto { tcp, udp }', 'meta l4proto tcp'])} th dport ${ports(s)}`],
  fib: [
    7,
    (s) =>
      s.hook === 'output' || s.hook === 'postrouting' || s.hook === 'user'
        ? 'fib daddr type local'
        : s.dice.pick([
            'fib daddr type local',
            'fib daddr type { local, broadcast, multicast }',
            'fib daddr type != unicast',
            'fib saddr type local',
            ...(s.hook === 'forward'
              ? []
              : [
                  'fib saddr . iif oif missing',
                  'fib saddr . iif oif exists',
                  'fib saddr . iif oif eth1',
                  'fib daddr . iif type local',
                ]),
            'fib saddr oifname "eth1"',
          ]),
  ],
  pkttype: [
    3,
    ({ dice }) =>
      `${dice.pick(['pkttype', 'meta pkttype'])} ${dice.pick(['broadcast', 'host', '!= host', '{ broadcast, multicast }'])}`,
  ],
  length: [
    3,
    ({ dice }) => `meta length ${dice.pick(['40', '< 60', '40-100', '> 100', '{ 28, 40, 60 }', '!= 40'])}`,
  ],
  ipField: [
    6,
    (s) =>
      l3(s)
        ? s.dice.pick([
            'ip6 hoplimit < 64',
            'ip6 dscp cs1',
            'ip6 dscp { ef, 0x8 }',
            'ip6 flowlabel 5',
            'ip6 length 28',
            'ip6 version 6',
            'ip6 ecn ce',
            'ip6 hoplimit { 63, 64 }',
          ])
        : s.dice.pick([
            'ip ttl < 64',
            'ip dscp cs1',
            'ip dscp { ef, af11 }',
            'ip dscp != cs0',
            'ip ecn ce',
            'ip length 28-60',
            'ip id > 30000',
            'ip frag-off & 0x1fff != 0',
            'ip frag-off & 0x4000 != 0',
            'ip hdrlength 5',
            'ip version 4',
            'ip ttl { 63, 64, 65 }',
          ]),
  ],
  tcpField: [
    4,
    ({ dice }) =>
      `tcp ${dice.pick(['option maxseg size 1460', 'option maxseg size < 1400', 'option sack-perm exists', 'option timestamp exists', 'option timestamp missing', 'option window count 7', 'option timestamp tsval 1', 'window 8192', 'sequence 101', 'ackseq > 400', 'doff 5', 'doff > 5', 'urgptr != 0'])}`,
  ],
  udpField: [
    2,
    ({ dice }) => `udp ${dice.pick(['length 8', 'length > 12', 'checksum 0', 'length { 9, 12, 26 }'])}`,
  ],
  icmpField: [
    3,
    (s) =>
      l3(s)
        ? s.dice.pick([
            'icmpv6 code 0',
            'icmpv6 id 5',
            'icmpv6 sequence 1',
            'icmpv6 mtu 1280',
            'icmpv6 code port-unreachable',
          ])
        : s.dice.pick([
            'icmp code 0',
            'icmp id 5',
            'icmp sequence 1',
            'icmp mtu 1280',
            'icmp code != 0',
            'icmp code { host-unreachable, port-unreachable }',
          ]),
  ],
  extension: [
    3,
    (s) =>
      l3(s)
        ? s.dice.pick([
            'exthdr hbh exists',
            'exthdr dst missing',
            'exthdr frag exists',
            'exthdr rt exists',
            'rt type 0',
            'frag more-fragments 0',
            'hbh nexthdr tcp',
            'rt seg-left 0',
            'dst hdrlength 0',
          ])
        : s.dice.pick([
            'ip option ra exists',
            'ip option rr exists',
            'ip option lsrr missing',
            'ip option ra value 0',
            'ip option rr ptr 4',
          ]),
  ],
  sctp: [
    2,
    ({ dice }) =>
      `sctp ${dice.pick(['chunk init exists', 'chunk data exists', 'chunk data missing', 'vtag 7', 'vtag 0', 'chunk sack exists', 'chunk init type 1', 'chunk abort flags 1'])}`,
  ],
  concat: [
    12,
    (s) => {
      const v6 = l3(s);
      const ip = v6 ? 'ip6' : 'ip';
      const name = [`pairs${v6 ? 6 : 4}`, `boxes${v6 ? 6 : 4}`].filter((n) => s.has.has(n));
      const all = v6 ? ALL6 : ALL4;
      if (name.length > 0) return `${ip} saddr . tcp dport ${negation(s.dice)}@${s.dice.pick(name)}`;
      return s.dice.pick([
        `${ip} saddr . tcp dport { ${s.dice.pick(all)} . 22, ${s.dice.pick(all)} . 80 }`,
        `${ip} daddr . udp dport { ${(v6 ? NETS6 : NETS4)[0]!} . 53-123, ${all[5]!} . 80 }`,
        'meta l4proto . th dport { tcp . 22, udp . 53 }',
        `${ip} saddr . ${ip} daddr { ${s.dice.pick(all)} . ${s.dice.pick(all)} }`,
        `iifname . ${ip} daddr { "eth1" . ${s.dice.pick(all)}, "eth0" . ${s.dice.pick(v6 ? HOST6 : HOST4)} }`,
        'ct state . tcp dport { new . 22, established . 80 }',
      ]);
    },
  ],
  ctKey: [
    6,
    (s) => {
      const v6 = l3(s);
      return s.dice.pick([
        'ct direction original',
        'ct direction reply',
        'ct mark 0',
        'ct mark != 0x5',
        'ct packets > 2',
        'ct original packets 1-3',
        'ct bytes < 200',
        'ct reply bytes 0',
        'ct avgpkt > 60',
        `ct original ${v6 ? 'ip6' : 'ip'} saddr ${s.dice.pick(v6 ? ALL6 : ALL4)}`,
        `ct reply ${v6 ? 'ip6' : 'ip'} saddr ${s.dice.pick(v6 ? NETS6 : NETS4)}`,
        'ct helper "ftp"',
        'ct l3proto ipv4',
        'ct protocol tcp',
        'ct zone 0',
        'ct label 5',
        'ct expiration > 1s',
        'meta l4proto tcp ct original proto-dst 22',
        'meta l4proto udp ct reply proto-src { 53, 123 }',
        'ct expiration < 31s',
      ]);
    },
  ],
  raw: [
    4,
    ({ dice }) =>
      dice.pick([
        '@th,0,16 22',
        '@th,16,16 { 22, 53, 80 }',
        '@nh,8,8 5',
        '@th,24,8 != 80',
        '@nh,12,32 0xc0a80105',
        'meta l4proto tcp @th,107,1 1',
        '@th,4,12 0x35',
        '@nh,64,8 & 0xf0 == 0x40',
        '@ih,0,32 0x47455420',
      ]),
  ],
  bits: [
    4,
    (s) =>
      l3(s)
        ? s.dice.pick([
            'ip6 saddr & ffff:ffff:ffff:ffff:: == fd00:1::',
            'ip6 daddr and ::ff == ::1',
            'ip6 saddr & ::f != ::5',
          ])
        : s.dice.pick([
            'ip saddr & 0.0.0.255 == 0.0.0.5',
            'ip daddr and 255.255.255.0 == 198.51.100.0',
            'ip saddr & 0xff == 5',
            'ip protocol & 0x1 == 1',
            'ip ttl & 0xf0 == 0x40',
          ]),
  ],
  misc: [
    4,
    (s) =>
      s.dice
        .pick([
          ...(['forward', 'output', 'postrouting'].includes(s.hook) ? ['rt mtu > 1000', 'rt classid 0'] : []),
          'meta protocol ip',
          'meta protocol { ip, ip6 }',
          'meta iifgroup default',
          'meta iiftype != loopback',
          'meta priority none',
          'jhash ip saddr mod 4 seed 0xdead 1',
          'jhash ip saddr . ip daddr mod 2 seed 0x5 0',
          'numgen inc mod 3 0',
          'meta length vmap { 0-50 : continue, 51-1500 : accept }',
          ...(s.repeatable
            ? []
            : [
                'meta hour "10:00"-"12:30"',
                'meta day "Saturday"',
                'meta skuid != 5',
                'meta skgid 0',
                'meta cgroup 0',
                'meta cpu 0',
                'ct id 5',
                'symhash mod 2 0',
                'numgen random mod 4 1',
                'meta time > "2024-01-01 00:00:00"',
                'osf name "Linux"',
                'ct original zone 5',
                'meta ipsec exists',
                'rt ipsec missing',
                'ct count over 3',
                'ah spi 5',
                'esp spi 1-5',
                'comp cpi 4',
                'igmp type membership-query',
                'dccp type request',
                'udplite checksum 5',
                'meta iifkind "tun"',
              ]),
        ])
        .replaceAll('ip saddr', l3(s) ? 'ip6 saddr' : 'ip saddr'),
  ],
};

const WEIGHTS = Object.fromEntries(Object.entries(MATCHES).map(([name, [weight]]) => [name, weight]));

/** One match that is valid in the scope. */
export function match(scope: NftScope): string {
  for (;;) {
    const [, make] = MATCHES[scope.dice.weighted(WEIGHTS)]!;
    const { proto = null, v4, v6 } = scope;
    const text = make(scope);
    if (fits({ ...scope, proto }, text)) {
      fits(scope, text);
      return text;
    }
    Object.assign(scope, { proto, v4, v6 });
  }
}
