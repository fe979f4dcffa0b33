/**
 * What changes while translated flows live: conntrack -D, -U and -I, settings, the address of a device. The command in
 * `before` is run in the kernel's namespace, and done to keepstate, before its packet.
 */
import { natChain, table, told } from './nat-tell.ts';

const MASQ = table('ip', natChain('postrouting', 'oifname "eth0" masquerade'));
const MASQ_XT = '*nat\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n';
const SET = 'before=sysctl+-w+net.netfilter.nf_conntrack';

told('commands between packets', [
  {
    name: 'a deleted flow: its answer is of nobody, and the next question is translated anew',
    nft: MASQ,
    xt: MASQ_XT,
    packets: `
      udp inside 1024 > outside 53 => new; host 1024 > outside 53
      udp outside 53 > host 1024 from=eth0 => reply; outside 53 > inside 1024
      udp inside 1024 > outside 53 before=conntrack+-D+-p+udp => new; host 1024 > outside 53
      udp outside 53 > host 1024 from=eth0 => reply; outside 53 > inside 1024
      udp inside 1025 > outside 53 before=conntrack+-F => new; host 1025 > outside 53
      udp outside 53 > host 1024 from=eth0 => new; outside 53 > host 1024`,
  },
  {
    name: 'a deleted connection is picked up in its middle, with the same port',
    nft: MASQ,
    xt: MASQ_XT,
    packets: `
      tcp syn inside 1024 > outside 80 seq=100 => new; host 1024 > outside 80
      tcp syn,ack outside 80 > host 1024 from=eth0 seq=500 ack=101 => reply; outside 80 > inside 1024
      tcp ack inside 1024 > outside 80 seq=101 ack=501 => established; host 1024 > outside 80
      tcp ack inside 1024 > outside 80 seq=101 ack=501 before=conntrack+-D+-p+tcp => new; host 1024 > outside 80
      tcp ack outside 80 > host 1024 from=eth0 seq=501 ack=101 len=5 => reply; outside 80 > inside 1024
      tcp fin,ack inside 1024 > outside 80 seq=101 ack=506 => established; host 1024 > outside 80
      tcp rst inside 1024 > outside 80 seq=102 => established; host 1024 > outside 80`,
  },
  {
    name: 'timeout, status and mark are changed, and the translation stays',
    nft: MASQ,
    packets: `
      udp inside 1024 > outside 53 => new; host 1024 > outside 53
      udp outside 53 > host 1024 from=eth0 before=conntrack+-U+-s+192.168.1.5+-p+udp+-t+500+-m+5 => reply; outside 53 > inside 1024
      udp inside 1024 > outside 53 before=conntrack+-U+-s+192.168.1.5+-p+udp+-u+SEEN_REPLY,ASSURED => established; host 1024 > outside 53
      udp inside 1026 > outside 53 => new; host 1026 > outside 53
      udp inside 1026 > outside 53 before=conntrack+-U+-s+192.168.1.5+-p+udp+--sport+1026+-t+1000+-u+SEEN_REPLY,FIXED_TIMEOUT => established; host 1026 > outside 53
      udp inside 1026 > outside 53 => established; host 1026 > outside 53`,
  },
  {
    name: 'a state of TCP that a command set is the one that packets meet',
    nft: MASQ,
    packets: `
      tcp syn inside 1024 > outside 80 seq=100 => new; host 1024 > outside 80
      tcp syn,ack outside 80 > host 1024 from=eth0 seq=500 ack=101 => reply; outside 80 > inside 1024
      tcp ack inside 1024 > outside 80 seq=101 ack=501 => established; host 1024 > outside 80
      tcp ack inside 1024 > outside 80 seq=101 ack=501 before=conntrack+-U+-s+192.168.1.5+-p+tcp+--state+TIME_WAIT => established; host 1024 > outside 80
      tcp syn inside 1024 > outside 80 seq=90000 => new; host 1024 > outside 80
      tcp syn,ack outside 80 > host 1024 from=eth0 seq=500 ack=90001 before=conntrack+-U+-s+192.168.1.5+-p+tcp+--state+CLOSE => reply; outside 80 > inside 1024
      tcp ack inside 1024 > outside 80 seq=90001 ack=501 => established; host 1024 > outside 80`,
  },
  {
    name: 'a flow made by a command is translated as it says, whatever the rules say',
    nft: MASQ,
    xt: MASQ_XT,
    packets: `
      udp inside 1024 > outside 53 before=conntrack+-I+-p+udp+-s+192.168.1.5+-d+198.51.100.7+--sport+1024+--dport+53+-t+100+-n+203.0.113.2:7777 => new; host2 7777 > outside 53
      udp outside 53 > host2 7777 from=eth0 => reply; outside 53 > inside 1024
      udp outside 9 > host2 9 from=eth0 before=conntrack+-I+-p+udp+-s+198.51.100.7+-d+203.0.113.2+--sport+9+--dport+9+-t+100+-g+192.168.1.6:99 => new; outside 9 > inside2 99
      udp inside2 99 > outside 9 => reply; host2 9 > outside 9
      error 3/3 inside2 > outside about=3 => invalid; inside2 > outside about inside2 99 > outside 9`,
  },
]);

told('settings between packets', [
  {
    name: 'without tcp_loose no connection is picked up in its middle, translated or not',
    nft: MASQ,
    xt: MASQ_XT,
    packets: `
      tcp ack inside 1024 > outside 80 seq=101 ack=501 ${SET}_tcp_loose=0 => invalid; inside 1024 > outside 80
      tcp syn inside 1025 > outside 80 seq=100 => new; host 1025 > outside 80
      tcp syn,ack outside 80 > host 1025 from=eth0 seq=500 ack=101 => reply; outside 80 > inside 1025
      tcp ack inside 1024 > outside 80 seq=101 ack=501 ${SET}_tcp_loose=1 => new; host 1024 > outside 80
      tcp ack outside 80 > host 1024 from=eth0 seq=501 ack=101 => reply; outside 80 > inside 1024`,
  },
  {
    name: 'with tcp_be_liberal what lies outside the window is translated too',
    nft: MASQ,
    xt: MASQ_XT,
    packets: `
      tcp syn inside 1025 > outside 80 seq=100 => new; host 1025 > outside 80
      tcp syn,ack outside 80 > host 1025 from=eth0 seq=500 ack=101 => reply; outside 80 > inside 1025
      tcp ack inside 1025 > outside 80 seq=101 ack=501 => established; host 1025 > outside 80
      tcp ack outside 80 > host 1025 from=eth0 seq=9000000 ack=101 len=5 => invalid; outside 80 > host 1025
      tcp ack outside 80 > host 1025 from=eth0 seq=9000000 ack=101 len=5 ${SET}_tcp_be_liberal=1 => reply; outside 80 > inside 1025
      tcp ack inside 1025 > outside 80 seq=101 ack=9000005 => established; host 1025 > outside 80
      tcp rst outside 80 > host 1025 from=eth0 seq=400 => invalid; outside 80 > host 1025
      tcp rst outside 80 > host 1025 from=eth0 seq=400 ${SET}_tcp_ignore_invalid_rst=1 => reply; outside 80 > inside 1025
      tcp ack outside 80 > host 1025 from=eth0 seq=505 ack=101 ${SET}_tcp_be_liberal=0 => reply; outside 80 > inside 1025`,
  },
  {
    name: 'tcp_max_retrans=1: the second time a segment comes again it has the timer of max_retrans',
    nft: MASQ,
    packets: `
      tcp syn inside 1025 > outside 80 seq=100 ${SET}_tcp_max_retrans=1 => new; host 1025 > outside 80
      tcp syn,ack outside 80 > host 1025 from=eth0 seq=500 ack=101 => reply; outside 80 > inside 1025
      tcp ack inside 1025 > outside 80 seq=101 ack=501 => established; host 1025 > outside 80
      tcp ack inside 1025 > outside 80 seq=101 ack=501 len=5 => established; host 1025 > outside 80
      tcp ack inside 1025 > outside 80 seq=101 ack=501 len=5 ${SET}_tcp_timeout_max_retrans=77 => established; host 1025 > outside 80
      tcp ack inside 1025 > outside 80 seq=101 ack=501 len=5 => established; host 1025 > outside 80`,
  },
  {
    name: 'flows go on with or without counters, as they began, and with the new timers',
    nft: MASQ,
    packets: `
      udp inside 1024 > outside 53 => new; host 1024 > outside 53
      udp inside 1025 > outside 53 ${SET}_acct=0 => new; host 1025 > outside 53
      udp outside 53 > host 1025 from=eth0 => reply; outside 53 > inside 1025
      udp outside 53 > host 1024 from=eth0 ${SET}_udp_timeout=77 => reply; outside 53 > inside 1024
      sctp inside 1 > outside 2 ${SET}_sctp_timeout_closed=55 => new; host 1 > outside 2
      proto 50 inside > outside ${SET}_generic_timeout=0 => new; host > outside
      proto 50 inside > outside => new; host > outside
      icmp 8 inside > outside ${SET}_icmp_timeout=5 => new; host > outside id 5`,
  },
]);

told('an address that a device loses', [
  {
    name: 'takes the flows with it that are masqueraded as it',
    nft: table('ip6', natChain('postrouting', 'iifname "eth1" oifname "eth0" masquerade')),
    packets: `
      udp inside6 1024 > outside6 53 => new; host6 1024 > outside6 53
      udp outside6 53 > host6 1024 from=eth0 => reply; outside6 53 > inside6 1024
      udp outside6 53 > host6 1024 from=eth0 before=ip+addr+del+2001:db8:1::1/64+dev+eth0 => new; outside6 53 > host6 1024`,
  },
  {
    name: 'takes no other with it',
    nft: table(
      'ip',
      natChain(
        'postrouting',
        'oifname "eth0" meta l4proto udp masquerade\nmeta l4proto tcp snat to 203.0.113.2',
      ),
    ),
    packets: `
      udp inside 1024 > outside 53 => new; host 1024 > outside 53
      tcp syn inside 1024 > outside 80 => new; host2 1024 > outside 80
      udp outside 53 > host 1024 from=eth0 before=ip+addr+del+203.0.113.2/24+dev+eth0 => reply; outside 53 > inside 1024
      tcp syn,ack outside 80 > host2 1024 from=eth0 seq=4 ack=101 => reply; outside 80 > inside 1024`,
  },
]);
