/**
 * Flows behind translation over their lives: retransmissions, resets, closing, expiry, what local and forwarded
 * connections do to each other. After what gVisor, Open vSwitch and the kernel's selftests chose to test, in our own words.
 */
import { filterChain, natChain, table, told } from './nat-tell.ts';

const MASQ = table('ip', natChain('postrouting', 'oifname "eth0" masquerade'));
const MASQ_XT = '*nat\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n';
const DNAT = table('ip', natChain('prerouting', 'tcp dport 80 dnat to 192.168.1.5:8080'));
const DNAT_XT = '*nat\n-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 192.168.1.5:8080\nCOMMIT\n';
const policies = (...zones: readonly string[]): string =>
  filterChain('prerouting', -300, 'ip ttl 63 ct zone set 1\nip ttl 62 ct zone set 2') +
  filterChain('prerouting', -150, zones.join('\n'));

told('a translated connection', [
  {
    name: 'is refused: the reset comes back to the one who asked',
    nft: MASQ,
    xt: MASQ_XT,
    packets: `
      tcp syn inside 1024 > outside 80 seq=100 => new; host 1024 > outside 80
      tcp rst,ack outside 80 > host 1024 from=eth0 seq=0 ack=101 => reply; outside 80 > inside 1024
      tcp syn inside 1024 > outside 80 seq=200 => new; host 1024 > outside 80`,
  },
  {
    name: 'is opened although SYN and SYN/ACK come again and again',
    nft: DNAT,
    xt: DNAT_XT,
    packets: `
      tcp syn outside 1024 > host 80 from=eth0 seq=100 => new; outside 1024 > inside 8080
      tcp syn outside 1024 > host 80 from=eth0 seq=100 => new; outside 1024 > inside 8080
      tcp syn,ack inside 8080 > outside 1024 seq=500 ack=101 => reply; host 80 > outside 1024
      tcp syn,ack inside 8080 > outside 1024 seq=500 ack=101 => reply; host 80 > outside 1024
      tcp syn outside 1024 > host 80 from=eth0 seq=100 => established; outside 1024 > inside 8080
      tcp syn,ack inside 8080 > outside 1024 seq=500 ack=101 => reply; host 80 > outside 1024
      tcp ack outside 1024 > host 80 from=eth0 seq=101 ack=501 => established; outside 1024 > inside 8080`,
  },
  {
    name: 'does not mind a reset with a wrong acknowledgement while it is opened',
    nft: MASQ,
    xt: MASQ_XT,
    packets: `
      tcp syn inside 1024 > outside 80 seq=100 => new; host 1024 > outside 80
      tcp rst,ack outside 80 > host 1024 from=eth0 seq=0 ack=99999 => invalid; outside 80 > host 1024
      tcp syn,ack outside 80 > host 1024 from=eth0 seq=500 ack=101 => reply; outside 80 > inside 1024
      tcp ack inside 1024 > outside 80 seq=101 ack=501 => established; host 1024 > outside 80`,
  },
  {
    name: 'is gone with a bare reset, before the answer',
    nft: MASQ,
    xt: MASQ_XT,
    packets: `
      tcp syn inside 1024 > outside 80 seq=100 => new; host 1024 > outside 80
      tcp rst outside 80 > host 1024 from=eth0 seq=77 => reply; outside 80 > inside 1024
      tcp syn,ack outside 80 > host 1024 from=eth0 seq=500 ack=101 => invalid; outside 80 > host 1024`,
  },
  {
    name: 'is closed by the one who opened it',
    nft: DNAT,
    xt: DNAT_XT,
    packets: `
      tcp syn outside 1024 > host 80 from=eth0 seq=100 => new; outside 1024 > inside 8080
      tcp syn,ack inside 8080 > outside 1024 seq=500 ack=101 => reply; host 80 > outside 1024
      tcp ack outside 1024 > host 80 from=eth0 seq=101 ack=501 => established; outside 1024 > inside 8080
      tcp fin,ack outside 1024 > host 80 from=eth0 seq=101 ack=501 => established; outside 1024 > inside 8080
      tcp fin,ack inside 8080 > outside 1024 seq=501 ack=102 => reply; host 80 > outside 1024
      tcp ack outside 1024 > host 80 from=eth0 seq=102 ack=502 => established; outside 1024 > inside 8080`,
  },
  {
    name: 'is closed by the server, with data behind it',
    nft: DNAT,
    xt: DNAT_XT,
    packets: `
      tcp syn outside 1024 > host 80 from=eth0 seq=100 => new; outside 1024 > inside 8080
      tcp syn,ack inside 8080 > outside 1024 seq=500 ack=101 => reply; host 80 > outside 1024
      tcp ack outside 1024 > host 80 from=eth0 seq=101 ack=501 len=10 => established; outside 1024 > inside 8080
      tcp fin,ack inside 8080 > outside 1024 seq=501 ack=111 len=20 => reply; host 80 > outside 1024
      tcp ack outside 1024 > host 80 from=eth0 seq=111 ack=522 len=5 => established; outside 1024 > inside 8080
      tcp fin,ack outside 1024 > host 80 from=eth0 seq=116 ack=522 => established; outside 1024 > inside 8080
      tcp ack inside 8080 > outside 1024 seq=522 ack=117 => reply; host 80 > outside 1024`,
  },
  {
    name: 'has its windows on both sides of the translation: what lies outside is INVALID and stays untranslated',
    nft: MASQ,
    xt: MASQ_XT,
    packets: `
      tcp syn inside 1024 > outside 80 seq=100 => new; host 1024 > outside 80
      tcp syn,ack outside 80 > host 1024 from=eth0 seq=500 ack=101 => reply; outside 80 > inside 1024
      tcp ack inside 1024 > outside 80 seq=101 ack=501 => established; host 1024 > outside 80
      tcp ack outside 80 > host 1024 from=eth0 seq=900000 ack=101 len=4 => invalid; outside 80 > host 1024
      tcp ack inside 1024 > outside 80 seq=101 ack=900000 => invalid; inside 1024 > outside 80
      tcp ack outside 80 > host 1024 from=eth0 seq=501 ack=101 len=4 => reply; outside 80 > inside 1024`,
  },
  {
    name: 'whose rule speaks only of SYN is translated in all its packets',
    nft: table('ip', natChain('postrouting', 'tcp flags syn / syn,ack oifname "eth0" masquerade')),
    xt: '*nat\n-A POSTROUTING -p tcp --syn -o eth0 -j MASQUERADE\nCOMMIT\n',
    packets: `
      tcp syn inside 1024 > outside 80 seq=100 => new; host 1024 > outside 80
      tcp syn,ack outside 80 > host 1024 from=eth0 seq=500 ack=101 => reply; outside 80 > inside 1024
      tcp ack inside 1024 > outside 80 seq=101 ack=501 => established; host 1024 > outside 80
      tcp ack inside 1025 > outside 80 seq=101 ack=501 => new; inside 1025 > outside 80`,
  },
]);

told('what is not answered', [
  {
    name: 'TCP: retransmissions do not keep the flow, and when it is gone the new rule translates',
    nft: table(
      'ip',
      'ct timeout short { protocol tcp; l3proto ip; policy = { syn_sent : 1 }\n}\n',
      filterChain('prerouting', -150, 'meta l4proto tcp ct timeout set "short"'),
      natChain('prerouting', 'tcp dport 80 numgen inc mod 2 1 dnat to 192.168.1.5:8080'),
    ),
    packets: `
      tcp syn outside 1024 > host 80 from=eth0 seq=100 => new; outside 1024 > host 80
      tcp syn outside 1024 > host 80 from=eth0 seq=100 wait=600 => new; outside 1024 > host 80
      tcp syn outside 1024 > host 80 from=eth0 seq=100 wait=600 => new; outside 1024 > inside 8080
      tcp syn,ack inside 8080 > outside 1024 seq=500 ack=101 => reply; host 80 > outside 1024`,
  },
  {
    name: 'UDP: a repeated question keeps the flow, and with it that it is not translated',
    nft: table(
      'ip',
      'ct timeout short { protocol udp; l3proto ip; policy = { unreplied : 1 }\n}\n',
      filterChain('prerouting', -150, 'meta l4proto udp ct timeout set "short"'),
      natChain('prerouting', 'udp dport 53 numgen inc mod 2 1 dnat to 192.168.1.5:5353'),
    ),
    packets: `
      udp outside 1024 > host 53 from=eth0 => new; outside 1024 > host 53
      udp outside 1024 > host 53 from=eth0 wait=700 => new; outside 1024 > host 53
      udp outside 1024 > host 53 from=eth0 wait=700 => new; outside 1024 > host 53
      udp outside 1024 > host 53 from=eth0 wait=2200 => new; outside 1024 > inside 5353`,
  },
  {
    name: 'a port range is free again when the flow that held it expired',
    nft: table(
      'ip',
      'ct timeout short { protocol udp; l3proto ip; policy = { unreplied : 1 }\n}\n',
      filterChain('prerouting', -150, 'meta l4proto udp ct timeout set "short"'),
      natChain('postrouting', 'meta l4proto udp snat to 203.0.113.2:5000'),
    ),
    packets: `
      udp inside 1024 > outside 53 => new; host2 5000 > outside 53
      udp inside2 1024 > outside 53 => new; nothing
      udp inside2 1024 > outside 53 wait=2200 => new; host2 5000 > outside 53
      udp outside 53 > host2 5000 from=eth0 => reply; outside 53 > inside2 1024`,
  },
]);

told('timeouts', [
  {
    name: 'each zone has a policy of its own for UDP',
    nft: table(
      'ip',
      'ct timeout a { protocol udp; l3proto ip; policy = { unreplied : 7, replied : 8 }\n}\nct timeout b { protocol udp; l3proto ip; policy = { unreplied : 70, replied : 80 }\n}\n',
      policies('ct zone 1 ct timeout set "a"', 'ct zone 2 ct timeout set "b"'),
    ),
    packets: `
      udp inside 1024 > outside 53 ttl=63 => new; inside 1024 > outside 53
      udp inside 1024 > outside 53 ttl=62 => new; inside 1024 > outside 53
      udp inside 1024 > outside 53 => new; inside 1024 > outside 53
      udp inside2 1024 > outside 53 ttl=63 => new; inside2 1024 > outside 53
      udp outside 53 > inside2 1024 ttl=63 => reply; outside 53 > inside2 1024
      udp inside2 1024 > outside 53 ttl=62 => new; inside2 1024 > outside 53
      udp outside 53 > inside2 1024 ttl=62 => reply; outside 53 > inside2 1024`,
  },
  {
    name: 'an echo request in two zones behind one address is answered in each',
    nft: table('ip', policies(), natChain('postrouting', 'oifname "eth0" masquerade')),
    packets: `
      icmp 8 inside > outside id=9 ttl=63 => new; host > outside id 9
      icmp 8 inside > outside id=9 ttl=62 => new; host > outside id 9
      icmp 0 outside > host id=9 ttl=62 from=eth0 => reply; outside > inside id 9
      icmp 0 outside > host id=9 ttl=63 from=eth0 => reply; outside > inside id 9`,
  },
  {
    name: 'a flow keeps the policy that it got with its first packet, whatever rule the answer meets',
    nft: table(
      'ip',
      'ct timeout a { protocol udp; l3proto ip; policy = { unreplied : 7, replied : 8 }\n}\nct timeout b { protocol udp; l3proto ip; policy = { unreplied : 70, replied : 80 }\n}\n',
      filterChain('prerouting', -150, 'iifname "eth1" ct timeout set "a"\niifname "eth0" ct timeout set "b"'),
      natChain('postrouting', 'oifname "eth0" masquerade'),
    ),
    packets: `
      udp inside 1024 > outside 53 => new; host 1024 > outside 53
      udp outside 53 > host 1024 from=eth0 => reply; outside 53 > inside 1024
      udp inside 1024 > outside 53 => established; host 1024 > outside 53`,
  },
]);

told('what is counted', [
  {
    name: 'a refused connection counts on for those that stand before it, until one comes that is counted behind it',
    nft: table('ip', filterChain('forward', 0, 'tcp flags syn ct count over 2 drop')),
    xt: '*filter\n-A FORWARD -p tcp --syn -m connlimit --connlimit-above 2 --connlimit-mask 0 -j DROP\nCOMMIT\n',
    packets: `
      tcp syn inside 1 > outside 80 wait=20 => new; inside 1 > outside 80
      tcp syn inside 2 > outside 80 wait=20 => new; inside 2 > outside 80
      tcp syn inside 3 > outside 80 wait=20 => new; nothing
      tcp rst,ack outside 80 > inside 2 seq=0 ack=101 wait=20 => reply; outside 80 > inside 2
      tcp syn inside 1 > outside 80 wait=20 => new; nothing
      tcp syn inside 4 > outside 80 wait=20 => new; inside 4 > outside 80
      tcp syn inside 1 > outside 80 wait=20 => new; inside 1 > outside 80`,
  },
]);

told('connections that meet', [
  {
    name: 'a flow whose answers look like another’s questions is let through: reverse clash',
    nft: MASQ,
    xt: MASQ_XT,
    packets: `
      udp outside 53 > host 1024 from=eth0 => new; outside 53 > host 1024
      udp host 1024 > outside 53 from=host => reply; host 1024 > outside 53
      udp outside 53 > host 1024 from=eth0 => established; outside 53 > host 1024`,
  },
  {
    name: 'a question that is another’s answer backwards is of that flow',
    nft: table('ip', natChain('prerouting', 'iifname "eth0" udp dport 53 dnat to 192.168.1.5')),
    xt: '*nat\n-A PREROUTING -i eth0 -p udp --dport 53 -j DNAT --to-destination 192.168.1.5\nCOMMIT\n',
    packets: `
      udp outside 1024 > host 53 from=eth0 => new; outside 1024 > inside 53
      udp inside 53 > outside 1024 => reply; host 53 > outside 1024
      udp outside 1024 > host 53 from=eth0 => established; outside 1024 > inside 53`,
  },
  {
    name: 'what is sent to the untranslated address is a flow of its own, and so is what is sent to another port',
    nft: MASQ,
    xt: MASQ_XT,
    packets: `
      udp inside 1024 > outside 53 => new; host 1024 > outside 53
      udp outside 53 > inside 1029 from=eth0 => new; outside 53 > inside 1029
      udp outside 53 > host 1024 from=eth0 => reply; outside 53 > inside 1024
      udp outside 53 > host 1025 from=eth0 => new; outside 53 > host 1025`,
  },
  {
    name: 'two redirected connections of one client to two servers keep apart by their ends',
    nft: table('ip', natChain('prerouting', 'tcp dport { 80, 81 } redirect to :3128')),
    xt: '*nat\n-A PREROUTING -p tcp -m multiport --dports 80,81 -j REDIRECT --to-ports 3128\nCOMMIT\n',
    packets: `
      tcp syn inside 1024 > outside 80 seq=100 => new; inside 1024 > gate 3128
      tcp syn inside 1025 > outside2 81 seq=100 => new; inside 1025 > gate 3128
      tcp syn,ack gate 3128 > inside 1024 seq=500 ack=101 => reply; outside 80 > inside 1024
      tcp syn,ack gate 3128 > inside 1025 seq=500 ack=101 => reply; outside2 81 > inside 1025`,
  },
  {
    name: 'source addresses out of a range: one for each client and destination, whatever the port',
    nft: table('ip', natChain('postrouting', 'meta l4proto udp snat to 203.0.113.2-203.0.113.9')),
    xt: '*nat\n-A POSTROUTING -p udp -j SNAT --to-source 203.0.113.2-203.0.113.9\nCOMMIT\n',
    packets: `
      udp inside 1024 > outside 53 => new; 203.0.113.5 1024 > outside 53
      udp inside 1025 > outside 53 => new; 203.0.113.5 1025 > outside 53
      udp inside2 1024 > outside 53 => new; 203.0.113.7 1024 > outside 53
      udp lan 1027 > outside 53 => new; 203.0.113.5 1027 > outside 53
      udp inside 1026 > outside2 53 => new; 203.0.113.3 1026 > outside2 53`,
  },
  {
    name: 'with persistent a client keeps its address for every destination, of IPv6 too',
    nft: `${table('ip', natChain('postrouting', 'meta l4proto udp snat to 203.0.113.2-203.0.113.9 persistent'))}${table('ip6', natChain('postrouting', 'meta l4proto udp snat to 2001:db8:1::20-2001:db8:1::2f persistent'))}`,
    packets: `
      udp inside 1024 > outside 53 => new; near 1024 > outside 53
      udp inside 1026 > outside2 53 => new; near 1026 > outside2 53
      udp inside 1027 > near 53 => new; near 1027 > near 53
      udp inside6 1024 > outside6 53 => new; 2001:db8:1::25 1024 > outside6 53
      udp inside6 1025 > other6 53 => new; 2001:db8:1::25 1025 > other6 53
      udp net6 1029 > outside6 53 => new; 2001:db8:1::25 1029 > outside6 53`,
  },
  {
    name: 'only ports of the range are given, to SCTP too, over IPv6',
    nft: table(
      'ip6',
      natChain('postrouting', 'meta l4proto { udp, tcp, sctp } snat to [2001:db8:1::20]:7000-7001'),
    ),
    packets: `
      sctp inside6 7000 > outside6 36412 => new; 2001:db8:1::20 7000 > outside6 36412
      sctp net6 7001 > outside6 36412 => new; 2001:db8:1::20 7001 > outside6 36412
      sctp fd00:1::6 7000 > outside6 36412 => new; nothing
      sctp fd00:1::6 7000 > other6 36412 => new; 2001:db8:1::20 7000 > other6 36412`,
  },
  {
    name: 'to nobody: all zeros are an address like any other',
    nft: table('ip', natChain('postrouting', 'udp dport 53 snat to 0.0.0.0')),
    xt: '*nat\n-A POSTROUTING -p udp --dport 53 -j SNAT --to-source 0.0.0.0\nCOMMIT\n',
    packets: `
      udp inside 1024 > outside 53 => new; 0.0.0.0 1024 > outside 53
      udp inside 1024 > outside 54 => new; inside 1024 > outside 54`,
  },
]);

told('fragments', [
  {
    name: 'are put together whatever comes first, and translated at both ends',
    nft: table(
      'ip',
      natChain('prerouting', 'udp dport 53 dnat to 192.168.1.5:5353'),
      natChain('postrouting', 'udp dport 5353 snat to 10.9.9.9:4000'),
    ),
    xt: '*nat\n-A PREROUTING -p udp --dport 53 -j DNAT --to-destination 192.168.1.5:5353\n-A POSTROUTING -p udp --dport 5353 -j SNAT --to-source 10.9.9.9:4000-4000\nCOMMIT\n',
    packets: `
      udp outside 1024 > host 53 from=eth0 len=100 size=48 ipid=7 => new; fragment
      udp inside 5353 > 10.9.9.9 4000 len=90 size=48 order=back ipid=8 => reply; fragment
      udp outside 1024 > host 53 from=eth0 len=100 size=40 order=back ipid=9 => established; fragment`,
  },
  {
    name: 'of IPv6 as well',
    nft: table(
      'ip6',
      natChain('postrouting', 'oifname "eth0" meta l4proto udp snat to [2001:db8:1::20]:7000'),
    ),
    packets: `
      udp inside6 1024 > outside6 53 len=100 size=88 => new; 2001:db8:1::20 > outside6
      udp outside6 53 > 2001:db8:1::20 7000 from=eth0 len=100 size=88 order=back => reply; outside6 > inside6
      icmp 128 inside6 > outside6 id=9 len=200 size=88 => new; inside6 > outside6`,
  },
]);
