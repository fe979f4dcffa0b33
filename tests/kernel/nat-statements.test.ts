/** Every way in which the languages can say a translation: bytes, flows, logs and counters as in the kernel. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keepResults } from '../features/record.ts';
import { compareNat, natReport } from './nat-compare.ts';
import { natTable, natXt } from './nat-say.ts';
import { EngineRules } from './rules-engine.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import { say } from './rules-say.ts';
import type { Source } from './rules-types.ts';

const PACKETS = `
  - tcp syn outside 1024 > host 80 from=eth0
  - tcp syn outside2 1025 > host 80 from=eth0
  - tcp syn near 1026 > host 443 from=eth0
  - tcp syn near 1027 > host2 80 from=eth0
  - udp outside 1028 > host 53 from=eth0
  - tcp syn inside 1029 > outside 80
  - udp inside2 1030 > outside 53
  - tcp syn host 1031 > outside 80
  - tcp syn outside6 1032 > host6 80 from=eth0
  - udp inside6 1033 > outside6 53
  - udp outside6 53 > 2001:db8:9::6 1024 from=eth0`;

const to = (rule: string, more = ''): Source[] => natTable('ip', { pre: rule, out: rule }, more);
const from = (rule: string, more = ''): Source[] => natTable('ip', { post: rule }, more);

const CASES: readonly (readonly [string, Source[]])[] = [
  ['numgen', to('tcp dport 80 dnat to numgen inc mod 2 map { 0 : 192.168.1.5, 1 : 192.168.1.6 }')],
  [
    'jhash',
    to('tcp dport 80 dnat to jhash ip saddr mod 2 seed 0x1234 map { 0 : 192.168.1.5, 1 : 192.168.1.6 }'),
  ],
  ['a map of ports', to('dnat to tcp dport map { 80 : 192.168.1.5, 443 : 192.168.1.6 }')],
  ['a port alone', to('tcp dport 80 dnat to :8080')],
  ['a source port alone', from('meta l4proto tcp snat to :5000-5000')],
  [
    'a map of addresses and ports',
    to(
      'dnat to ip saddr . tcp dport map { 198.51.100.7 . 80 : 192.168.1.5 . 8080, 198.51.100.8 . 80 : 192.168.1.6 . 8081 }',
    ),
  ],
  [
    'a map to ranges',
    to('dnat to tcp dport map { 80 : 192.168.1.5-192.168.1.6, 443 : 192.168.1.7-192.168.1.7 }'),
  ],
  [
    'a map to ranges of addresses and ports',
    to(
      'dnat to tcp dport map { 80 : 192.168.1.5-192.168.1.6 . 8080-8090, 443 : 192.168.1.7-192.168.1.7 . 22-22 }',
    ),
  ],
  [
    'a named map',
    to(
      'dnat to ip daddr . tcp dport map @m',
      'map m { type ipv4_addr . inet_service : ipv4_addr . inet_service; elements = { 203.0.113.1 . 80 : 192.168.1.5 . 8080 }; }\n',
    ),
  ],
  ['redirect to a range', to('tcp dport 80 redirect to :8000-8010')],
  ['redirect by a map', to('meta l4proto tcp redirect to :tcp dport map { 80 : 8080, 443 : 8443 }')],
  [
    'snat by prefixes',
    from('snat prefix to ip saddr map { 192.168.1.0/24 : 203.0.113.0/24, 10.0.0.0/8 : 11.0.0.0/8 }'),
  ],
  ['dnat by prefixes', to('dnat prefix to ip daddr map { 203.0.113.0/24 : 192.168.1.0/24 }')],
  ['dnat to a network', to('dnat to 192.168.1.0/24')],
  [
    'chains by verdict map',
    to(
      'tcp dport vmap { 80 : jump a, 443 : goto b }',
      'chain a { meta l4proto tcp dnat to 192.168.1.5:8080; }\nchain b { dnat to 192.168.1.6; }\n',
    ),
  ],
  ['statements before it', to('tcp dport 80 meta mark set 7 counter dnat to 192.168.1.5 comment "x"')],
  ['fib', to('fib daddr type local tcp dport 80 dnat to 192.168.1.5:8080')],
  ['a drop in a chain of type nat', to('tcp dport 80 drop')],
  [
    'a policy of drop there',
    [
      {
        kind: 'nft',
        text: 'table ip t {\nchain c {\ntype nat hook prerouting priority -100; policy drop;\ntcp dport 80 accept\n}\n}\n',
      },
    ],
  ],
  [
    'both families of inet',
    natTable('inet', {
      pre: 'tcp dport 80 dnat ip6 to fd00:1::5\ntcp dport 80 dnat ip to 192.168.1.5',
      post: 'masquerade',
    }),
  ],
  [
    'prefixes of IPv6, both ways',
    natTable('ip6', {
      post: 'snat prefix to ip6 saddr map { fd00:1::/64 : 2001:db8:9::/64 }',
      pre: 'dnat prefix to ip6 daddr map { 2001:db8:9::/64 : fd00:1::/64 }',
    }),
  ],
  [
    'iptables: statistic, ports, addrtype',
    natXt(
      'iptables-legacy',
      [
        '-A PREROUTING -p tcp -m statistic --mode nth --every 2 --packet 0 -j DNAT --to-destination 192.168.1.5:8080',
        '-A PREROUTING -p tcp -j DNAT --to-destination 192.168.1.6:8081-8081',
        '-A POSTROUTING -p tcp -j MASQUERADE --to-ports 40000-40000',
        '-A OUTPUT -m addrtype --dst-type LOCAL -j DNAT --to-destination 127.0.0.1',
      ].join('\n'),
    ),
  ],
];

describe.skipIf(!rulesUsable())('a translation said by', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open();
  });
  afterAll(() => kernel.close());
  afterAll(() => keepResults('nat-statements'));

  test.each(CASES)('%s is what the kernel makes of it', async (_name, sources) => {
    const rules = new EngineRules();
    expect(sources.flatMap((source) => rules.load(source).map(String))).toEqual([]);
    const nat = { sources, packets: say(PACKETS).map(({ packet }) => packet) };
    await kernel.reset();
    const found = await compareNat(kernel, nat);
    expect(found.length === 0 ? '' : natReport(nat, found)).toBe('');
  });
});
