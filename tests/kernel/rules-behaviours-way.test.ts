/** The way of packets: hooks, priorities, both languages on one host, marks, tracking before and after the rules. */
import { behaviours } from './rules-scenario.ts';
import type { Source } from './rules-types.ts';

/** A table with one chain at a hook. */
function chain(name: string, hook: string, priority: string, rules: string): string {
  return `table inet ${name} {\nchain c {\ntype filter hook ${hook} priority ${priority}\n${rules}\n}\n}\n`;
}

const LEGACY_MARKS: Source = {
  kind: 'iptables-legacy',
  text: '*filter\n:FORWARD ACCEPT\n-A FORWARD -p tcp -m mark --mark 2 -j DROP\n-A FORWARD -j MARK --set-mark 1\nCOMMIT\n',
};
const NFT_MARKS: Source = {
  kind: 'nft',
  text: chain('t', 'forward', '0', 'meta l4proto udp meta mark 1 drop\nmeta mark set 2'),
};
const VARIANT_MARKS: Source = { kind: 'iptables-nft', text: LEGACY_MARKS.text };

const TALK = `
  accept tcp syn inside 1024 > outside 22 seq=100
  accept tcp syn,ack outside 22 > inside 1024 seq=500 ack=101
  accept tcp ack inside 1024 > outside 22 seq=101 ack=501`;

behaviours('the way of packets', 'behaviours-way', [
  {
    name: 'forwarded packets meet PREROUTING, FORWARD, POSTROUTING and neither INPUT nor OUTPUT',
    nft: `${chain('a', 'input', '0', 'drop')}${chain('b', 'output', '0', 'drop')}`,
    packets: `
      accept udp inside 1024 > outside 53
      drop   udp inside 1024 > gate 53
      drop   udp host 1024 > outside 53`,
  },
  {
    name: 'a drop in PREROUTING takes what is forwarded and what is delivered, not what is sent',
    xt: '*mangle\n-A PREROUTING -p udp -j DROP\nCOMMIT',
    nft: chain('a', 'prerouting', 'mangle', 'meta l4proto udp drop'),
    packets: `
      drop   udp inside 1024 > outside 53
      drop   udp outside 1024 > host 53
      accept udp host 1024 > outside 53
      drop   udp host 1024 > host2 53`,
  },
  {
    name: 'a drop in POSTROUTING takes what is forwarded and what is sent, not what is delivered',
    xt: '*mangle\n-A POSTROUTING -p udp -o eth0 -j DROP\nCOMMIT',
    nft: chain('a', 'postrouting', 'mangle', 'oifname "eth0" meta l4proto udp drop'),
    packets: `
      drop   udp inside 1024 > outside 53
      accept udp outside 1024 > host 53
      drop   udp host 1024 > outside 53
      accept udp gate 1024 > inside 53`,
  },
  {
    name: 'a policy of DROP in mangle drops what filter would accept',
    xt: '*mangle\n:FORWARD DROP\n-A FORWARD -p tcp -j ACCEPT\nCOMMIT\n*filter\n-A FORWARD -j ACCEPT\nCOMMIT',
    packets: `
      accept tcp syn inside 1024 > outside 22
      drop   udp inside 1024 > outside 53`,
  },
  {
    name: 'an accept ends one base chain only: the next at the same hook decides again',
    nft: `${chain('a', 'forward', '-10', 'accept')}${chain('b', 'forward', '10', 'meta l4proto udp drop')}`,
    packets: `
      accept tcp syn inside 1024 > outside 22
      drop   udp inside 1024 > outside 53`,
  },
  {
    name: 'a drop of the chain with the lower priority ends it: the one behind never counts',
    nft: `${chain('a', 'forward', '10', 'meta mark 7 drop\nmeta mark set 9')}${chain('b', 'forward', '-10', 'meta l4proto udp meta mark set 7')}`,
    packets: `
      accept tcp syn inside 1024 > outside 22
      drop   udp inside 1024 > outside 53`,
  },
  {
    name: 'a mark that mangle sets is tested in filter, and stays with the packet',
    xt: '*mangle\n-A PREROUTING -p udp -j MARK --set-mark 0x10\nCOMMIT\n*filter\n-A FORWARD -m mark --mark 0x10 -j DROP\n-A FORWARD -m mark --mark 0x10/0x10 -j ACCEPT\nCOMMIT',
    nft: `${chain('m', 'prerouting', 'mangle', 'meta l4proto udp meta mark set 0x10')}${chain('f', 'forward', 'filter', 'meta mark 0x10 drop')}`,
    packets: `
      accept tcp syn inside 1024 > outside 22
      drop   udp inside 1024 > outside 53`,
  },
  {
    name: 'marks are set bit by bit under their masks',
    xt: `*mangle
      -A PREROUTING -j MARK --set-xmark 0xff/0xff
      -A PREROUTING -p udp -j MARK --set-mark 0x100/0x100
      -A PREROUTING -p tcp -j MARK --and-mark 0xf0
      -A PREROUTING -p icmp -j MARK --xor-mark 0x101
      COMMIT
      *filter
      -A FORWARD -m mark --mark 0x1ff -j DROP
      -A FORWARD -m mark --mark 0xf0 -j DROP
      -A FORWARD -m mark ! --mark 0x1fe -j DROP
      COMMIT`,
    packets: `
      drop   udp inside 1024 > outside 53
      drop   tcp syn inside 1024 > outside 22
      accept icmp 8 inside > outside
      drop   proto 47 inside > outside`,
  },
  {
    name: 'the connection mark comes back with the answer',
    xt: `*mangle
      -A PREROUTING -j CONNMARK --restore-mark
      -A PREROUTING -m mark --mark 0 -p udp --dport 53 -j MARK --set-mark 5
      -A POSTROUTING -j CONNMARK --save-mark
      COMMIT
      *filter
      -A FORWARD -i eth0 -m mark ! --mark 5 -j DROP
      COMMIT`,
    nft: `${chain('m', 'prerouting', 'mangle', 'meta mark set ct mark\nmeta mark 0 udp dport 53 meta mark set 5')}${chain('p', 'postrouting', 'mangle', 'ct mark set meta mark')}${chain('f', 'forward', 'filter', 'iifname "eth0" meta mark != 5 drop')}`,
    packets: `
      accept udp inside 1024 > outside 53
      accept udp outside 53 > inside 1024
      accept udp inside 1024 > outside 123
      drop   udp outside 123 > inside 1024`,
  },
  {
    name: 'a packet that raw takes out of tracking is UNTRACKED, neither NEW nor INVALID',
    xt: `*raw
      -A PREROUTING -p udp -j CT --notrack
      COMMIT
      *filter
      -A FORWARD -m conntrack --ctstate NEW,INVALID,ESTABLISHED -p udp -j DROP
      -A FORWARD -m conntrack --ctstate UNTRACKED -p udp --dport 53 -j ACCEPT
      -A FORWARD -p udp -j DROP
      COMMIT`,
    nft: `${chain('r', 'prerouting', 'raw', 'meta l4proto udp notrack')}${chain('f', 'forward', 'filter', 'meta l4proto udp ct state new,invalid,established drop\nct state untracked udp dport 53 accept\nmeta l4proto udp drop')}`,
    packets: `
      accept udp inside 1024 > outside 53
      accept udp inside 1024 > outside 53
      drop   udp outside 53 > inside 1024
      accept tcp syn inside 1024 > outside 22`,
  },
  {
    name: 'NOTRACK of the answers leaves the flow without them',
    xt: '*raw\n-A PREROUTING -i eth0 -p udp -j NOTRACK\nCOMMIT\n*filter\n-A FORWARD -m state --state ESTABLISHED -j DROP\nCOMMIT',
    packets: `
      accept udp inside 1024 > outside 53
      accept udp outside 53 > inside 1024
      accept udp inside 1024 > outside 53`,
  },
  {
    name: 'notrack behind tracking has no effect any more',
    nft: `${chain('r', 'prerouting', 'mangle', 'meta l4proto udp notrack')}${chain('f', 'forward', 'filter', 'ct state untracked drop')}`,
    packets: 'accept udp inside 1024 > outside 53',
  },
  {
    name: 'at raw, before tracking, nft has no state but invalid for a packet',
    nft: chain('r', 'prerouting', 'raw', 'ct state new,established,related,untracked drop'),
    packets: TALK,
  },
  {
    name: 'at raw, before tracking, nft calls every packet invalid',
    nft: chain('r', 'prerouting', 'raw', 'ct state invalid drop'),
    packets: TALK.replaceAll('accept', 'drop'),
  },
  {
    name: 'packets of the host itself are taken out of tracking in raw OUTPUT',
    xt: '*raw\n-A OUTPUT -p udp -j CT --notrack\nCOMMIT\n*filter\n-A OUTPUT -m conntrack --ctstate UNTRACKED -j DROP\nCOMMIT',
    packets: `
      drop   udp host 1024 > outside 53
      accept tcp syn host 1024 > outside 22`,
  },
  {
    name: 'a first packet that is dropped leaves no entry: the answer is not ESTABLISHED',
    xt: '-A FORWARD -i eth1 -p udp --dport 53 -j DROP\n-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n-A FORWARD -i eth0 -j DROP',
    nft: 'iifname "eth1" udp dport 53 drop\nct state established accept\niifname "eth0" drop',
    packets: `
      drop   udp inside 1024 > outside 53
      drop   udp outside 53 > inside 1024
      accept udp inside 1024 > outside 123
      accept udp outside 123 > inside 1024`,
  },
  {
    name: 'a first packet dropped behind the filter leaves no entry either',
    xt: '*mangle\n-A POSTROUTING -p udp --dport 53 -j DROP\nCOMMIT\n*filter\n-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n-A FORWARD -i eth0 -j DROP\nCOMMIT',
    packets: `
      drop   udp inside 1024 > outside 53
      drop   udp outside 53 > inside 1024`,
  },
  {
    name: 'a first packet that is rejected leaves no entry either',
    xt: '-A FORWARD -i eth1 -p udp -j REJECT\n-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n-A FORWARD -j DROP',
    nft: 'iifname "eth1" meta l4proto udp reject\nct state established accept\ndrop',
    packets: `
      reject udp inside 1024 > outside 53
      drop   udp outside 53 > inside 1024`,
  },
  {
    name: 'an established flow is stopped by a rule: the entry lets nothing through by itself',
    xt: ':FORWARD ACCEPT\n-A FORWARD -p tcp --tcp-flags PSH PSH -j DROP\n-A FORWARD -m conntrack --ctstate ESTABLISHED -m conntrack --ctdir REPLY --ctstatus ASSURED -j DROP',
    packets: `${TALK}
      drop   tcp psh,ack outside 22 > inside 1024 seq=501 ack=101 len=5
      drop   tcp ack outside 22 > inside 1024 seq=501 ack=101`,
  },
  {
    name: 'the classic client: new and established out, established in',
    xt: ':INPUT DROP\n:OUTPUT DROP\n-A OUTPUT -p tcp -m state --state NEW,ESTABLISHED -j ACCEPT\n-A INPUT -p tcp -m state --state ESTABLISHED -j ACCEPT',
    packets: `
      accept tcp syn host 1024 > outside 22 seq=100
      accept tcp syn,ack outside 22 > host 1024 seq=500 ack=101
      accept tcp ack host 1024 > outside 22 seq=101 ack=501
      drop   tcp syn outside 1024 > host 22
      drop   udp host 1024 > outside 53`,
  },
  {
    name: 'the modern server: established and related first, ssh new, everything else dropped',
    hook: 'input',
    nft: 'ct state invalid drop\nct state established,related accept\ntcp dport 22 ct state new accept\ndrop',
    xt: ':INPUT DROP\n-A INPUT -m conntrack --ctstate INVALID -j DROP\n-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n-A INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT',
    packets: `
      accept tcp syn outside 1024 > host 22 seq=100
      accept tcp syn,ack host 22 > outside 1024 seq=500 ack=101
      accept tcp ack outside 1024 > host 22 seq=101 ack=501
      drop   tcp syn outside 1025 > host 80
      drop   tcp syn,fin outside 1026 > host 22
      accept udp host 1024 > outside 53
      accept udp outside 53 > host 1024
      drop   udp outside 53 > host 1025`,
  },
  {
    name: 'new without SYN is dropped by the classic rule, and a whole handshake goes through',
    xt: '-A FORWARD -p tcp ! --syn -m state --state NEW -j DROP',
    nft: 'tcp flags & (syn | rst | ack | fin) != syn ct state new drop',
    packets: `
      drop   tcp ack inside 1030 > outside 80 seq=7 ack=9
      ${TALK}`,
  },
  {
    name: 'what is INVALID: odd flags, answers to nothing, a SYN/ACK out of the blue, segments far outside the window',
    xt: '-A FORWARD -m conntrack --ctstate INVALID -j DROP',
    nft: 'ct state invalid drop',
    packets: `
      drop   tcp none inside 1024 > outside 22
      drop   tcp syn,fin inside 1024 > outside 22
      drop   tcp syn,ack outside 22 > inside 1040
      drop   tcp rst inside 1041 > outside 22
      drop   icmp 0 outside > inside id=77
      drop   icmp 40 inside > outside
      ${TALK}
      drop   tcp ack inside 1024 > outside 22 seq=9999999 ack=501`,
  },
  {
    name: 'an ICMP error about a known flow is RELATED in both directions, one about an unknown flow INVALID',
    xt: '-A FORWARD -p icmp -m conntrack --ctstate RELATED -j ACCEPT\n-A FORWARD -p icmp -j DROP',
    nft: 'meta l4proto icmp ct state related accept\nmeta l4proto icmp drop',
    packets: `
      accept udp inside 1024 > outside 53
      accept error 3/3 outside > inside about=0
      accept error 3/4 198.51.100.99 > inside about=0
      accept udp outside 53 > inside 1024
      accept error 11/0 inside > outside about=3
      drop   error 3/3 outside > inside2 about=0
      drop   icmp 8 inside > outside`,
  },
  {
    name: 'ICMPv6 errors are RELATED, echo is NEW and ESTABLISHED, neighbour discovery is UNTRACKED',
    hook: 'input',
    nft: 'ct state untracked accept\nct state related icmpv6 type packet-too-big accept\nct state new icmpv6 type echo-request accept\nct state established meta l4proto ipv6-icmp accept\nct state established accept\ndrop',
    packets: `
      accept icmp 128 outside6 > host6
      accept icmp 129 host6 > outside6
      accept icmp 128 outside6 > host6
      drop   udp outside6 53 > host6 1024
      accept udp host6 1024 > outside6 53
      accept udp outside6 53 > host6 1024
      accept error 2/0 other6 > host6 about=4
      drop   error 1/4 outside6 > host6 about=4`,
  },
  {
    name: 'loopback traffic meets OUTPUT and POSTROUTING, then PREROUTING and INPUT by lo',
    nft: `${chain('a', 'output', '0', 'oifname "lo" udp dport 1 drop')}${chain('b', 'input', '0', 'iifname "lo" udp dport 2 drop')}${chain('c', 'prerouting', '0', 'iif lo udp dport 3 drop')}${chain('d', 'postrouting', '0', 'oif lo udp dport 4 drop')}`,
    packets: `
      drop   udp host 1024 > host 1
      drop   udp host 1024 > host 2
      drop   udp host 1024 > host2 3
      drop   udp host 1024 > gate 4
      accept udp host 1024 > gate 5
      accept udp 127.0.0.1 1024 > 127.0.0.1 5 from=host
      drop   udp 127.0.0.1 1024 > 127.0.0.1 2 from=host
      accept udp host 1024 > outside 1`,
  },
  {
    name: 'loopback traffic keeps its state on the way back in',
    xt: ':INPUT DROP\n-A INPUT -i lo -m conntrack --ctstate ESTABLISHED -j ACCEPT\n-A INPUT -i lo -p udp --dport 53 -m conntrack --ctstate NEW -j ACCEPT',
    packets: `
      accept udp host 1024 > host 53
      accept udp host 53 > host 1024
      drop   udp host 1024 > host 54`,
  },
  {
    name: 'defragmentation comes before the rules: ports are seen in the whole packet',
    xt: '-A FORWARD -p udp --dport 53 -j DROP\n-A FORWARD -f -j DROP',
    nft: 'udp dport 53 drop\nip frag-off & 0x1fff != 0 drop',
    packets: `
      drop   udp inside 1024 > outside 53 len=100 size=40 ipid=4001
      accept udp inside 1024 > outside 54 len=100 size=40 ipid=4002`,
  },
  {
    name: 'legacy loaded first, nft second at one priority: nft comes first',
    sources: [LEGACY_MARKS, NFT_MARKS],
    packets: `
      accept udp inside 1024 > outside 53
      drop   tcp syn inside 1024 > outside 22`,
  },
  {
    name: 'nft loaded first, legacy second at one priority: legacy comes first',
    sources: [NFT_MARKS, LEGACY_MARKS],
    packets: `
      drop   udp inside 1024 > outside 53
      accept tcp syn inside 1024 > outside 22`,
  },
  {
    name: 'the nft variant of iptables loaded behind nft comes first at one priority',
    sources: [NFT_MARKS, VARIANT_MARKS],
    packets: `
      drop   udp inside 1024 > outside 53
      accept tcp syn inside 1024 > outside 22`,
  },
  {
    name: 'chains of one priority in one file: the last that was declared comes first',
    nft: `${chain('a', 'forward', '0', 'meta mark 1 drop\nmeta mark set 2')}${chain('b', 'forward', '0', 'meta mark set 1')}${chain('z', 'prerouting', '0', 'udp dport 1 meta mark set 1')}`,
    packets: `
      drop   udp inside 1024 > outside 53
      drop   udp inside 1024 > outside 1`,
  },
  {
    name: 'the first declared of one priority comes last',
    nft: `${chain('b', 'forward', '0', 'meta mark set 1')}${chain('a', 'forward', '0', 'meta mark 1 drop\nmeta mark set 2')}`,
    packets: 'accept udp inside 1024 > outside 53',
  },
  {
    name: 'a lower priority comes first whatever was loaded first',
    sources: [
      { kind: 'nft', text: chain('t', 'forward', '-1', 'meta mark set 2') },
      LEGACY_MARKS,
      { kind: 'nft', text: chain('u', 'forward', '1', 'meta mark 1 drop') },
    ],
    packets: 'drop udp inside 1024 > outside 53',
  },
  {
    name: 'an accept in legacy does not save a packet from nft, and the other way round',
    sources: [
      {
        kind: 'iptables-legacy',
        text: '*filter\n-A FORWARD -p udp --dport 1 -j ACCEPT\n-A FORWARD -p udp --dport 2 -j DROP\nCOMMIT\n',
      },
      { kind: 'nft', text: chain('t', 'forward', '0', 'udp dport 1 drop\nudp dport 2 accept') },
    ],
    packets: `
      drop   udp inside 1024 > outside 1
      drop   udp inside 1024 > outside 2
      accept udp inside 1024 > outside 3`,
  },
  {
    name: 'marks of legacy mangle reach an nft filter, and nft marks a legacy filter',
    sources: [
      { kind: 'iptables-legacy', text: '*mangle\n-A PREROUTING -p udp -j MARK --set-mark 3\nCOMMIT\n' },
      {
        kind: 'nft',
        text: chain(
          't',
          'prerouting',
          'filter',
          'meta mark 3 udp dport 1 drop\nmeta l4proto tcp meta mark set 4',
        ),
      },
      { kind: 'ip6tables-legacy', text: '*filter\n-A FORWARD -m mark --mark 4 -j DROP\nCOMMIT\n' },
    ],
    packets: `
      drop   udp inside 1024 > outside 1
      accept udp inside 1024 > outside 2
      accept tcp syn inside 1024 > outside 2
      drop   tcp syn inside6 1024 > outside6 2`,
  },
  {
    name: 'a priority by name with an offset stands where its number says',
    nft: `${chain('a', 'forward', 'filter - 5', 'meta mark set 1')}${chain('b', 'forward', 'security', 'meta mark 1 drop')}${chain('d', 'forward', 'filter + 5', 'meta mark 1 udp dport 9 meta mark set 3')}`,
    packets: `
      drop   udp inside 1024 > outside 53
      accept udp inside 1024 > outside 9`,
  },
  {
    name: 'a packet whose hop limit is used up never comes to FORWARD',
    xt: '-A FORWARD -j DROP\n-A OUTPUT -j DROP',
    packets: `
      drop   udp inside 1024 > outside 53 ttl=1
      drop   udp inside 1024 > outside 53 ttl=2`,
  },
  {
    name: 'a copy takes the route to its gateway, or over the device that a rule names, and is not copied again',
    nft: `table ip t {
      chain a { type filter hook postrouting priority -5
        udp dport 53 log prefix "post" group 1 dup to 203.0.113.77
        oifname "eth0" log prefix "outside" group 1
      }
      chain b { type filter hook prerouting priority -5
        udp dport 54 dup to 203.0.113.77 device "eth0"
        udp dport 54 dup to 203.0.113.77 device "eth1"
      }
      chain o { type filter hook output priority -5
        oifname "eth1" log prefix "to eth1" group 1
        oifname "eth0" log prefix "to eth0" group 1
      }
    }`,
    xt: `*mangle
      -A PREROUTING -p udp -j TEE --gateway 203.0.113.77
      -A OUTPUT -o eth1 -j NFLOG --nflog-group 1 --nflog-prefix eth0
      -A POSTROUTING -o eth0 -j NFLOG --nflog-group 1 --nflog-prefix post
      COMMIT`,
    packets: `
      accept udp outside 1024 > inside 53
      accept udp outside 1024 > inside 54`,
  },
  {
    name: 'ingress copies and forwards packets as they are to a device; to a neighbour with one hop less',
    nft: `table netdev t {
      chain c { type filter hook ingress device "eth1" priority 0
        udp dport 1 dup to "eth0"
        udp dport 2 fwd to "eth0"
        meta protocol ip udp dport 3 fwd ip to 203.0.113.9 device "eth0"
      }
    }`,
    packets: `
      accept udp inside 1024 > outside 1
      drop   udp inside 1024 > outside 2
      drop   udp inside6 1024 > outside6 2
      drop   udp inside 1024 > outside 3
      drop   udp inside 1024 > outside 3 ttl=1`,
  },
  {
    name: 'ingress answers what it rejects on Ethernet only, and a TUN device is none',
    nft: `table netdev t {
      chain c { type filter hook ingress device "eth1" priority 0
        meta l4proto tcp reject with tcp reset
        reject
      }
    }`,
    packets: `
      drop   tcp syn inside 1024 > outside 1
      drop   udp inside6 1024 > outside6 2`,
  },
  {
    name: 'what is no longer said to be for this host is not forwarded',
    nft: `table inet t {
      chain c { type filter hook prerouting priority 0
        udp dport 1 meta pkttype set other
        udp dport 2 meta pkttype set multicast
        udp dport 3 meta pkttype set host
      }
    }`,
    packets: `
      drop   udp inside 1024 > outside 1
      drop   udp inside 1024 > outside 2
      accept udp inside 1024 > outside 3
      accept udp outside 1024 > host 1
      accept udp outside 1024 > host 2
      drop   udp inside6 1024 > outside6 1`,
  },
  {
    name: 'raw bytes of an IP header that are written in front of tracking make its checksum wrong, and with it those behind',
    nft: `table inet t {
      chain a { type filter hook prerouting priority -300
        @nh,8,8 set 1
      }
      chain b { type filter hook forward priority 0
        ct state invalid drop
      }
    }`,
    packets: `
      drop   udp inside 1024 > outside 1
      drop   tcp syn inside 1024 > outside 1
      drop   icmp 8 inside > outside
      accept sctp inside 1024 > outside 1
      accept udp inside6 1024 > outside6 1`,
  },
  {
    name: 'bytes behind the transport header are written as whole words, and its checksum follows',
    nft: `table inet t {
      chain a { type filter hook forward priority 0
        udp dport 1 @ih,8,8 set 0x41
        udp dport 2 @ih,16,8 set 0x41
        udp dport 3 @ih,8,16 set 0x4142
      }
    }`,
    packets: `
      accept udp inside 1024 > outside 1 text=abc
      accept udp inside 1024 > outside 2 text=abc
      accept udp inside 1024 > outside 2 text=abcd
      accept udp inside 1024 > outside 3 text=abc`,
  },
  {
    name: 'the way of a packet of the host to itself is as wide as lo, both ways',
    nft: `table inet t {
      chain a { type filter hook output priority 0
        tcp dport 1 rt mtu 536 drop
        tcp dport 2 rt mtu 1440-1460 drop
        tcp dport 3 rt mtu 65495 drop
      }
    }`,
    packets: `
      drop   tcp syn host6 1024 > gate6 1
      drop   tcp syn host 1024 > gate 3
      accept tcp syn host 1024 > gate 2
      accept tcp syn host 1024 > outside 1
      drop   tcp syn host 1024 > outside 2
      drop   tcp syn host6 1024 > outside6 2`,
  },
  {
    name: 'an address is not written where the packet ends in front of the checksum that it is part of',
    nft: `table inet t {
      chain a { type filter hook postrouting priority 300
        ip saddr set 198.51.100.99
        ip6 saddr set 2001:db8:5::99
      }
    }`,
    packets: `
      accept proto 6 inside > outside len=10
      accept proto 6 inside6 > outside6 len=10
      accept proto 58 inside6 > outside6 len=2
      accept proto 17 inside > outside len=2
      accept proto 132 inside > outside len=2`,
  },
  {
    name: '"no next header" is a protocol like others to rules, and what follows it is its header',
    xt6: '-A FORWARD -p 59 -j DROP',
    nft: 'meta l4proto 59 th sport 0 drop',
    packets: `
      drop   proto 59 inside6 > outside6 len=4
      accept udp inside6 1 > outside6 1`,
  },
  {
    name: 'a hashlimit of ports drops what has no transport header at all',
    xt6: `
      -A FORWARD -m hashlimit --hashlimit-upto 2/hour --hashlimit-mode srcip,srcport --hashlimit-name ports -j ACCEPT
      -A FORWARD -d 2001:db8:5::2 -m hashlimit --hashlimit-upto 2/hour --hashlimit-mode dstip --hashlimit-name hosts -j ACCEPT`,
    packets: `
      drop   proto 59 inside6 > outside6 len=4
      drop   proto 60 inside6 > outside6 len=4
      accept proto 253 inside6 > outside6 len=4`,
  },
  {
    name: 'at INPUT, too, fib says of a packet that came over lo that it came from there',
    hook: 'input',
    nft: 'udp dport 1 fib saddr oif exists drop\nudp dport 2 fib saddr oifname "lo" drop',
    packets: `
      drop   udp host 1024 > gate 1
      drop   udp host6 1024 > gate6 2
      accept udp host6 1024 > gate6 3
      drop   udp outside 1024 > host 1`,
  },
]);
