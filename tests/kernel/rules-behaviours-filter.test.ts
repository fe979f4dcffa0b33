/** Ports, addresses, interfaces, policies, chains: what every filter has to get right. */
import { behaviours } from './rules-scenario.ts';

behaviours('filter rules', 'behaviours-filter', [
  {
    name: 'an empty ruleset lets everything pass at every hook',
    xt: ':INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT',
    nft: '',
    packets: `
      accept tcp syn inside 1024 > outside 22
      accept udp outside 53 > host 1024
      accept udp host 1024 > outside 53
      accept icmp 8 inside6 > outside6`,
  },
  {
    name: 'a policy of DROP takes what no rule accepted, and nothing at other hooks',
    xt: ':FORWARD DROP\n-A FORWARD -p udp -j ACCEPT',
    nft: 'meta l4proto udp accept\ndrop',
    packets: `
      drop   tcp syn inside 1024 > outside 22
      accept udp inside 1024 > outside 53
      accept tcp syn outside 1024 > host 22
      accept tcp syn host 1024 > outside 22`,
  },
  {
    name: 'a rule for a protocol drops this protocol only',
    xt: '-A INPUT -p udp -j DROP',
    hook: 'input',
    nft: 'meta l4proto udp drop',
    packets: `
      drop   udp outside 1024 > host 53
      accept tcp syn outside 1024 > host 53
      accept icmp 8 outside > host
      accept proto 47 outside > host`,
  },
  {
    name: 'a destination port matches this port, and not as a source port',
    xt: '-A INPUT -p tcp --dport 2401 -j DROP',
    hook: 'input',
    nft: 'tcp dport 2401 drop',
    packets: `
      drop   tcp syn outside 1024 > host 2401
      accept tcp syn outside 2401 > host 1024
      accept tcp syn outside 1024 > host 2400
      accept tcp syn outside 1024 > host 2402
      accept udp outside 1024 > host 2401`,
  },
  {
    name: 'a source port matches this port, and not as a destination port',
    xt: '-A INPUT -p udp -m udp --sport 123 -j DROP',
    hook: 'input',
    nft: 'udp sport 123 drop',
    packets: `
      drop   udp outside 123 > host 1024
      accept udp outside 1024 > host 123
      accept tcp syn outside 123 > host 1024`,
  },
  {
    name: 'an inverted port takes all others of the protocol, port 0 and 65535 as well',
    xt: '-A INPUT -p tcp ! --dport 22 -j DROP',
    hook: 'input',
    nft: 'tcp dport != 22 drop',
    packets: `
      accept tcp syn outside 1024 > host 22
      drop   tcp syn outside 1025 > host 21
      drop   tcp syn outside 1026 > host 65535
      accept udp outside 1024 > host 21`,
  },
  {
    name: 'a range of ports holds both its ends',
    xt: '-A FORWARD -p tcp --dport 1000:2000 -j DROP',
    nft: 'tcp dport 1000-2000 drop',
    packets: `
      accept tcp syn inside 1024 > outside 999
      drop   tcp syn inside 1024 > outside 1000
      drop   tcp syn inside 1024 > outside 1500
      drop   tcp syn inside 1024 > outside 2000
      accept tcp syn inside 1024 > outside 2001`,
  },
  {
    name: 'a range of all ports matches every port of the protocol, and no other protocol',
    xt: '-A FORWARD -p udp --sport 0:65535 --dport : -j DROP',
    nft: 'udp sport 0-65535 drop',
    packets: `
      drop   udp inside 1 > outside 65535
      drop   udp inside 65535 > outside 1
      accept tcp syn inside 1 > outside 65535`,
  },
  {
    name: 'an inverted range of ports takes what lies outside of it',
    xt: '-A FORWARD -p udp ! --sport 1024:65535 -j DROP',
    nft: 'udp sport != 1024-65535 drop',
    packets: `
      drop   udp inside 1023 > outside 53
      accept udp inside 1024 > outside 53
      accept udp inside 65535 > outside 53`,
  },
  {
    name: 'a range that ends before it begins is refused',
    xt: '-A FORWARD -p tcp --dport 2000:1000 -j DROP',
    nft: 'tcp dport 2000-1000 drop',
    packets: '',
  },
  {
    name: 'port matches without the protocol are refused',
    xt: '-A INPUT -m udp --dport 53 -j DROP',
    packets: '',
  },
  {
    name: 'multiport takes lists and ranges of destination ports',
    xt: '-A FORWARD -p tcp -m multiport --dports 22,80:82,443 -j DROP',
    nft: 'tcp dport { 22, 80-82, 443 } drop',
    packets: `
      drop   tcp syn inside 1024 > outside 22
      accept tcp syn inside 1024 > outside 79
      drop   tcp syn inside 1024 > outside 80
      drop   tcp syn inside 1024 > outside 82
      accept tcp syn inside 1024 > outside 83
      drop   tcp syn inside 1024 > outside 443
      accept tcp syn inside 443 > outside 1024`,
  },
  {
    name: 'multiport takes source ports',
    xt: '-A OUTPUT -p udp -m multiport --sports 53,123 -j DROP',
    hook: 'output',
    nft: 'udp sport { 53, 123 } drop',
    packets: `
      drop   udp host 53 > outside 1024
      drop   udp host 123 > outside 1024
      accept udp host 1024 > outside 53`,
  },
  {
    name: 'multiport --ports takes either port',
    xt: '-A FORWARD -p udp -m multiport --ports 53,5060:5062 -j DROP',
    nft: 'udp sport { 53, 5060-5062 } drop\nudp dport { 53, 5060-5062 } drop',
    packets: `
      drop   udp inside 53 > outside 1024
      drop   udp inside 1024 > outside 5062
      accept udp inside 1024 > outside 5063`,
  },
  {
    name: 'an inverted multiport takes all other ports',
    xt: '-A FORWARD -p tcp -m multiport ! --dports 22,80 -j DROP',
    nft: 'tcp dport != { 22, 80 } drop',
    packets: `
      accept tcp syn inside 1024 > outside 22
      accept tcp syn inside 1024 > outside 80
      drop   tcp syn inside 1024 > outside 443
      accept udp inside 1024 > outside 443`,
  },
  {
    name: 'an inverted multiport of either port matches if neither is in the list',
    xt: '-A FORWARD -p udp -m multiport ! --ports 53 -j DROP',
    packets: `
      accept udp inside 53 > outside 1024
      accept udp inside 1024 > outside 53
      drop   udp inside 1024 > outside 1025`,
  },
  {
    name: 'multiport of more than 15 ports, or without a protocol that has ports, is refused',
    xt: '-A FORWARD -p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16 -j DROP',
    packets: '',
  },
  {
    name: 'a source address takes this host only',
    xt: '-A FORWARD -s 192.168.1.5 -j DROP',
    nft: 'ip saddr 192.168.1.5 drop',
    packets: `
      drop   udp inside 1024 > outside 53
      accept udp inside2 1024 > outside 53
      accept udp outside 53 > inside 1024`,
  },
  {
    name: 'an inverted destination takes all other hosts',
    xt: '-A FORWARD ! -d 198.51.100.7 -j DROP',
    nft: 'ip daddr != 198.51.100.7 drop',
    packets: `
      accept udp inside 1024 > outside 53
      drop   udp inside 1024 > outside2 53
      accept udp host 1024 > outside2 53`,
  },
  {
    name: 'a net takes its first and its last address',
    xt: '-A FORWARD -d 198.51.100.4/30 -j DROP',
    nft: 'ip daddr 198.51.100.4/30 drop',
    packets: `
      accept udp inside 1 > 198.51.100.3 53
      drop   udp inside 2 > 198.51.100.4 53
      drop   udp inside 3 > 198.51.100.7 53
      accept udp inside 4 > 198.51.100.8 53`,
  },
  {
    name: 'a mask with holes takes the bits it names',
    xt: '-A FORWARD -s 192.168.0.5/255.255.0.255 -j DROP',
    nft: 'ip saddr & 255.255.0.255 == 192.168.0.5 drop',
    packets: `
      drop   udp inside 1024 > outside 53
      accept udp inside2 1024 > outside 53
      drop   udp 192.168.7.5 1024 > outside 53`,
  },
  {
    name: 'nets of IPv6 take their first and their last address',
    xt6: '-A FORWARD -d 2001:db8:5::/127 -j DROP\n-A FORWARD ! -s fd00::/16 -j DROP',
    nft: 'ip6 daddr 2001:db8:5::/127 drop\nip6 saddr != fd00::/16 drop',
    packets: `
      drop   udp inside6 1 > 2001:db8:5::0 53
      drop   udp inside6 1 > 2001:db8:5::1 53
      accept udp inside6 1 > 2001:db8:5::2 53
      drop   udp fd01::1 1 > 2001:db8:5::2 53
      accept udp inside 1 > outside 53`,
  },
  {
    name: 'an interface matches by its whole name',
    xt: '-A FORWARD -i eth1 -j DROP',
    nft: 'iifname "eth1" drop',
    packets: `
      drop   udp inside 1024 > outside 53
      accept udp outside 53 > inside 1024`,
  },
  {
    name: 'an interface name that is only the beginning does not match',
    xt: '-A FORWARD -i eth -j DROP\n-A FORWARD -i eth11 -j DROP',
    nft: 'iifname "eth" drop\niifname "eth11" drop',
    packets: 'accept udp inside 1024 > outside 53',
  },
  {
    name: 'a wildcard matches every interface of this beginning, the loopback device not',
    xt: '-A INPUT -i eth+ -j DROP',
    hook: 'input',
    nft: 'iifname "eth*" drop',
    packets: `
      drop   udp outside 1024 > host 53
      drop   udp inside 1024 > gate 53
      accept udp host 1024 > host2 53`,
  },
  {
    name: 'the wildcard alone matches every interface',
    xt: '-A INPUT -i + -j DROP',
    packets: `
      drop   udp outside 1024 > host 53
      drop   udp host 1024 > host 53`,
  },
  {
    name: 'an inverted interface matches all others',
    xt: '-A FORWARD ! -i eth1 -j DROP',
    nft: 'iifname != "eth1" drop',
    packets: `
      accept udp inside 1024 > outside 53
      drop   udp outside 53 > inside 1024`,
  },
  {
    name: 'an inverted wildcard matches what does not begin so',
    xt: '-A INPUT ! -i eth+ -j DROP',
    hook: 'input',
    nft: 'iifname != "eth*" drop',
    packets: `
      accept udp outside 1024 > host 53
      drop   udp host 1024 > host 53`,
  },
  {
    name: 'the outgoing interface is the one of the route',
    xt: '-A OUTPUT -o eth1 -j DROP\n-A FORWARD -o eth1 -j DROP',
    hook: 'output',
    nft: 'oifname "eth1" drop',
    packets: `
      drop   udp gate 1024 > inside 53
      drop   udp host 1024 > lan 53
      accept udp host 1024 > outside 53`,
  },
  {
    name: 'an outgoing interface is refused in INPUT, an incoming one in OUTPUT',
    xt: '-A INPUT -o eth0 -j DROP',
    packets: '',
  },
  {
    name: 'the first rule that decides wins, in the order of the list',
    xt: '-A FORWARD -p tcp --dport 22 -j ACCEPT\n-A FORWARD -p tcp -j DROP\n-A FORWARD -p tcp --dport 80 -j ACCEPT',
    nft: 'tcp dport 22 accept\nmeta l4proto tcp drop\ntcp dport 80 accept',
    packets: `
      accept tcp syn inside 1024 > outside 22
      drop   tcp syn inside 1024 > outside 80
      accept udp inside 1024 > outside 80`,
  },
  {
    name: 'rules inserted go in front, in a restore file too',
    xt: '-A FORWARD -p tcp -j DROP\n-I FORWARD -p tcp --dport 22 -j ACCEPT\n-I FORWARD 2 -p tcp --dport 80 -j ACCEPT',
    packets: `
      accept tcp syn inside 1024 > outside 22
      accept tcp syn inside 1024 > outside 80
      drop   tcp syn inside 1024 > outside 443`,
  },
  {
    name: 'a chain that ends without a verdict goes on behind the jump',
    xt: ':a - [0:0]\n-A FORWARD -p tcp -j a\n-A FORWARD -p tcp --dport 80 -j DROP\n-A a -p tcp --dport 22 -j DROP',
    nft: `table inet t {
      chain a { tcp dport 22 drop; }
      chain f { type filter hook forward priority 0; meta l4proto tcp jump a; tcp dport 80 drop; } }`,
    packets: `
      drop   tcp syn inside 1024 > outside 22
      drop   tcp syn inside 1024 > outside 80
      accept tcp syn inside 1024 > outside 443`,
  },
  {
    name: 'RETURN goes back to the calling chain, skipping what follows',
    xt: ':a - [0:0]\n-A FORWARD -j a\n-A FORWARD -p udp -j DROP\n-A a -p tcp -j RETURN\n-A a -p udp -j RETURN\n-A a -j DROP',
    nft: `table inet t {
      chain a { meta l4proto tcp return; meta l4proto udp return; drop; }
      chain f { type filter hook forward priority 0; jump a; meta l4proto udp drop; } }`,
    packets: `
      accept tcp syn inside 1024 > outside 22
      drop   udp inside 1024 > outside 53
      drop   icmp 8 inside > outside`,
  },
  {
    name: 'RETURN in a built-in chain takes the policy',
    xt: ':FORWARD DROP\n-A FORWARD -p tcp -j RETURN\n-A FORWARD -j ACCEPT',
    nft: `table inet t {
      chain f { type filter hook forward priority 0; policy drop; meta l4proto tcp return; accept; } }`,
    packets: `
      drop   tcp syn inside 1024 > outside 22
      accept udp inside 1024 > outside 53`,
  },
  {
    name: 'RETURN in a built-in chain with policy ACCEPT skips the rules behind',
    xt: '-A INPUT -p tcp -j RETURN\n-A INPUT -j DROP',
    hook: 'input',
    nft: 'meta l4proto tcp return\ndrop',
    packets: `
      accept tcp syn outside 1024 > host 22
      drop   udp outside 1024 > host 22`,
  },
  {
    name: 'from a chain gone to by -g RETURN goes back behind the last jump',
    xt: `:a - [0:0]\n:b - [0:0]\n-A FORWARD -j a\n-A FORWARD -p tcp --dport 22 -j DROP
      -A a -p tcp -g b\n-A a -j DROP\n-A b -p tcp --dport 80 -j DROP\n-A b -j RETURN`,
    nft: `table inet t {
      chain b { tcp dport 80 drop; return; }
      chain a { meta l4proto tcp goto b; drop; }
      chain f { type filter hook forward priority 0; jump a; tcp dport 22 drop; } }`,
    packets: `
      drop   tcp syn inside 1024 > outside 22
      drop   tcp syn inside 1024 > outside 80
      accept tcp syn inside 1024 > outside 443
      drop   udp inside 1024 > outside 443`,
  },
  {
    name: 'goto from a built-in chain ends in its policy',
    xt: ':FORWARD DROP\n:a - [0:0]\n-A FORWARD -p tcp -g a\n-A FORWARD -j ACCEPT\n-A a -p tcp --dport 22 -j ACCEPT',
    nft: `table inet t {
      chain a { tcp dport 22 accept; }
      chain f { type filter hook forward priority 0; policy drop; meta l4proto tcp goto a; accept; } }`,
    packets: `
      accept tcp syn inside 1024 > outside 22
      drop   tcp syn inside 1024 > outside 80
      accept udp inside 1024 > outside 80`,
  },
  {
    name: 'a jump to a built-in chain is refused',
    xt: '-A FORWARD -j INPUT',
    packets: '',
  },
  {
    name: 'a jump to a base chain is refused',
    nft: `table inet t {
      chain i { type filter hook input priority 0; }
      chain f { type filter hook forward priority 0; jump i; } }`,
    packets: '',
  },
  {
    name: 'a jump to a chain that does not exist is refused',
    xt: '-A FORWARD -j nowhere',
    nft: 'jump nowhere',
    packets: '',
  },
  {
    name: 'chains that jump in a circle are refused',
    xt: ':a - [0:0]\n:b - [0:0]\n-A FORWARD -j a\n-A a -j b\n-A b -j a',
    nft: `table inet t {
      chain a { }
      chain b { jump a; }
      chain f { type filter hook forward priority 0; jump a; } }
      add rule inet t a jump b`,
    packets: '',
  },
  {
    name: 'a chain that jumps to itself is refused',
    nft: 'table inet t { chain a { }; chain f { type filter hook forward priority 0; jump a; }; }\nadd rule inet t a jump a',
    packets: '',
  },
  {
    name: 'chains that go to each other in a circle are refused as well',
    nft: `table inet t {
      chain a { }
      chain b { goto a; }
      chain f { type filter hook forward priority 0; goto a; } }
      add rule inet t a goto b`,
    packets: '',
  },
  {
    name: 'fifteen jumps one inside the other are run to the last chain',
    nft: nested(15, 'jump'),
    packets: `
      drop   tcp syn inside 1024 > outside 22
      accept udp inside 1024 > outside 53`,
  },
  {
    name: 'thirty jumps one inside the other are run by legacy iptables',
    sources: [{ kind: 'iptables-legacy', text: thirty() }],
    packets: `
      drop   tcp syn inside 1024 > outside 22
      accept udp inside 1024 > outside 53`,
  },
  {
    name: 'thirty jumps one inside the other are refused by the nft variant of iptables',
    sources: [{ kind: 'iptables-nft', text: thirty() }],
    packets: '',
  },
  { name: 'sixteen jumps one inside the other are refused', nft: nested(16, 'jump'), packets: '' },
  {
    name: 'rules of the two families do not meet each other',
    sources: [
      { kind: 'iptables-nft', text: '*filter\n-A FORWARD -p tcp -j DROP\nCOMMIT\n' },
      { kind: 'ip6tables-nft', text: '*filter\n-A FORWARD -p udp -j DROP\nCOMMIT\n' },
    ],
    packets: `
      drop   tcp syn inside 1024 > outside 22
      accept tcp syn inside6 1024 > outside6 22
      accept udp inside 1024 > outside 53
      drop   udp inside6 1024 > outside6 53`,
  },
  {
    name: 'tables of ip, ip6 and inet each see their own packets',
    nft: `table ip a { chain f { type filter hook forward priority 0; tcp dport 1 drop; } }
      table ip6 b { chain f { type filter hook forward priority 0; tcp dport 2 drop; } }
      table inet c { chain f { type filter hook forward priority 0; tcp dport 3 drop; } }`,
    packets: `
      drop   tcp syn inside 1024 > outside 1
      accept tcp syn inside 1024 > outside 2
      drop   tcp syn inside 1024 > outside 3
      accept tcp syn inside6 1024 > outside6 1
      drop   tcp syn inside6 1024 > outside6 2
      drop   tcp syn inside6 1024 > outside6 3`,
  },
  {
    name: 'a rule with nothing but counters decides nothing',
    xt: ':FORWARD DROP\n-A FORWARD -p tcp\n-A FORWARD -p udp -j ACCEPT',
    nft: 'meta l4proto tcp counter\nmeta l4proto udp counter accept\ndrop',
    packets: `
      drop   tcp syn inside 1024 > outside 1
      accept udp inside 1024 > outside 2`,
  },
]);

/** A base chain and `depth` chains below it, each jumping to the next; the last drops TCP. */
function nested(depth: number, verb: string): string {
  const chains = Array.from({ length: depth }, (_, i) => {
    const body = i === 0 ? 'meta l4proto tcp drop' : `${verb} c${i - 1}`;
    return `chain c${i} { ${body}; }`;
  });
  return `table inet t {\n${chains.join('\n')}
    chain f { type filter hook forward priority 0; ${verb} c${depth - 1}; } }`;
}

function thirty(): string {
  const chains = Array.from({ length: 30 }, (_, i) => `:c${i} - [0:0]\n`);
  const rules = Array.from({ length: 29 }, (_, i) => `-A c${i} -j c${i + 1}\n`);
  return `*filter\n${chains.join('')}-A FORWARD -j c0\n${rules.join('')}-A c29 -p tcp -j DROP\nCOMMIT\n`;
}
