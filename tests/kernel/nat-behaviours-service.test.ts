/**
 * Service addresses as kube-proxy makes them, with rules of our own: a virtual address that stands for several servers,
 * which are chosen in turn (chance is left out, so that both sides choose alike).
 */
import { filterChain, natChain, table, told } from './nat-tell.ts';

/** Chains in the manner of kube-proxy's nft flavour. The cluster's address is 172.30.0.41, servers are .5 and .6. */
const NFT = table(
  'ip',
  `set clusters { type ipv4_addr; elements = { 172.30.0.41, 172.30.0.42, 172.30.0.43 }; }
chain mark_masq { meta mark set meta mark or 0x4000; }
chain one { ip saddr 192.168.1.5 jump mark_masq
meta l4proto tcp dnat to 192.168.1.5:8080
}
chain two { ip saddr 192.168.1.6 jump mark_masq
meta l4proto tcp dnat to 192.168.1.6:8081
}
chain web { ip saddr != { 10.0.0.0/8, 192.168.1.0/24 } jump mark_masq
numgen inc mod 2 vmap { 0 : goto one, 1 : goto two }
}
chain dns_tcp { meta l4proto tcp dnat to 192.168.1.5:53
}
chain dns_udp { meta l4proto udp dnat to 192.168.1.5:53
}
chain dns_sctp { meta l4proto sctp dnat to 192.168.1.5:53
}
chain outside { jump mark_masq
goto web
}
chain services {
ip daddr . meta l4proto . th dport vmap { 172.30.0.41 . tcp . 80 : goto web, 172.30.0.42 . tcp . 53 : goto dns_tcp, 172.30.0.42 . udp . 53 : goto dns_udp, 172.30.0.42 . sctp . 53 : goto dns_sctp }
ip daddr 203.0.113.1 fib daddr type local meta l4proto . th dport vmap { tcp . 30080 : goto outside }
}
chain nothing { reject
}
chain no_endpoints {
ip daddr . meta l4proto . th dport vmap { 172.30.0.43 . tcp . 80 : goto nothing }
ip daddr @clusters meta l4proto { tcp, udp, sctp } reject
ip daddr 172.30.0.0/16 drop
}
`,
  natChain('prerouting', 'jump services'),
  natChain('output', 'jump services'),
  natChain('postrouting', 'mark and 0x4000 == 0 return\nmark set mark xor 0x4000\nmasquerade'),
  filterChain('forward', 0, 'ct state new jump no_endpoints'),
  filterChain('output', 0, 'ct state new jump no_endpoints'),
);

/** The same in the manner of its iptables flavour. */
const XT = `*filter
:SERVICES - [0:0]
:FW - [0:0]
-A FORWARD -j FW
-A FORWARD -m conntrack --ctstate NEW -j SERVICES
-A OUTPUT -m conntrack --ctstate NEW -j SERVICES
-A SERVICES -d 172.30.0.43/32 -p tcp -m tcp --dport 80 -j REJECT
-A FW -m conntrack --ctstate INVALID -j DROP
-A FW -m mark --mark 0x4000/0x4000 -j ACCEPT
-A FW -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:SERVICES - [0:0]
:NODEPORTS - [0:0]
:MASQ - [0:0]
:POST - [0:0]
:WEB - [0:0]
:ONE - [0:0]
:TWO - [0:0]
-A PREROUTING -j SERVICES
-A OUTPUT -j SERVICES
-A POSTROUTING -j POST
-A MASQ -j MARK --or-mark 0x4000
-A POST -m mark ! --mark 0x4000/0x4000 -j RETURN
-A POST -j MARK --xor-mark 0x4000
-A POST -j MASQUERADE
-A SERVICES -d 172.30.0.41/32 -p tcp -m tcp --dport 80 -j WEB
-A SERVICES -m addrtype --dst-type LOCAL -j NODEPORTS
-A NODEPORTS -p tcp -m tcp --dport 30080 -j MASQ
-A NODEPORTS -p tcp -m tcp --dport 30080 -j WEB
-A WEB ! -s 10.0.0.0/8 -d 172.30.0.41/32 -m tcp -p tcp --dport 80 -m iprange ! --src-range 192.168.1.0-192.168.1.255 -j MASQ
-A WEB -m statistic --mode nth --every 2 --packet 0 -j ONE
-A WEB -j TWO
-A ONE -s 192.168.1.5/32 -j MASQ
-A ONE -p tcp -m tcp -j DNAT --to-destination 192.168.1.5:8080
-A TWO -s 192.168.1.6/32 -j MASQ
-A TWO -p tcp -m tcp -j DNAT --to-destination 192.168.1.6:8081
COMMIT
`;

told('service addresses', [
  {
    name: 'connections go to the servers in turn, and each stays with its own',
    nft: NFT,
    xt: XT,
    packets: `
      tcp syn lan 1024 > 172.30.0.41 80 seq=100 => new; lan 1024 > inside 8080
      tcp syn lan 1025 > 172.30.0.41 80 seq=100 => new; lan 1025 > inside2 8081
      tcp syn,ack inside 8080 > lan 1024 seq=500 ack=101 => reply; 172.30.0.41 80 > lan 1024
      tcp ack lan 1024 > 172.30.0.41 80 seq=101 ack=501 => established; lan 1024 > inside 8080
      tcp syn,ack inside2 8081 > lan 1025 seq=500 ack=101 => reply; 172.30.0.41 80 > lan 1025
      tcp ack lan 1025 > 172.30.0.41 80 seq=101 ack=501 len=4 => established; lan 1025 > inside2 8081
      tcp syn lan 1026 > 172.30.0.41 80 seq=100 => new; lan 1026 > inside 8080`,
  },
  {
    name: 'hairpin: a server that is sent to itself is masqueraded, and one sent to the other is not',
    nft: NFT,
    xt: XT,
    packets: `
      tcp syn inside 1024 > 172.30.0.41 80 seq=100 => new; gate 1024 > inside 8080
      tcp syn,ack inside 8080 > gate 1024 seq=500 ack=101 => reply; 172.30.0.41 80 > inside 1024
      tcp ack inside 1024 > 172.30.0.41 80 seq=101 ack=501 => established; gate 1024 > inside 8080
      tcp syn inside 1025 > 172.30.0.41 80 seq=100 => new; inside 1025 > inside2 8081
      tcp syn,ack inside2 8081 > inside 1025 seq=500 ack=101 => reply; 172.30.0.41 80 > inside 1025`,
  },
  {
    name: 'who comes from outside by a port of the node is masqueraded',
    nft: NFT,
    xt: XT,
    packets: `
      tcp syn outside 1024 > host 30080 from=eth0 seq=100 => new; gate 1024 > inside 8080
      tcp syn,ack inside 8080 > gate 1024 seq=500 ack=101 => reply; host 30080 > outside 1024
      tcp ack outside 1024 > host 30080 from=eth0 seq=101 ack=501 => established; gate 1024 > inside 8080
      tcp syn outside 1024 > host 30081 from=eth0 => new; outside 1024 > host 30081
      udp outside 1024 > host 30080 from=eth0 => new; outside 1024 > host 30080`,
  },
  {
    name: 'the node itself reaches a service',
    nft: NFT,
    xt: XT,
    packets: `
      tcp syn host 1024 > 172.30.0.41 80 seq=100 => new; gate 1024 > inside 8080
      tcp syn,ack inside 8080 > gate 1024 seq=500 ack=101 => reply; 172.30.0.41 80 > host 1024`,
  },
  {
    name: 'without a server a connection is refused at once, for the node too',
    nft: NFT,
    xt: XT,
    packets: `
      tcp syn lan 1024 > 172.30.0.43 80 => new; gate > lan about lan 1024 > 172.30.0.43 80
      tcp syn outside 1024 > 172.30.0.43 80 => new; host > outside about outside 1024 > 172.30.0.43 80
      tcp syn host 1024 > 172.30.0.43 80 => new; host > host about host 1024 > 172.30.0.43 80`,
  },
  {
    name: 'one port of three protocols is three services, and any other is refused or dropped',
    nft: NFT,
    packets: `
      tcp syn lan 1024 > 172.30.0.42 53 => new; lan 1024 > inside 53
      udp lan 1024 > 172.30.0.42 53 => new; lan 1024 > inside 53
      sctp lan 1024 > 172.30.0.42 53 => new; lan 1024 > inside 53
      udp inside 53 > lan 1024 => reply; 172.30.0.42 53 > lan 1024
      udp lan 1024 > 172.30.0.41 80 => new; gate > lan about lan 1024 > 172.30.0.41 80
      tcp syn lan 1024 > 172.30.0.41 81 => new; gate > lan about lan 1024 > 172.30.0.41 81
      sctp lan 1024 > 172.30.0.41 80 => new; gate > lan about lan 1024 > 172.30.0.41 80
      tcp syn lan 1024 > 172.30.0.99 80 => new; nothing`,
  },
  {
    name: 'what is INVALID goes no further',
    xt: XT,
    packets: `
      tcp syn lan 1024 > 172.30.0.41 80 seq=100 => new; lan 1024 > inside 8080
      tcp syn,ack inside 8080 > lan 1024 seq=500 ack=101 => reply; 172.30.0.41 80 > lan 1024
      tcp ack inside 8080 > lan 1024 seq=900000 ack=5 => invalid; nothing
      tcp rst lan 1030 > outside 80 seq=9 => invalid; nothing`,
  },
  {
    name: 'a client stays with its server as long as the set remembers it',
    nft: table(
      'ip',
      'map stay { type ipv4_addr : ipv4_addr; flags dynamic,timeout; timeout 3h; size 100; }\n',
      'chain web { meta l4proto tcp dnat to ip saddr map @stay\n' +
        'numgen inc mod 2 vmap { 0 : goto one, 1 : goto two }\n}\n' +
        'chain one { add @stay { ip saddr : 192.168.1.5 }\nmeta l4proto tcp dnat to 192.168.1.5\n}\n' +
        'chain two { add @stay { ip saddr : 192.168.1.6 }\nmeta l4proto tcp dnat to 192.168.1.6\n}\n',
      natChain('prerouting', 'ip daddr 172.30.0.41 tcp dport 80 jump web'),
    ),
    packets: `
      tcp syn lan 1024 > 172.30.0.41 80 => new; lan 1024 > inside 80
      tcp syn 10.1.2.4 1024 > 172.30.0.41 80 => new; 10.1.2.4 1024 > inside2 80
      tcp syn lan 1025 > 172.30.0.41 80 => new; lan 1025 > inside 80
      tcp syn 10.1.2.4 1025 > 172.30.0.41 80 => new; 10.1.2.4 1025 > inside2 80
      tcp syn 10.1.2.5 1025 > 172.30.0.41 80 => new; 10.1.2.5 1025 > inside 80
      tcp syn lan 1026 > 172.30.0.41 80 => new; lan 1026 > inside 80`,
  },
  {
    name: 'a client stays with its server by sets of those that each has served',
    nft: table(
      'ip',
      'set a1 { type ipv4_addr; flags dynamic,timeout; timeout 1s; size 100; }\nset a2 { type ipv4_addr; flags dynamic,timeout; timeout 1s; size 100; }\n',
      'chain one { update @a1 { ip saddr }\nmeta l4proto tcp dnat to 192.168.1.5:8080\n}\n' +
        'chain two { update @a2 { ip saddr }\nmeta l4proto tcp dnat to 192.168.1.6:8081\n}\n' +
        'chain web { ip saddr @a1 goto one\nip saddr @a2 goto two\nnumgen inc mod 2 vmap { 0 : goto one, 1 : goto two }\n}\n',
      natChain('prerouting', 'ip daddr 172.30.0.41 tcp dport 80 jump web'),
    ),
    xt: `*nat
:WEB - [0:0]
:ONE - [0:0]
:TWO - [0:0]
-A PREROUTING -d 172.30.0.41/32 -p tcp -m tcp --dport 80 -j WEB
-A WEB -m recent --name S1 --rcheck --seconds 1 --reap --rsource -j ONE
-A WEB -m recent --name S2 --rcheck --seconds 1 --reap --rsource -j TWO
-A WEB -m statistic --mode nth --every 2 --packet 0 -j ONE
-A WEB -j TWO
-A ONE -p tcp -m recent --name S1 --set --rsource -m tcp -j DNAT --to-destination 192.168.1.5:8080
-A TWO -p tcp -m recent --name S2 --set --rsource -m tcp -j DNAT --to-destination 192.168.1.6:8081
COMMIT
`,
    packets: `
      tcp syn lan 1024 > 172.30.0.41 80 => new; lan 1024 > inside 8080
      tcp syn 10.1.2.4 1024 > 172.30.0.41 80 => new; 10.1.2.4 1024 > inside2 8081
      tcp syn lan 1025 > 172.30.0.41 80 => new; lan 1025 > inside 8080
      tcp syn 10.1.2.4 1025 > 172.30.0.41 80 => new; 10.1.2.4 1025 > inside2 8081
      tcp syn 10.1.2.4 1026 > 172.30.0.41 80 wait=2200 => new; 10.1.2.4 1026 > inside 8080
      tcp syn lan 1026 > 172.30.0.41 80 => new; lan 1026 > inside2 8081`,
  },
  {
    name: 'source ranges: who is allowed reaches a server and is masqueraded, others are dropped',
    nft: table(
      'ip',
      'chain lb { ip saddr { 198.51.100.0/29, 203.0.113.1, 10.0.0.0/8 } meta mark set meta mark or 0x4000 meta l4proto tcp dnat to 192.168.1.5:8080\nmeta mark set meta mark or 0x8000\n}\n',
      natChain('prerouting', 'ip daddr 203.0.113.50 tcp dport 80 jump lb'),
      natChain('output', 'ip daddr 203.0.113.50 tcp dport 80 jump lb'),
      natChain('postrouting', 'mark and 0x4000 != 0 masquerade'),
      filterChain('forward', 0, 'mark and 0x8000 != 0 drop'),
      filterChain('output', 0, 'mark and 0x8000 != 0 drop'),
    ),
    xt: `*nat
:FW - [0:0]
-A PREROUTING -d 203.0.113.50/32 -p tcp -m tcp --dport 80 -j FW
-A OUTPUT -d 203.0.113.50/32 -p tcp -m tcp --dport 80 -j FW
-A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE
-A FW -s 198.51.100.0/29 -j MARK --or-mark 0x4000
-A FW -s 203.0.113.1/32 -j MARK --or-mark 0x4000
-A FW -s 10.0.0.0/8 -j MARK --or-mark 0x4000
-A FW -p tcp -m mark --mark 0x4000/0x4000 -j DNAT --to-destination 192.168.1.5:8080
-A FW -j MARK --or-mark 0x8000
COMMIT
*filter
-A FORWARD -m mark --mark 0x8000/0x8000 -j DROP
-A OUTPUT -m mark --mark 0x8000/0x8000 -j DROP
COMMIT
`,
    packets: `
      tcp syn outside 1024 > 203.0.113.50 80 seq=100 => new; gate 1024 > inside 8080
      tcp syn,ack inside 8080 > gate 1024 seq=500 ack=101 => reply; 203.0.113.50 80 > outside 1024
      tcp syn outside2 1024 > 203.0.113.50 80 => new; nothing
      tcp syn host 1025 > 203.0.113.50 80 => new; gate 1025 > inside 8080
      tcp syn lan 1026 > 203.0.113.50 80 => new; gate 1026 > inside 8080`,
  },
  {
    name: 'local policy: from outside only this node’s servers, unmasqueraded; from inside all of them',
    nft: table(
      'ip',
      'chain every { meta l4proto tcp dnat to numgen inc mod 2 map { 0 : 192.168.1.6, 1 : 192.168.1.5 }\n}\n',
      'chain ext { ip saddr 10.0.0.0/8 goto every\nmeta l4proto tcp dnat to 192.168.1.5:8080\n}\n',
      natChain('prerouting', 'fib daddr type local tcp dport 30080 jump ext'),
    ),
    packets: `
      tcp syn outside 1024 > host 30080 from=eth0 => new; outside 1024 > inside 8080
      tcp syn outside 1025 > host 30080 from=eth0 => new; outside 1025 > inside 8080
      tcp syn lan 1024 > host 30080 => new; lan 1024 > inside2 30080
      tcp syn lan 1025 > host 30080 => new; lan 1025 > inside 30080`,
  },
  {
    name: 'no server on this node: what comes from outside is dropped',
    nft: table(
      'ip',
      natChain(
        'prerouting',
        'fib daddr type local tcp dport 30080 ip saddr 10.0.0.0/8 dnat to 192.168.1.6:8081',
      ),
      filterChain('prerouting', -110, 'fib daddr type local tcp dport 30080 ip saddr != 10.0.0.0/8 drop'),
    ),
    packets: `
      tcp syn outside 1024 > host 30080 from=eth0 => new; nothing
      tcp syn lan 1024 > host 30080 => new; lan 1024 > inside2 8081`,
  },
  {
    name: 'services of IPv6 likewise',
    nft: table(
      'ip6',
      'chain one { ip6 saddr fd00:1::5 meta mark set 0x4000\nmeta l4proto tcp dnat to [fd00:1::5]:8080\n}\nchain two { meta l4proto tcp dnat to [fd00:1::6]:8081\n}\n',
      natChain(
        'prerouting',
        'ip6 daddr . meta l4proto . th dport { fd00:aaaa::1 . tcp . 80 } numgen inc mod 2 vmap { 0 : goto one, 1 : goto two }',
      ),
      natChain('postrouting', 'meta mark 0x4000 masquerade'),
    ),
    packets: `
      tcp syn inside6 1024 > fd00:aaaa::1 80 seq=100 => new; gate6 1024 > inside6 8080
      tcp syn,ack inside6 8080 > gate6 1024 seq=500 ack=101 => reply; fd00:aaaa::1 80 > inside6 1024
      tcp syn inside6 1025 > fd00:aaaa::1 80 seq=100 => new; inside6 1025 > fd00:1::6 8081
      tcp syn,ack fd00:1::6 8081 > inside6 1025 seq=500 ack=101 => reply; fd00:aaaa::1 80 > inside6 1025`,
  },
]);
