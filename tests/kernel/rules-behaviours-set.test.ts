/** Sets, concatenations, maps, verdict maps, dynamic sets, and fib. */
import { behaviours, type Scenario } from './rules-scenario.ts';

/** A rule that drops what a set of ranged concatenations holds. */
function concat(name: string, type: string, elements: string, key: string, packets: string): Scenario {
  return {
    name,
    nft: `set s {
        type ${type}
        flags interval
        elements = { ${elements} }
      }
      ---
      ${key} @s drop`,
    packets,
  };
}

const SHAPES: readonly Scenario[] = [
  concat(
    'net . port',
    'ipv4_addr . inet_service',
    '192.168.1.0/25 . 1000-1999, 10.0.0.0-10.1.2.3 . 53',
    'ip saddr . udp dport',
    `
      drop   udp inside 1 > outside 1000
      drop   udp inside 2 > outside 1999
      accept udp inside 3 > outside 2000
      accept udp 192.168.1.128 1 > outside 1000
      drop   udp lan 1 > outside 53
      accept udp 10.1.2.4 1 > outside 53
      accept udp lan 1 > outside 1000`,
  ),
  concat(
    'port . net',
    'inet_service . ipv4_addr',
    '22-23 . 198.51.100.0/29, 0-65535 . 8.8.8.8',
    'tcp dport . ip daddr',
    `
      drop   tcp syn inside 1 > outside 22
      drop   tcp syn inside 1 > outside 23
      accept tcp syn inside 1 > outside 24
      accept tcp syn inside 1 > outside2 22
      drop   tcp syn inside 1 > 8.8.8.8 65535
      accept tcp syn inside 1 > 8.8.8.9 1`,
  ),
  concat(
    'net6 . port',
    'ipv6_addr . inet_service',
    'fd00:1::/64 . 53-54, fd00:2::80-fd00:2::90 . 1-100',
    'ip6 saddr . udp dport',
    `
      drop   udp inside6 1 > outside6 53
      accept udp inside6 1 > outside6 55
      drop   udp net6 1 > outside6 100
      drop   udp fd00:2::90 1 > outside6 1
      accept udp fd00:2::91 1 > outside6 1
      accept udp inside 1 > outside 53`,
  ),
  concat(
    'port . protocol',
    'inet_service . inet_proto',
    '1000-2000 . 17, 22 . 6',
    'th dport . meta l4proto',
    `
      drop   udp inside 1 > outside 1000
      accept tcp syn inside 1 > outside 1000
      drop   tcp syn inside 1 > outside 22
      accept udp inside 1 > outside 22
      drop   udp inside6 1 > outside6 2000`,
  ),
  concat(
    'net6 . port . net6 . port',
    'ipv6_addr . inet_service . ipv6_addr . inet_service',
    'fd00::/16 . 1024-65535 . 2001:db8:5::/127 . 80-90',
    'ip6 saddr . tcp sport . ip6 daddr . tcp dport',
    `
      drop   tcp syn inside6 1024 > outside6 80
      accept tcp syn inside6 1023 > outside6 80
      accept tcp syn inside6 1024 > other6 80
      drop   tcp syn net6 65535 > 2001:db8:5::0 90
      accept tcp syn net6 65535 > 2001:db8:5::0 91`,
  ),
  concat(
    'net . port . net',
    'ipv4_addr . inet_service . ipv4_addr',
    '192.168.0.0/16 . 53 . 198.51.100.7-198.51.100.8, 10.0.0.0/8 . 1-9 . 0.0.0.0/1',
    'ip saddr . udp dport . ip daddr',
    `
      drop   udp inside 1 > outside 53
      drop   udp inside2 1 > outside2 53
      accept udp inside 1 > 198.51.100.9 53
      drop   udp lan 1 > 8.8.8.8 9
      accept udp lan 1 > outside 9`,
  ),
  concat(
    'net . protocol . port, neighbouring ranges',
    'ipv4_addr . inet_proto . inet_service',
    '192.168.1.5 . 6 . 80-89, 192.168.1.5 . 6 . 90-99, 192.168.1.6 . 17 . 80-99',
    'ip saddr . ip protocol . th dport',
    `
      drop   tcp syn inside 1 > outside 89
      drop   tcp syn inside 1 > outside 90
      accept tcp syn inside 1 > outside 100
      accept udp inside 1 > outside 89
      drop   udp inside2 1 > outside 99`,
  ),
  concat(
    'net . mark',
    'ipv4_addr . mark',
    '192.168.1.0/24 . 0x1-0x10',
    'meta mark set udp dport map { 1 : 0x1, 16 : 0x10, 17 : 0x11 } ip saddr . meta mark',
    `
      drop   udp inside 1 > outside 1
      drop   udp inside 1 > outside 16
      accept udp inside 1 > outside 17
      accept udp inside 1 > outside 18
      accept udp lan 1 > outside 1`,
  ),
  concat(
    'interface . net',
    'ifname . ipv4_addr',
    '"eth1" . 192.168.1.0/29, "eth0" . 198.51.100.0/24',
    'iifname . ip saddr',
    `
      drop   udp inside 1 > outside 1
      accept udp 192.168.1.8 1 > outside 1
      drop   udp outside 1 > inside 1
      accept udp lan 1 > outside 1`,
  ),
  concat(
    'net . ICMP type',
    'ipv4_addr . icmp_type',
    '192.168.1.0/24 . echo-request, 198.51.100.0/24 . echo-reply',
    'ip saddr . icmp type',
    `
      drop   icmp 8 inside > outside
      accept icmp 13 inside > outside
      accept icmp 8 outside > inside
      accept udp inside 1 > outside 1`,
  ),
  concat(
    'net6 . ICMPv6 type',
    'ipv6_addr . icmpv6_type',
    'fd00:1::/64 . echo-request',
    'ip6 saddr . icmpv6 type',
    `
      drop   icmp 128 inside6 > outside6
      accept icmp 128 net6 > outside6
      accept icmp 8 inside > outside`,
  ),
  concat(
    'state . port',
    'ct_state . inet_service',
    'new . 1-100, established . 200',
    'ct state . udp dport',
    `
      drop   udp inside 1 > outside 100
      accept udp inside 1 > outside 101
      accept udp inside 200 > outside 300
      drop   udp outside 300 > inside 200`,
  ),
  concat(
    'DSCP . length . hop limit',
    'dscp . inet_service . inet_proto',
    '46 . 1-2 . 17',
    'ip dscp . udp dport . ip protocol',
    `
      drop   udp inside 1 > outside 1 tos=184
      accept udp inside 1 > outside 1 tos=180
      accept udp inside 1 > outside 3 tos=184`,
  ),
].map((shape) => ({ ...shape, name: `a set of ranged concatenations: ${shape.name}` }));

behaviours('sets and maps', 'behaviours-set', [
  ...SHAPES,
  {
    name: 'a wider concatenation behind a narrower one that it overlaps: both are in the set',
    nft: `set s { type ipv4_addr . inet_service; flags interval; elements = { 10.1.0.0/16 . 5-20, 10.0.0.0/8 . 1-10 }; }
      ---
      ip saddr . udp dport @s drop`,
    packets: `
      drop   udp lan 1 > outside 20
      drop   udp lan 1 > outside 1
      drop   udp 10.9.9.9 1 > outside 10
      accept udp 10.9.9.9 1 > outside 11`,
  },
  {
    name: 'anonymous sets of prefixes and ranges, inverted too',
    nft: 'ip saddr { 192.168.1.4/31, 10.0.0.0-10.1.2.2 } udp dport != { 53, 100-200 } drop',
    packets: `
      drop   udp inside 1 > outside 54
      accept udp inside 1 > outside 53
      accept udp inside 1 > outside 150
      accept udp inside2 1 > outside 54
      accept udp lan 1 > outside 54
      drop   udp 10.1.2.2 1 > outside 201`,
  },
  {
    name: 'an interval set holds its ends, the first and the last address as well',
    nft: `set s { type ipv4_addr; flags interval; elements = { 0.0.0.0/5, 198.51.100.7-198.51.100.8, 203.0.113.9 }; }
      ---
      ip daddr @s drop`,
    packets: `
      accept udp inside 1 > 198.51.100.6 1
      drop   udp inside 1 > 198.51.100.7 1
      drop   udp inside 1 > 198.51.100.8 1
      accept udp inside 1 > 198.51.100.9 1
      drop   udp inside 1 > near 1
      accept udp inside 1 > 8.8.8.8 1
      drop   udp inside 1 > 7.255.255.255 1`,
  },
  {
    name: 'an element deleted in the same file is gone, one added later is there',
    nft: `table ip t {
        set s { type ipv4_addr; elements = { 192.168.1.5, 192.168.1.6 }; }
        chain f { type filter hook forward priority 0; ip saddr @s drop; }
      }
      delete element ip t s { 192.168.1.5 }
      add element ip t s { 10.1.2.3 }`,
    packets: `
      accept udp inside 1 > outside 1
      drop   udp inside2 1 > outside 1
      drop   udp lan 1 > outside 1`,
  },
  {
    name: 'a flushed set holds nothing, a flushed chain lets all pass',
    nft: `table ip t {
        set s { type ipv4_addr; elements = { 192.168.1.5 }; }
        chain f { type filter hook forward priority 0; ip saddr @s drop; }
        chain g { type filter hook forward priority 1; drop; }
      }
      flush set ip t s
      flush chain ip t g`,
    packets: 'accept udp inside 1 > outside 1',
  },
  {
    name: 'an error at the end of a file refuses the whole of it',
    nft: `table ip t { chain f { type filter hook forward priority 0; drop; } }
      add rule ip t nowhere accept`,
    packets: '',
  },
  {
    name: 'a verdict map decides by port, the rest goes on',
    nft: `table inet t {
        chain ssh { ip saddr 192.168.1.5 accept; drop; }
        chain f {
          type filter hook forward priority 0
          tcp dport vmap { 22 : jump ssh, 80 : accept, 81-90 : drop, 443 : goto ssh }
          meta l4proto udp drop
        }
      }`,
    packets: `
      accept tcp syn inside 1 > outside 22
      drop   tcp syn inside2 1 > outside 22
      accept tcp syn inside2 1 > outside 80
      drop   tcp syn inside 1 > outside 81
      drop   tcp syn inside 1 > outside 90
      accept tcp syn inside 1 > outside 91
      accept tcp syn inside 1 > outside 443
      drop   udp inside 1 > outside 22`,
  },
  {
    name: 'behind a jump from a verdict map the rules go on, behind a goto they do not',
    nft: `table inet t {
        chain a { }
        chain f {
          type filter hook forward priority 0
          udp dport vmap { 1 : jump a, 2 : goto a, 3 : return, 4 : continue }
          meta l4proto udp drop
        }
      }`,
    packets: `
      drop   udp inside 1 > outside 1
      accept udp inside 1 > outside 2
      accept udp inside 1 > outside 3
      drop   udp inside 1 > outside 4
      drop   udp inside 1 > outside 5`,
  },
  {
    name: 'a catch-all element takes what no other holds',
    nft: `map m { type ipv4_addr : verdict; flags interval; elements = { 192.168.1.0/24 : accept, 10.0.0.0/8 : continue, * : drop }; }
      ---
      ip saddr vmap @m
      ip saddr 10.1.2.3 udp dport 9 drop`,
    packets: `
      accept udp inside 1 > outside 1
      accept udp lan 1 > outside 1
      drop   udp lan 1 > outside 9
      drop   udp outside 1 > inside 1`,
  },
  {
    name: 'a verdict map of interface pairs',
    nft: 'iifname . oifname vmap { "eth1" . "eth0" : accept, "eth0" . "eth1" : drop }\ndrop',
    packets: `
      accept udp inside 1 > outside 1
      drop   udp outside 1 > inside 1
      drop   udp inside 1 > lan 1`,
  },
  {
    name: 'a verdict map of states in front, as generators write it',
    nft: 'ct state vmap { established : accept, related : accept, invalid : drop }\niifname "eth1" accept\ndrop',
    packets: `
      accept udp inside 1 > outside 1
      accept udp outside 1 > inside 1
      drop   udp outside 1 > inside 2
      drop   tcp syn,fin inside 1 > outside 1`,
  },
  {
    name: 'a map gives the mark that a rule behind tests; without an element the rule ends',
    nft: `map m { type ipv4_addr : mark; elements = { 192.168.1.5 : 1, 192.168.1.6 : 2 }; }
      ---
      meta mark set ip saddr map @m
      meta mark 1 drop
      ip saddr 10.1.2.3 meta mark set ip saddr map @m drop`,
    packets: `
      drop   udp inside 1 > outside 1
      accept udp inside2 1 > outside 1
      accept udp lan 1 > outside 1`,
  },
  {
    name: 'a map of concatenations to verdicts, with ranges',
    nft: `map m { type ipv4_addr . inet_service : verdict; flags interval; elements = { 192.168.1.0/24 . 1-10 : drop, 10.0.0.0/8 . 5 : drop }; }
      ---
      ip saddr . udp dport vmap @m`,
    packets: `
      drop   udp inside 1 > outside 10
      accept udp inside 1 > outside 11
      drop   udp lan 1 > outside 5
      accept udp lan 1 > outside 6`,
  },
  {
    name: 'a dynamic set remembers who came, for the next packet',
    nft: `set seen { type ipv4_addr; flags dynamic,timeout; timeout 1h; }
      ---
      ip saddr @seen udp dport 2 drop
      udp dport 1 add @seen { ip saddr }
      udp dport 3 delete @seen { ip saddr }`,
    packets: `
      accept udp inside 1 > outside 2
      accept udp inside 1 > outside 1
      drop   udp inside 1 > outside 2
      accept udp inside2 1 > outside 2
      accept udp inside 1 > outside 3
      accept udp inside 1 > outside 2`,
  },
  {
    name: 'a limit inside a dynamic set is each element its own',
    nft: `set m { type ipv4_addr; size 128; flags dynamic; }
      ---
      meta l4proto udp add @m { ip saddr limit rate 1/hour burst 2 packets } accept
      meta l4proto udp drop`,
    packets: `
      accept udp inside 1 > outside 1
      accept udp inside 2 > outside 1
      drop   udp inside 3 > outside 1
      accept udp inside2 1 > outside 1`,
  },
  {
    name: 'a limit over inside a dynamic set takes what is too much',
    nft: `set m { type ipv4_addr . inet_service; size 128; flags dynamic,timeout; timeout 1m; }
      ---
      ct state new update @m { ip saddr . udp dport limit rate over 1/hour burst 1 packets } drop`,
    packets: `
      accept udp inside 1 > outside 1
      drop   udp inside 2 > outside 1
      accept udp inside 2 > outside 2
      drop   udp inside 1 > outside 1`,
  },
  {
    name: 'a full dynamic set takes no element more: the rule ends there',
    nft: `set m { type ipv4_addr; size 1; flags dynamic; }
      ---
      meta l4proto udp add @m { ip saddr } drop`,
    packets: `
      drop   udp inside 1 > outside 1
      accept udp inside2 1 > outside 1
      drop   udp inside 2 > outside 1`,
  },
  {
    name: 'port knocking with sets',
    hook: 'input',
    nft: `set knocked { type ipv4_addr; flags dynamic,timeout; timeout 10s; }
      set open { type ipv4_addr; flags dynamic,timeout; timeout 30s; }
      ---
      tcp dport 1001 add @knocked { ip saddr } drop
      tcp dport 1002 ip saddr @knocked add @open { ip saddr } drop
      tcp dport 22 ip saddr @open accept
      drop`,
    packets: `
      drop   tcp syn outside 1 > host 22
      drop   tcp syn outside 1 > host 1002
      drop   tcp syn outside 2 > host 22
      drop   tcp syn outside 1 > host 1001
      drop   tcp syn outside 3 > host 1002
      accept tcp syn outside 3 > host 22
      drop   tcp syn outside2 3 > host 22`,
  },
  {
    name: 'named limits and quotas are shared by all rules that use them',
    nft: `limit l { rate 1/hour burst 2 packets; }
      quota q { over 100 bytes; }
      ---
      udp dport 1 limit name "l" accept
      udp dport 2 limit name "l" accept
      udp dport { 1, 2 } drop
      meta l4proto icmp quota name "q" drop`,
    packets: `
      accept udp inside 1 > outside 1
      accept udp inside 1 > outside 2
      drop   udp inside 2 > outside 1
      accept icmp 8 inside > outside len=72
      drop   icmp 8 inside > outside len=0`,
  },
  {
    name: 'sets of names, protocols and interfaces',
    nft: 'iifname { "eth1", "lo" } tcp dport { ssh, http } drop\nmeta nfproto ipv6 ip6 nexthdr { udp, ipv6-icmp } drop',
    packets: `
      drop   tcp syn inside 1 > outside 22
      accept tcp syn outside 1 > inside 22
      accept udp inside 1 > outside 22
      drop   udp inside6 1 > outside6 22`,
  },
  {
    name: 'defines stand for values, lists and interfaces',
    nft: `define INSIDE = eth1
      define PORTS = { 22, 80-82 }
      define NET = 192.168.1.0/24
      table inet t {
        chain f {
          type filter hook forward priority 0
          iifname $INSIDE ip saddr $NET tcp dport $PORTS drop
        }
      }`,
    packets: `
      drop   tcp syn inside 1 > outside 82
      accept tcp syn inside 1 > outside 83
      accept tcp syn lan 1 > outside 22`,
  },
  {
    name: 'fib: a packet whose source is not routed back where it came from is dropped',
    nft: 'table inet t { chain p { type filter hook prerouting priority raw; fib saddr . iif oif missing drop; } }',
    packets: `
      accept udp inside 1 > outside 1
      drop   udp inside 1 > outside 1 from=eth0
      drop   udp outside 1 > host 1 from=eth1
      accept udp outside 1 > host 1
      drop   udp inside6 1 > outside6 1 from=eth0
      accept udp inside6 1 > outside6 1`,
  },
  {
    name: 'fib tells what an address is to this host',
    nft: 'table inet t { chain p { type filter hook prerouting priority 0; fib daddr type local udp dport 1 drop; fib daddr . iif type != local udp dport 2 drop; fib daddr type { broadcast, multicast } drop; } }',
    packets: `
      drop   udp inside 1 > gate 1
      drop   udp inside 1 > host 1
      accept udp inside 1 > outside 1
      accept udp inside 1 > gate 2
      drop   udp inside 1 > host 2
      drop   udp inside 1 > 192.168.1.255 3
      drop   udp inside 1 > 224.0.0.5 3`,
  },
  {
    name: 'fib gives the interface of a route by name',
    nft: 'fib daddr oifname "eth0" udp dport 1 drop\nfib saddr oifname "eth0" udp dport 2 drop',
    packets: `
      drop   udp inside 1 > outside 1
      accept udp inside 1 > outside 2
      drop   udp outside 1 > inside 2`,
  },
  {
    name: 'rpfilter strict, loose and inverted',
    xt: '*raw\n-A PREROUTING -p udp -m rpfilter --invert -j DROP\n-A PREROUTING -p tcp -m rpfilter --loose -j ACCEPT\n-A PREROUTING -p tcp -j DROP\nCOMMIT',
    packets: `
      accept udp inside 1 > outside 1
      drop   udp inside 1 > outside 1 from=eth0
      accept tcp syn inside 1 > outside 1
      accept tcp syn inside 2 > outside 1 from=eth0`,
  },
  {
    name: 'rpfilter of IPv6',
    xt6: '*raw\n-A PREROUTING -m rpfilter -j ACCEPT\n-A PREROUTING -j DROP\nCOMMIT',
    packets: `
      accept udp inside6 1 > outside6 1
      drop   udp inside6 1 > outside6 1 from=eth0
      drop   udp outside6 1 > host6 1 from=eth1`,
  },
  {
    name: 'meta knows index, type, family, protocol, length and priority of a packet',
    nft: 'iif "eth1" oif "eth0" udp dport 1 drop\niiftype 65534 udp dport 2 drop\nmeta nfproto ipv6 meta l4proto udp drop\nmeta protocol ip udp dport 3 drop\niifgroup default udp dport 4 drop',
    packets: `
      drop   udp inside 1 > outside 1
      accept udp outside 1 > inside 1
      drop   udp inside 1 > outside 2
      drop   udp inside6 1 > outside6 9
      drop   udp inside 1 > outside 3
      drop   udp inside 1 > outside 4
      accept udp inside 1 > outside 5`,
  },
  {
    name: 'jhash and numgen maps spread packets alike on both sides',
    nft: 'jhash ip saddr . udp sport mod 4 seed 0x1234 vmap { 0 : drop, 1 : accept, 2 : drop, 3 : accept }',
    packets: `
      accept udp inside 1 > outside 1
      accept udp inside 2 > outside 1
      accept udp inside 3 > outside 1
      drop   udp inside 4 > outside 1`,
  },
  {
    name: 'named sets and maps of interfaces, alone and in concatenations',
    nft: `set s {
        type iface_index
        elements = { "lo", "eth0" }
      }
      set c {
        type iface_index . ipv4_addr
        flags interval
        elements = { "eth1" . 192.168.1.0/30 }
      }
      map v {
        type iface_index : verdict
        elements = { "eth1" : drop }
      }
      ---
      iif @s udp dport 1 drop
      iif . ip saddr @c drop
      udp dport 2 oif vmap @v
      meta mark set iif map { eth0 : 1, eth1 : 2 }
      meta mark 2 udp dport 3 drop`,
    packets: `
      drop   udp outside 9 > inside 1
      accept udp inside 9 > outside 1
      drop   udp 192.168.1.2 9 > outside 9
      drop   udp outside 9 > inside 2
      accept udp inside 9 > outside 2
      drop   udp inside 9 > outside 3
      accept udp outside 9 > inside 3`,
  },
  {
    name: 'a set of interfaces that rules add to',
    nft: `set s {
        type iface_index
        flags dynamic
      }
      ---
      iif @s udp dport 1 drop
      add @s { oif }`,
    packets: `
      accept udp inside 9 > outside 1
      drop   udp outside 9 > inside 1
      accept udp inside 9 > outside 1
      accept udp outside 9 > inside 2
      drop   udp inside 9 > outside 1`,
  },
  {
    name: 'the checksum of a transport header follows the length and protocol of the IP header',
    nft: 'table ip t {\nchain c {\ntype filter hook forward priority 0\nip length set 40\n}\n}\ntable ip6 u {\nchain c {\ntype filter hook forward priority 0\nip6 nexthdr set 17\n}\n}',
    packets: `
      accept tcp syn inside 1 > outside 1 len=20
      accept tcp syn inside6 1 > outside6 1`,
  },
  {
    name: 'iiftype of what the host sends is that of the device it leaves by, in POSTROUTING only',
    nft: 'table inet t {\nchain o {\ntype filter hook output priority 0\niiftype 65534 drop\n}\nchain p {\ntype filter hook postrouting priority 0\nudp dport 1 iiftype 65534 drop\n}\n}',
    packets: `
      drop   udp host 9 > outside 1
      accept udp host 9 > outside 2`,
  },
]);
