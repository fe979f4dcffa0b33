/** Matches and targets at their boundaries, in the order in which real rulesets use them. */
import { behaviours } from './rules-scenario.ts';

const HANDSHAKE = `
  accept tcp syn inside 1024 > outside 22 seq=100
  accept tcp syn,ack outside 22 > inside 1024 seq=500 ack=101
  accept tcp ack inside 1024 > outside 22 seq=101 ack=501`;

behaviours('matches at their boundaries', 'behaviours-match', [
  {
    name: '--syn takes SYN without ACK, RST, FIN, whatever the other flags',
    xt: '-A FORWARD -p tcp --syn -j DROP',
    nft: 'tcp flags & (fin | syn | rst | ack) == syn drop',
    packets: `
      drop   tcp syn inside 1024 > outside 1
      accept tcp syn,ack inside 1024 > outside 2
      accept tcp syn,rst inside 1024 > outside 3
      accept tcp syn,fin inside 1024 > outside 4
      drop   tcp syn,psh,urg inside 1024 > outside 5
      accept tcp none inside 1024 > outside 6`,
  },
  {
    name: '--tcp-flags compares only the bits of its mask, NONE and ALL are words',
    xt: '-A FORWARD -p tcp --tcp-flags ALL NONE -j DROP\n-A FORWARD -p tcp --tcp-flags SYN,FIN SYN,FIN -j DROP\n-A FORWARD -p tcp ! --tcp-flags ALL SYN,PSH --dport 9 -j DROP',
    packets: `
      drop   tcp none inside 1024 > outside 1
      drop   tcp syn,fin inside 1024 > outside 1
      drop   tcp syn,fin,psh,urg inside 1024 > outside 1
      accept tcp syn inside 1024 > outside 1
      accept tcp syn,psh inside 1024 > outside 9
      drop   tcp syn inside 1025 > outside 9`,
  },
  {
    name: 'nft compares flags whole, by any bit, by none',
    nft: 'tcp dport 1 tcp flags == syn drop\ntcp dport 2 tcp flags syn,ack drop\ntcp dport 3 tcp flags ! syn drop\ntcp dport 4 tcp flags syn / syn,ack drop\ntcp dport 5 tcp flags != syn drop',
    packets: `
      drop   tcp syn inside 1024 > outside 1
      accept tcp syn,psh inside 1024 > outside 1
      drop   tcp ack inside 1024 > outside 2
      accept tcp fin inside 1024 > outside 2
      drop   tcp ack inside 1024 > outside 3
      accept tcp syn,ack inside 1024 > outside 3
      drop   tcp syn,psh inside 1024 > outside 4
      accept tcp syn,ack inside 1024 > outside 4
      accept tcp syn inside 1024 > outside 5
      drop   tcp syn,psh inside 1024 > outside 5`,
  },
  {
    name: '--tcp-option finds an option by its number, MSS by value only where there is one',
    xt: '-A FORWARD -p tcp --dport 1 --tcp-option 2 -j DROP\n-A FORWARD -p tcp --dport 2 ! --tcp-option 2 -j DROP\n-A FORWARD -p tcp --dport 3 -m tcpmss --mss 1400:1460 -j DROP\n-A FORWARD -p tcp --dport 4 -m tcpmss ! --mss 536 -j DROP',
    packets: `
      drop   tcp syn inside 1024 > outside 1 mss=1460
      accept tcp syn inside 1024 > outside 1
      accept tcp syn inside 1024 > outside 2 mss=1460
      drop   tcp syn inside 1024 > outside 2
      accept tcp syn inside 1024 > outside 3 mss=1399
      drop   tcp syn inside 1024 > outside 3 mss=1400
      drop   tcp syn inside 1024 > outside 3 mss=1460
      accept tcp syn inside 1024 > outside 3 mss=1461
      accept tcp syn inside 1024 > outside 3
      accept tcp syn inside 1024 > outside 4 mss=536
      drop   tcp syn inside 1024 > outside 4 mss=537`,
  },
  {
    name: 'TCPMSS lowers an MSS, raises none, and touches SYN packets',
    xt: '*mangle\n-A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1300\nCOMMIT\n*filter\n-A FORWARD -p tcp -m tcpmss --mss 1301:65535 -j DROP\nCOMMIT',
    nft: 'tcp flags syn tcp option maxseg size set 1300',
    packets: `
      accept tcp syn inside 1024 > outside 1 mss=1460
      accept tcp syn inside 1025 > outside 1 mss=1300
      accept tcp syn inside 1026 > outside 1 mss=536
      accept tcp syn inside 1027 > outside 1`,
  },
  {
    name: 'ICMP types match with and without a code, by name and number; any matches all',
    xt: '-A FORWARD -p icmp --icmp-type 3/3 -j DROP\n-A FORWARD -p icmp --icmp-type echo-request -j DROP\n-A FORWARD -p icmp ! --icmp-type any -j DROP\n-A FORWARD -p icmp -m icmp --icmp-type 13 -j DROP',
    nft: 'icmp type destination-unreachable icmp code port-unreachable drop\nicmp type echo-request drop\nicmp type timestamp-request drop',
    packets: `
      drop   icmp 8 inside > outside
      drop   icmp 8/1 inside > outside
      accept icmp 0 inside > outside
      drop   icmp 13 inside > outside
      accept icmp 5/1 inside > outside
      drop   icmp 3/3 inside > outside
      accept icmp 3/1 inside > outside`,
  },
  {
    name: 'ICMPv6 types match by name and number',
    xt6: '-A FORWARD -p ipv6-icmp --icmpv6-type echo-request -j DROP\n-A FORWARD -p icmpv6 --icmpv6-type 1/4 -j DROP',
    nft: 'icmpv6 type echo-request drop\nicmpv6 type destination-unreachable icmpv6 code port-unreachable drop',
    packets: `
      drop   icmp 128 inside6 > outside6
      accept icmp 129 inside6 > outside6
      drop   icmp 1/4 inside6 > outside6
      accept icmp 1/3 inside6 > outside6
      accept icmp 200/7 inside6 > outside6`,
  },
  {
    name: 'ICMP rules do not meet ICMPv6, nor the other way round',
    nft: 'icmp type 8 drop\nicmpv6 type 128 drop',
    packets: `
      drop   icmp 8 inside > outside
      accept icmp 128 inside > outside
      drop   icmp 128 inside6 > outside6
      accept icmp 8 inside6 > outside6`,
  },
  {
    name: 'limit lets its burst through and no packet more at once',
    xt: '-A FORWARD -p udp -m limit --limit 1/hour --limit-burst 3 -j ACCEPT\n-A FORWARD -p udp -j DROP',
    nft: 'meta l4proto udp limit rate 1/hour burst 3 packets accept\nmeta l4proto udp drop',
    packets: `
      accept udp inside 1024 > outside 1
      accept udp inside 1024 > outside 2
      accept udp inside 1024 > outside 3
      drop   udp inside 1024 > outside 4
      drop   udp inside 1024 > outside 5
      accept icmp 8 inside > outside`,
  },
  {
    name: 'a limit without a burst lets five through; only packets that came so far count',
    xt: '-A FORWARD -p udp --dport 1 -m limit --limit 3/hour -j ACCEPT\n-A FORWARD -p udp --dport 1 -j DROP',
    nft: 'udp dport 1 limit rate 3/hour accept\nudp dport 1 drop',
    packets: `
      accept udp inside 1 > outside 1
      accept udp inside 2 > outside 2
      accept udp inside 3 > outside 1
      accept udp inside 4 > outside 1
      accept udp inside 5 > outside 1
      accept udp inside 6 > outside 1
      drop   udp inside 7 > outside 1`,
  },
  {
    name: 'limit over matches what is too much',
    nft: 'udp dport 1 limit rate over 2/hour burst 2 packets drop',
    packets: `
      accept udp inside 1 > outside 1
      accept udp inside 2 > outside 1
      drop   udp inside 3 > outside 1`,
  },
  {
    name: 'a limit in bytes counts the whole IP packet',
    nft: 'udp dport 1 limit rate 1 bytes/hour burst 100 bytes accept\nudp dport 1 drop',
    packets: `
      accept udp inside 1 > outside 1 len=32
      accept udp inside 2 > outside 1 len=12
      drop   udp inside 3 > outside 1 len=2
      drop   udp inside 4 > outside 1`,
  },
  {
    name: 'hashlimit counts each source for itself',
    xt: '-A FORWARD -p udp -m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-name b1 -j ACCEPT\n-A FORWARD -p udp -j DROP',
    packets: `
      accept udp inside 1 > outside 1
      accept udp inside 2 > outside 2
      accept udp inside2 1 > outside 1
      drop   udp inside 3 > outside 3
      accept udp inside2 2 > outside 1
      drop   udp inside2 3 > outside 1`,
  },
  {
    name: 'hashlimit under a mask counts a net as one, and destination ports apart',
    xt: '-A FORWARD -p udp -m hashlimit --hashlimit-above 1/hour --hashlimit-burst 1 --hashlimit-mode srcip,dstport --hashlimit-srcmask 24 --hashlimit-name b2 -j DROP',
    packets: `
      accept udp inside 1 > outside 1
      drop   udp inside2 1 > outside 1
      accept udp inside2 1 > outside 2
      accept udp lan 1 > outside 1
      drop   udp lan 2 > outside 1`,
  },
  {
    name: 'recent: the fourth new connection of a source is dropped, others are not',
    xt: '-A FORWARD -p tcp -m recent --name b3 --update --seconds 60 --hitcount 4 -j DROP\n-A FORWARD -p tcp -m recent --name b3 --set -j ACCEPT',
    packets: `
      accept tcp syn inside 1 > outside 22
      accept tcp syn inside 2 > outside 22
      accept tcp syn inside 3 > outside 22
      accept tcp syn inside 4 > outside 22
      drop   tcp syn inside 5 > outside 22
      accept tcp syn inside2 1 > outside 22`,
  },
  {
    name: 'recent as a list of hosts: set, checked by the other address, removed',
    xt: `-A FORWARD -p udp --dport 1 -m recent --name b4 --set --rsource -j DROP
      -A FORWARD -p udp --dport 2 -m recent --name b4 --rcheck -j DROP
      -A FORWARD -p udp --dport 3 -m recent --name b4 --remove -j DROP
      -A FORWARD -p udp --dport 4 -m recent --name b4 ! --rcheck -j DROP
      -A FORWARD -p udp --sport 5 -m recent --name b4 --rcheck --rdest -j DROP`,
    packets: `
      accept udp inside 9 > outside 2
      drop   udp inside 9 > outside 4
      drop   udp inside 9 > outside 1
      drop   udp inside 9 > outside 2
      drop   udp outside 5 > inside 9
      accept udp inside2 9 > outside 2
      accept udp inside 9 > outside 4
      drop   udp inside 9 > outside 3
      accept udp inside 9 > outside 2
      accept udp inside 9 > outside 3`,
  },
  {
    name: 'port knocking: three ports in order open a fourth',
    xt: `:gate1 - [0:0]
      :gate2 - [0:0]
      -A INPUT -p tcp --dport 22 -m recent --rcheck --name open -j ACCEPT
      -A INPUT -p tcp --dport 1002 -m recent --rcheck --name knock1 -g gate2
      -A INPUT -p tcp --dport 1001 -g gate1
      -A INPUT -j DROP
      -A gate1 -m recent --name knock1 --set -j DROP
      -A gate2 -m recent --name knock1 --remove
      -A gate2 -m recent --name open --set -j DROP`,
    packets: `
      drop   tcp syn outside 1 > host 22
      drop   tcp syn outside 2 > host 1002
      drop   tcp syn outside 3 > host 22
      drop   tcp syn outside 4 > host 1001
      drop   tcp syn outside2 5 > host 1002
      drop   tcp syn outside 6 > host 1002
      accept tcp syn outside 7 > host 22
      drop   tcp syn outside2 8 > host 22`,
  },
  {
    name: 'addrtype tells the host, its broadcast, multicast and the world apart',
    xt: '-A PREROUTING -m addrtype --dst-type LOCAL -j DROP\n'
      .replace(/^/, '*raw\n')
      .concat(
        '-A PREROUTING -m addrtype --dst-type BROADCAST -j DROP\n-A PREROUTING -m addrtype --dst-type MULTICAST -j DROP\n-A PREROUTING -m addrtype ! --src-type UNICAST -j DROP\nCOMMIT',
      ),
    packets: `
      drop   udp inside 1 > gate 1
      drop   udp outside 1 > host2 1
      drop   udp inside 1 > 192.168.1.255 1
      drop   udp inside 1 > 224.0.0.5 1
      accept udp inside 1 > outside 1
      accept udp inside2 1 > near 1`,
  },
  {
    name: 'an address is LOCAL on its own interface only if the rule limits it',
    xt: '-A INPUT -m addrtype --dst-type LOCAL --limit-iface-in -j DROP',
    packets: `
      drop   udp inside 1 > gate 1
      accept udp inside 1 > host 1
      drop   udp outside 1 > host 1`,
  },
  {
    name: 'comments and counters change nothing',
    xt: '-A FORWARD -p udp -m comment --comment "no \\"udp\\" here" -j DROP',
    nft: 'meta l4proto udp drop comment "no udp here"',
    packets: `
      drop   udp inside 1 > outside 1
      accept tcp syn inside 1 > outside 1`,
  },
  {
    name: 'iprange holds both its ends',
    xt: '-A FORWARD -m iprange --src-range 192.168.1.6-192.168.1.128 -j DROP\n-A FORWARD -m iprange ! --dst-range 198.51.100.7-198.51.100.8 -j DROP',
    nft: 'ip saddr 192.168.1.6-192.168.1.128 drop\nip daddr != 198.51.100.7-198.51.100.8 drop',
    packets: `
      accept udp 192.168.1.5 1 > outside 1
      drop   udp 192.168.1.6 1 > outside 1
      drop   udp 192.168.1.128 1 > outside 1
      accept udp 192.168.1.129 1 > outside2 1
      drop   udp 192.168.1.129 1 > 198.51.100.9 1
      drop   udp 192.168.1.129 1 > 198.51.100.6 1`,
  },
  {
    name: 'length of IPv6 counts the IP header too',
    xt6: '-A FORWARD -m length --length 60:100 -j DROP',
    nft: 'meta length 60-100 drop',
    packets: `
      accept udp inside6 1 > outside6 1 len=11
      drop   udp inside6 1 > outside6 1 len=12
      drop   udp inside6 1 > outside6 1 len=52
      accept udp inside6 1 > outside6 1 len=53`,
  },
  {
    name: 'length holds both its ends',
    xt: '-A FORWARD -m length --length 60:100 -j DROP',
    nft: 'meta length 60-100 drop',
    packets: `
      accept udp inside 1 > outside 1 len=31
      drop   udp inside 1 > outside 1 len=32
      drop   udp inside 1 > outside 1 len=72
      accept udp inside 1 > outside 1 len=73`,
  },
  {
    name: 'ttl in FORWARD is one less than it came in with',
    xt: '-A FORWARD -m ttl --ttl-lt 10 -j DROP\n-A FORWARD -m ttl --ttl-eq 64 -p tcp -j DROP\n-A FORWARD -m ttl --ttl-gt 200 -j DROP',
    packets: `
      drop   udp inside 1 > outside 1 ttl=9
      drop   udp inside 1 > outside 1 ttl=10
      accept udp inside 1 > outside 1 ttl=11
      accept tcp syn inside 1 > outside 1 ttl=64
      drop   tcp syn inside 1 > outside 1 ttl=65
      accept udp inside 1 > outside 1 ttl=200
      drop   udp inside 1 > outside 1 ttl=202`,
  },
  {
    name: 'the hop limit in INPUT is the one it came with',
    xt6: '-A INPUT -m hl --hl-eq 255 -j ACCEPT\n-A INPUT -m hl --hl-lt 2 -j DROP\n-A INPUT -m hl ! --hl-eq 64 -j DROP',
    hook: 'input',
    nft: 'ip6 hoplimit 255 accept\nip6 hoplimit < 2 drop\nip6 hoplimit != 64 drop',
    packets: `
      accept udp outside6 1 > host6 1 ttl=255
      drop   udp outside6 1 > host6 1 ttl=1
      accept udp outside6 1 > host6 1 ttl=64
      drop   udp outside6 1 > host6 1 ttl=63`,
  },
  {
    name: 'DSCP and TOS are compared under their masks',
    xt: '-A FORWARD -m dscp --dscp-class EF -j DROP\n-A FORWARD -m tos --tos 0x10/0x1e -j DROP\n-A FORWARD -p tcp -m ecn --ecn-ip-ect 3 -j DROP',
    nft: 'ip dscp ef drop\nip dscp 4 drop\nmeta l4proto tcp ip ecn ce drop',
    packets: `
      drop   udp inside 1 > outside 1 tos=184
      drop   udp inside 1 > outside 1 tos=185
      accept udp inside 1 > outside 1 tos=180
      drop   udp inside 1 > outside 1 tos=16
      drop   udp inside 1 > outside 1 tos=17
      accept udp inside 1 > outside 1 tos=8
      drop   tcp syn inside 1 > outside 1 tos=3
      accept tcp syn inside 1 > outside 1 tos=1`,
  },
  {
    name: 'the TOS, TTL and DSCP that mangle writes are what filter sees',
    xt: '*mangle\n-A PREROUTING -p udp -j TOS --set-tos 0x10/0x1e\n-A PREROUTING -p tcp -j TTL --ttl-set 5\n-A PREROUTING -p icmp -j DSCP --set-dscp 46\nCOMMIT\n*filter\n-A FORWARD -m tos --tos 0x10 -j DROP\n-A FORWARD -m ttl --ttl-lt 5 -j DROP\n-A FORWARD -m dscp --dscp 46 -j DROP\nCOMMIT',
    packets: `
      drop   udp inside 1 > outside 1
      drop   tcp syn inside 1 > outside 1
      drop   icmp 8 inside > outside`,
  },
  {
    name: 'statistic takes every nth packet from where it is told',
    xt: '-A FORWARD -p udp -m statistic --mode nth --every 3 --packet 1 -j DROP',
    packets: `
      accept udp inside 1 > outside 1
      drop   udp inside 1 > outside 2
      accept udp inside 1 > outside 3
      accept udp inside 1 > outside 4
      drop   udp inside 1 > outside 5`,
  },
  {
    name: 'numgen goes round, from its offset on',
    nft: 'meta l4proto udp numgen inc mod 3 vmap { 0 : accept, 1 : drop, 2 : accept }',
    packets: `
      accept udp inside 1 > outside 1
      drop   udp inside 1 > outside 2
      accept udp inside 1 > outside 3
      accept udp inside 1 > outside 4
      drop   udp inside 1 > outside 5`,
  },
  {
    name: 'quota lets its bytes through, and the packet that goes over them no more',
    xt: '-A FORWARD -p udp -m quota --quota 100 -j ACCEPT\n-A FORWARD -p udp -j DROP',
    packets: `
      accept udp inside 1 > outside 1 len=12
      accept udp inside 1 > outside 2 len=32
      drop   udp inside 1 > outside 3 len=0`,
  },
  {
    name: 'quota until and over part at the byte',
    nft: 'udp dport 1 quota until 100 bytes accept\nudp dport 1 drop\nudp dport 2 quota over 100 bytes drop',
    packets: `
      accept udp inside 1 > outside 1 len=12
      accept udp inside 2 > outside 1 len=31
      drop   udp inside 3 > outside 1 len=10
      accept udp inside 1 > outside 2 len=72
      drop   udp inside 2 > outside 2`,
  },
  {
    name: 'string finds a pattern that begins and ends between its offsets',
    xt: `-A FORWARD -p udp --dport 1 -m string --string "bad" --algo bm -j DROP
      -A FORWARD -p udp --dport 2 -m string --string "bad" --algo kmp --from 30 --to 33 -j DROP
      -A FORWARD -p udp --dport 3 -m string ! --string "good" --algo bm -j DROP
      -A FORWARD -p udp --dport 4 -m string --hex-string "|00ff|x" --algo bm -j DROP
      -A FORWARD -p udp --dport 5 -m string --string "BaD" --algo kmp --icase -j DROP`,
    packets: `
      drop   udp inside 1 > outside 1 text=xxbadxx
      accept udp inside 1 > outside 1 text=xxbaxdx
      drop   udp inside 1 > outside 1 text=bad
      accept udp inside 1 > outside 2 text=bad
      accept udp inside 1 > outside 2 text=xbad
      drop   udp inside 1 > outside 2 text=xxbad
      accept udp inside 1 > outside 2 text=xxxbad
      accept udp inside 1 > outside 2 text=xxxxxbad
      accept udp inside 1 > outside 2 text=xxxxxxbad
      accept udp inside 1 > outside 3 text=agoodone
      drop   udp inside 1 > outside 3 text=agoonone
      drop   udp inside 1 > outside 5 text=xbAdx`,
  },
  {
    name: 'string finds a pattern across the border of two fragments',
    xt: '-A FORWARD -p udp -m string --string "border" --algo kmp -j DROP',
    packets: `
      drop   udp inside 1 > outside 1 text=xxxxxxxxxxxxxborderxxxxxxxxx size=24 ipid=4101
      accept udp inside 1 > outside 1 text=xxxxxxxxxxxxxbordexxxxxxxxxx size=24 ipid=4102`,
  },
  {
    name: 'u32 reads words of the packet, with shifts, ranges and jumps along headers',
    xt: '-A FORWARD -m u32 --u32 "6&0xFF=17 && 0>>22&0x3C@0&0xFFFF=1000:1002" -j DROP\n-A FORWARD -m u32 ! --u32 "0>>28=4" -j DROP',
    packets: `
      accept udp inside 1 > outside 999
      drop   udp inside 1 > outside 1000
      drop   udp inside 1 > outside 1002
      accept udp inside 1 > outside 1003
      accept tcp syn inside 1 > outside 1000`,
  },
  {
    name: 'connbytes counts packets of a flow, this one too, in one direction or both',
    xt: '-A FORWARD -p udp -m connbytes --connbytes 3 --connbytes-dir both --connbytes-mode packets -j DROP\n-A FORWARD -p tcp -m connbytes --connbytes 1:1 --connbytes-dir reply --connbytes-mode packets -m tcp --sport 22 -j DROP',
    packets: `
      accept udp inside 1 > outside 1
      accept udp outside 1 > inside 1
      drop   udp inside 1 > outside 1
      accept tcp syn inside 1 > outside 22
      drop   tcp syn,ack outside 22 > inside 1 seq=500 ack=101`,
  },
  {
    name: 'connlimit drops what belongs to no connection that counts, as the last ACK of one does',
    xt: '-A FORWARD -p tcp -m connlimit --connlimit-above 5 -j DROP',
    packets: `
      accept tcp syn inside 1 > outside 1 seq=100 mss=1460
      accept tcp syn,ack outside 1 > inside 1 seq=500 ack=101 wait=13
      accept tcp ack inside 1 > outside 1 seq=101 ack=501 wait=13
      accept tcp fin,ack inside 1 > outside 1 seq=101 ack=501 wait=13
      accept tcp fin,ack outside 1 > inside 1 seq=501 ack=102 wait=13
      drop   tcp ack inside 1 > outside 1 seq=102 ack=502 wait=13`,
  },
  {
    name: 'connlimit counts the open connections of a source net',
    xt: '-A FORWARD -p tcp --syn -m connlimit --connlimit-above 2 --connlimit-mask 24 -j DROP',
    packets: `
      accept tcp syn inside 1 > outside 22 wait=20
      accept tcp syn inside2 1 > outside 22 wait=20
      drop   tcp syn inside 2 > outside 22 wait=20
      accept tcp syn lan 1 > outside 22 wait=20`,
  },
  {
    name: 'ct count over counts likewise',
    nft: `set s { type ipv4_addr; flags dynamic; }
      ---
      tcp flags syn add @s { ip saddr ct count over 2 } drop`,
    packets: `
      accept tcp syn inside 1 > outside 22 wait=20
      accept tcp syn inside 2 > outside 22 wait=20
      drop   tcp syn inside 3 > outside 22 wait=20
      accept tcp syn inside2 1 > outside 22 wait=20`,
  },
  {
    name: 'conntrack matches the original ends of a flow in both directions',
    xt: '-A FORWARD -m conntrack --ctproto udp --ctorigsrc 192.168.1.0/24 --ctorigdstport 53 -i eth0 -j DROP\n-A FORWARD -m conntrack --ctreplsrc 198.51.100.8 --ctdir REPLY -j DROP',
    packets: `
      accept udp inside 1 > outside 53
      drop   udp outside 53 > inside 1
      accept udp lan 1 > outside 53
      accept udp outside 53 > lan 1
      accept udp inside 1 > outside2 1
      drop   udp outside2 1 > inside 1`,
  },
  {
    name: 'the status of a flow is matched: seen reply, assured, confirmed',
    xt: '-A FORWARD -p tcp -m conntrack --ctstatus ASSURED -j DROP',
    nft: 'meta l4proto tcp ct status assured drop',
    packets: `${HANDSHAKE.replace('accept tcp ack', 'drop tcp ack')}
      accept udp inside 1 > outside 1`,
  },
  {
    name: 'ct direction, original and reply addresses and ports of nft',
    nft: 'meta l4proto udp ct direction reply ct original ip saddr 192.168.1.5 ct original proto-dst 53 drop\nct reply ip daddr 192.168.1.6 drop\nct l3proto ipv6 drop',
    packets: `
      accept udp inside 1 > outside 53
      drop   udp outside 53 > inside 1
      drop   udp inside2 1 > outside 53
      drop   udp inside6 1 > outside6 53
      drop   tcp syn inside6 1 > outside6 53`,
  },
  {
    name: 'owner by user matches nothing that has no process: not the ICMP error, not the reset of a REJECT',
    xt: '-A INPUT -p udp -j REJECT\n-A INPUT -p tcp -j REJECT --reject-with tcp-reset\n-A OUTPUT -m owner --uid-owner 0-4294967294 -j DROP\n-A OUTPUT -m owner --gid-owner 0 -j DROP',
    packets: `
      reject udp outside 1 > host 1
      reject tcp syn outside 1 > host 1`,
  },
  {
    name: 'the ICMP error of a REJECT has a socket of the kernel, its reset has none',
    xt: `-A INPUT -p udp -j REJECT
      -A INPUT -p tcp -j REJECT --reject-with tcp-reset
      -A OUTPUT -p icmp -m owner --socket-exists -j DROP
      -A OUTPUT -p icmp -j ACCEPT
      -A OUTPUT -m owner ! --socket-exists -j DROP`,
    packets: `
      reject udp outside 1 > host 1
      reject tcp syn outside 1 > host 1`,
  },
  {
    name: 'owner without an option is refused',
    xt: '-A OUTPUT -m owner -j DROP',
    packets: '',
  },
  {
    name: 'mac, policy, physdev and helper match nothing where there is no such thing',
    xt: '-A FORWARD -m mac --mac-source 00:11:22:33:44:55 -j DROP\n-A FORWARD -m policy --dir in --pol ipsec -j DROP\n-A FORWARD -m helper --helper ftp -j DROP\n-A FORWARD -p udp -m policy --dir in --pol none -j DROP',
    packets: `
      accept tcp syn inside 1 > outside 1
      drop   udp inside 1 > outside 1`,
  },
  {
    name: 'pkttype knows unicast, multicast and broadcast by the link',
    xt: '-A INPUT -m pkttype --pkt-type broadcast -j DROP\n-A INPUT -m pkttype ! --pkt-type unicast -j DROP',
    packets: 'accept udp inside 1 > gate 1',
  },
  {
    name: 'ESP and AH match the SPI of their range, both ends inclusive',
    xt: '-A FORWARD -p esp -m esp --espspi 0:0 -j DROP\n-A FORWARD -p ah -m ah ! --ahspi 0 -j DROP',
    packets: `
      drop   proto 50 inside > outside len=16
      accept proto 51 inside > outside len=24`,
  },
  {
    name: 'SCTP ports and chunks match',
    xt: '-A FORWARD -p sctp --dport 5000 --chunk-types only INIT -j DROP\n-A FORWARD -p sctp --sport 5001:5002 --chunk-types any DATA -j DROP',
    packets: `
      drop   sctp inside 1 > outside 5000
      accept sctp inside 1 > outside 5001
      accept sctp inside 5001 > outside 1`,
  },
  {
    name: 'bpf programs see the packet from its IP header on',
    xt: '-A FORWARD -m bpf --bytecode "4,48 0 0 9,21 0 1 17,6 0 0 1,6 0 0 0" -j DROP',
    packets: `
      drop   udp inside 1 > outside 1
      accept tcp syn inside 1 > outside 1`,
  },
  {
    name: 'set matches by the directions it is given',
    sets: 'create b hash:ip,port\nadd b 192.168.1.5,udp:53\ncreate n hash:net\nadd n 198.51.100.0/29\nadd n 198.51.100.4/30 nomatch\n',
    xt: '-A FORWARD -m set --match-set b src,dst -j DROP\n-A FORWARD -p tcp -m set --match-set n dst -j DROP\n-A FORWARD -p icmp -m set ! --match-set n dst -j DROP',
    packets: `
      drop   udp inside 1 > outside 53
      accept udp inside2 1 > outside 53
      accept udp inside 1 > outside 54
      accept tcp syn inside 1 > outside 53
      drop   tcp syn inside 1 > 198.51.100.3 1
      accept tcp syn inside 1 > 198.51.100.4 1
      drop   icmp 8 inside > 198.51.100.4
      accept icmp 8 inside > 198.51.100.3`,
  },
  {
    name: 'SET fills a set that the next packet meets',
    sets: 'create seen hash:ip\n',
    xt: '-A FORWARD -m set --match-set seen src -j DROP\n-A FORWARD -p udp -j SET --add-set seen src',
    packets: `
      accept tcp syn inside 1 > outside 1
      accept udp inside 1 > outside 1
      drop   tcp syn inside 2 > outside 1
      accept tcp syn inside2 1 > outside 1`,
  },
  {
    name: 'IPv6: options, routing, fragment and AH headers are found by ipv6header; there are none here',
    xt6: '-A FORWARD -m ipv6header --header hop,route,frag,auth --soft -j DROP\n-A FORWARD -m rt --rt-type 0 -j DROP',
    packets: 'accept udp inside6 1 > outside6 1',
  },
  {
    name: 'several matches of one rule all have to hold',
    xt: '-A FORWARD -i eth1 -s 192.168.1.0/24 -p tcp --syn -m multiport --dports 80,443 -m conntrack --ctstate NEW -m length --length 40:60 -j DROP',
    packets: `
      drop   tcp syn inside 1 > outside 80
      accept tcp syn lan 1 > outside 80
      accept tcp syn inside 1 > outside 81
      accept tcp syn inside 2 > outside 80 len=21
      accept tcp ack inside 3 > outside 80`,
  },
  {
    name: 'raw payload compares bits at any offset',
    nft: '@th,16,16 53 drop\n@nh,64,8 & 0xc0 == 0x40 ip protocol 6 drop\n@th,64,24 0x626164 drop',
    packets: `
      drop   udp inside 1 > outside 53
      accept tcp syn inside 1 > outside 1 ttl=64
      drop   tcp syn inside 1 > outside 1 ttl=65
      drop   tcp syn inside 1 > outside 1 ttl=128
      accept tcp syn inside 1 > outside 1 ttl=129
      drop   udp inside 1 > outside 1 text=bad
      accept udp inside 1 > outside 1 text=bae`,
  },
  {
    name: 'comparisons of numbers go by value, in network order',
    nft: 'udp dport < 1000 drop\nudp dport >= 2000 drop\nip length > 1000 drop\nudp sport <= 255 drop',
    packets: `
      drop   udp inside 300 > outside 999
      accept udp inside 300 > outside 1000
      accept udp inside 300 > outside 1999
      drop   udp inside 300 > outside 2000
      drop   udp inside 255 > outside 1500
      accept udp inside 256 > outside 1500
      drop   udp inside 300 > outside 1500 len=973
      accept udp inside 300 > outside 1500 len=972`,
  },
]);
