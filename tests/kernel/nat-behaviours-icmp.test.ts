/**
 * ICMP errors about flows: RELATED in both directions, from ends and from routers that are none, put back to what the
 * one who hears them had sent. After what Open vSwitch and the kernel's selftests chose to test, in our own words.
 */
import { filterChain, natChain, table, told } from './nat-tell.ts';

const SNAT = table('ip', natChain('postrouting', 'oifname "eth0" snat to 203.0.113.2'));
const SNAT_XT = '*nat\n-A POSTROUTING -o eth0 -j SNAT --to-source 203.0.113.2\nCOMMIT\n';
const ONE_PORT = table('ip', natChain('postrouting', 'meta l4proto udp snat to 203.0.113.2:34567'));
const ONE_PORT_XT = '*nat\n-A POSTROUTING -p udp -j SNAT --to-source 203.0.113.2:34567-34567\nCOMMIT\n';
const DNAT = table('ip', natChain('prerouting', 'iifname "eth0" dnat to 192.168.1.5'));
const DNAT_XT = '*nat\n-A PREROUTING -i eth0 -j DNAT --to-destination 192.168.1.5\nCOMMIT\n';
const BOTH = table(
  'ip',
  natChain('prerouting', 'udp dport 53 dnat to 192.168.1.5:5353'),
  natChain('postrouting', 'udp dport 5353 snat to 10.9.9.9:4000'),
);
const SNAT6 = table('ip6', natChain('postrouting', 'oifname "eth0" snat to 2001:db8:1::77'));
const SNAT6_XT = '*nat\n-A POSTROUTING -o eth0 -j SNAT --to-source 2001:db8:1::77\nCOMMIT\n';
const ONE_PORT6 = table('ip6', natChain('postrouting', 'meta l4proto udp snat to [2001:db8:1::77]:34567'));
const DNAT6 = table('ip6', natChain('prerouting', 'iifname "eth0" dnat to fd00:1::5'));
/** Nothing is translated; tracking alone. */
const NONE = table('inet', 'chain c { ct state new counter\n}\n');

told('errors about flows, untranslated', [
  {
    name: 'port unreachable from the one who was asked is RELATED, as often as it comes',
    nft: NONE,
    packets: `
      udp inside 1024 > outside 53 => new; inside 1024 > outside 53
      error 3/3 outside > inside about=0 => related reply; outside > inside about inside 1024 > outside 53
      error 3/3 outside > inside about=0 => related reply; outside > inside about inside 1024 > outside 53
      error 3/3 outside > inside about=0 => related reply; outside > inside about inside 1024 > outside 53`,
  },
  {
    name: 'port unreachable from the one who asked is RELATED the other way round',
    nft: NONE,
    packets: `
      udp inside 1024 > outside 53 => new; inside 1024 > outside 53
      udp outside 53 > inside 1024 => reply; outside 53 > inside 1024
      error 3/3 inside > outside about=1 => related; inside > outside about outside 53 > inside 1024
      udp inside 1024 > outside 53 => established; inside 1024 > outside 53`,
  },
  {
    name: 'an error confirms nothing: a flow of which no answer came stays without',
    nft: NONE,
    packets: `
      udp inside 1024 > outside 53 => new; inside 1024 > outside 53
      error 3/3 outside > inside about=0 => related reply; outside > inside about inside 1024 > outside 53
      udp inside 1024 > outside 53 => new; inside 1024 > outside 53
      udp outside 53 > inside 1024 => reply; outside 53 > inside 1024`,
  },
  {
    name: 'fragmentation needed, redirect, time exceeded and parameter problem are RELATED, and so is source quench',
    nft: NONE,
    packets: `
      tcp syn inside 1024 > outside 80 => new; inside 1024 > outside 80
      error 3/4 192.0.2.9 > inside about=0 => related reply; 192.0.2.9 > inside about inside 1024 > outside 80
      error 5/1 near > inside about=0 => related reply; near > inside about inside 1024 > outside 80
      error 11/0 192.0.2.9 > inside about=0 => related reply; 192.0.2.9 > inside about inside 1024 > outside 80
      error 12/0 192.0.2.9 > inside about=0 => related reply; 192.0.2.9 > inside about inside 1024 > outside 80
      error 4/0 192.0.2.9 > inside about=0 => related reply; 192.0.2.9 > inside about inside 1024 > outside 80`,
  },
  {
    name: 'packet too big, time exceeded and parameter problem of IPv6 are RELATED',
    nft: NONE,
    packets: `
      udp inside6 1024 > outside6 53 => new; inside6 1024 > outside6 53
      error 1/4 outside6 > inside6 about=0 => related reply; outside6 > inside6 about inside6 1024 > outside6 53
      error 2/0 other6 > inside6 about=0 => related reply; other6 > inside6 about inside6 1024 > outside6 53
      error 3/0 other6 > inside6 about=0 => related reply; other6 > inside6 about inside6 1024 > outside6 53
      error 4/1 other6 > inside6 about=0 => related reply; other6 > inside6 about inside6 1024 > outside6 53`,
  },
  {
    name: 'a redirect of IPv6 is RELATED if a neighbour sends it by its own link, and quotes in an option',
    nft: NONE,
    packets: `
      udp host6 1024 > outside6 53 from=host => new; host6 1024 > outside6 53
      redirect 137/0 fe80::9 > host6 about=0 ttl=255 from=eth0 => related reply; fe80::9 > host6 id 0
      redirect 137/0 fe80::9 > host6 about=0 ttl=254 from=eth0 => invalid; fe80::9 > host6 id 0
      redirect 137/0 2001:db8:1::9 > host6 about=0 ttl=255 from=eth0 => invalid; 2001:db8:1::9 > host6 id 0
      error 137/0 fe80::9 > host6 about=0 ttl=255 from=eth0 => invalid; fe80::9 > host6 id 0`,
  },
  {
    name: 'an error about what was never sent is INVALID: other ports, other protocol, other way round',
    nft: NONE,
    packets: `
      udp inside 1024 > outside 53 => new; inside 1024 > outside 53
      udp inside 1025 > outside 53 => unsent
      tcp syn inside 1024 > outside 53 => unsent
      udp outside 53 > inside 1024 => unsent
      error 3/3 outside > inside about=1 => invalid; outside > inside about inside 1025 > outside 53
      error 3/3 outside > inside about=2 => invalid; outside > inside about inside 1024 > outside 53
      error 3/3 outside > inside about=3 from=eth0 => invalid; outside > inside about outside 53 > inside 1024`,
  },
  {
    name: 'an error to somebody who is no end of the flow is INVALID',
    nft: NONE,
    packets: `
      udp inside 1024 > outside 53 => new; inside 1024 > outside 53
      error 3/3 outside > inside2 about=0 => invalid; outside > inside2 about inside 1024 > outside 53
      error 3/3 outside > inside about=0 => related reply; outside > inside about inside 1024 > outside 53`,
  },
  {
    name: 'of the quoted packet its header and eight bytes are wanted, or as few as hold the ports',
    nft: NONE,
    packets: `
      udp inside 1024 > outside 53 len=40 => new; inside 1024 > outside 53
      error 3/3 outside > inside about=0 quote=28 => related reply; outside > inside about inside 1024 > outside 53
      error 3/3 outside > inside about=0 quote=24 => related reply; outside > inside about fragment
      error 3/3 outside > inside about=0 quote=23 => invalid; outside > inside about fragment
      error 3/3 outside > inside about=0 quote=20 => invalid; outside > inside about fragment`,
  },
  {
    name: 'an error about an echo request is RELATED to it, one about an error is nothing',
    nft: NONE,
    packets: `
      icmp 8 inside > outside id=9 => new; inside > outside id 9
      error 11/0 192.0.2.9 > inside about=0 => related reply; 192.0.2.9 > inside about inside > outside id 9
      error 3/1 192.0.2.9 > inside about=1 => invalid; 192.0.2.9 > inside about 192.0.2.9 > inside about inside > outside id 9`,
  },
]);

told('errors about a source that was translated', [
  {
    name: 'an error from outside reaches the one who sent, about what he sent',
    nft: SNAT,
    xt: SNAT_XT,
    packets: `
      udp inside 1024 > outside 53 => new; host2 1024 > outside 53
      udp host2 1024 > outside 53 => unsent
      error 3/3 outside > host2 about=1 from=eth0 => related reply; outside > inside about inside 1024 > outside 53
      error 3/3 outside > host2 about=1 from=eth0 => related reply; outside > inside about inside 1024 > outside 53`,
  },
  {
    name: 'an error of the inside about the answer leaves by the public address',
    nft: SNAT,
    xt: SNAT_XT,
    packets: `
      udp inside 1024 > outside 53 => new; host2 1024 > outside 53
      udp outside 53 > host2 1024 from=eth0 => reply; outside 53 > inside 1024
      udp outside 53 > inside 1024 => unsent
      error 3/3 inside > outside about=2 => related; host2 > outside about outside 53 > host2 1024`,
  },
  {
    name: 'the only port is put back in the quotation',
    nft: ONE_PORT,
    xt: ONE_PORT_XT,
    packets: `
      udp inside 1024 > outside 53 => new; host2 34567 > outside 53
      udp host2 34567 > outside 53 => unsent
      error 3/3 outside > host2 about=1 from=eth0 => related reply; outside > inside about inside 1024 > outside 53
      error 3/3 outside > host2 about=1 from=eth0 quote=28 => related reply; outside > inside about inside 1024 > outside 53
      udp outside 53 > host2 34567 from=eth0 => reply; outside 53 > inside 1024
      udp outside 53 > inside 1024 => unsent
      error 3/3 inside > outside about=5 => related; host2 > outside about outside 53 > host2 34567`,
  },
  {
    name: 'fragmentation needed comes from a router on the way, and keeps that router’s address',
    nft: ONE_PORT,
    xt: ONE_PORT_XT,
    packets: `
      udp inside 1024 > outside 53 len=1400 => new; host2 34567 > outside 53
      udp host2 34567 > outside 53 len=1400 => unsent
      error 3/4 192.0.2.9 > host2 about=1 from=eth0 quote=548 => related reply; 192.0.2.9 > inside about inside 1024 > outside 53
      error 11/0 near > host2 about=1 from=eth0 quote=28 => related reply; near > inside about inside 1024 > outside 53`,
  },
  {
    name: 'a router of the inside says that it is too big: outside nobody sees that router',
    nft: SNAT,
    xt: SNAT_XT,
    packets: `
      tcp syn inside 1024 > outside 80 seq=100 => new; host2 1024 > outside 80
      tcp syn,ack outside 80 > host2 1024 seq=500 ack=101 from=eth0 => reply; outside 80 > inside 1024
      tcp ack outside 80 > inside 1024 seq=501 ack=101 len=1400 => unsent
      error 3/4 10.0.0.77 > outside about=2 quote=60 => related; host2 > outside about outside 80 > host2 1024`,
  },
  {
    name: 'a redirect about what was translated is dropped, and passes about what was not',
    nft: SNAT,
    xt: SNAT_XT,
    packets: `
      udp inside 1024 > outside 53 => new; host2 1024 > outside 53
      udp host2 1024 > outside 53 => unsent
      error 5/1 near > host2 about=1 from=eth0 => related reply; nothing
      udp outside 1024 > inside 53 => new; outside 1024 > inside 53
      error 5/1 10.0.0.77 > outside about=3 => related reply; 10.0.0.77 > outside about outside 1024 > inside 53`,
  },
  {
    name: 'the id of an echo request is put back in the quotation',
    nft: table('ip', natChain('postrouting', 'ip protocol icmp snat to 203.0.113.2:77-77')),
    xt: '*nat\n-A POSTROUTING -p icmp -j SNAT --to-source 203.0.113.2:77-77\nCOMMIT\n',
    packets: `
      icmp 8 inside > outside id=9 => new; host2 > outside id 77
      icmp 0 outside > host2 id=77 from=eth0 => reply; outside > inside id 9
      icmp 8 host2 > outside id=77 => unsent
      error 11/0 192.0.2.9 > host2 about=2 from=eth0 => related reply; 192.0.2.9 > inside about inside > outside id 9`,
  },
  {
    name: 'an error about the untranslated packet, from outside, is INVALID and passes as it is',
    nft: SNAT,
    xt: SNAT_XT,
    packets: `
      udp inside 1024 > outside 53 => new; host2 1024 > outside 53
      udp inside 1024 > outside 53 => unsent
      error 3/3 outside > inside about=1 => invalid; outside > inside about inside 1024 > outside 53
      udp host2 1025 > outside 53 => unsent
      error 3/3 outside > host2 about=3 from=eth0 => invalid; outside > host2 about host2 1025 > outside 53`,
  },
  {
    name: 'SCTP: the verification tag and the ports are quoted, eight bytes of it',
    nft: table('ip', natChain('postrouting', 'meta l4proto sctp snat to 203.0.113.2:7000-7000')),
    xt: '*nat\n-A POSTROUTING -p sctp -j SNAT --to-source 203.0.113.2:7000-7000\nCOMMIT\n',
    packets: `
      sctp inside 2000 > outside 36412 => new; host2 7000 > outside 36412
      sctp host2 7000 > outside 36412 => unsent
      error 3/2 outside > host2 about=1 from=eth0 quote=28 => related reply; outside > inside about inside 2000 > outside 36412
      error 3/2 outside > host2 about=1 from=eth0 => related reply; outside > inside about inside 2000 > outside 36412`,
  },
  {
    name: 'a protocol without ports is put back likewise',
    nft: SNAT,
    xt: SNAT_XT,
    packets: `
      proto 50 inside > outside => new; host2 > outside
      proto 50 host2 > outside => unsent
      error 3/2 outside > host2 about=1 from=eth0 => related reply; outside > inside about inside > outside`,
  },
]);

told('errors about a destination that was translated', [
  {
    name: 'an error of the server leaves by the address that was asked',
    nft: DNAT,
    xt: DNAT_XT,
    packets: `
      udp outside 1024 > host 53 from=eth0 => new; outside 1024 > inside 53
      udp outside 1024 > inside 53 => unsent
      error 3/3 inside > outside about=1 => related reply; host > outside about outside 1024 > host 53
      error 3/3 inside > outside about=1 => related reply; host > outside about outside 1024 > host 53`,
  },
  {
    name: 'a router before the server is hidden behind the address that was asked',
    nft: DNAT,
    xt: DNAT_XT,
    packets: `
      udp outside 1024 > host 53 from=eth0 => new; outside 1024 > inside 53
      udp outside 1024 > inside 53 => unsent
      error 3/1 10.0.0.77 > outside about=1 => related reply; host > outside about outside 1024 > host 53
      error 3/4 10.0.0.77 > outside about=1 => related reply; host > outside about outside 1024 > host 53`,
  },
  {
    name: 'an error of the client about the answer reaches the server',
    nft: DNAT,
    xt: DNAT_XT,
    packets: `
      udp outside 1024 > host 53 from=eth0 => new; outside 1024 > inside 53
      udp inside 53 > outside 1024 => reply; host 53 > outside 1024
      udp host 53 > outside 1024 => unsent
      error 3/3 outside > host about=2 from=eth0 => related; outside > inside about inside 53 > outside 1024
      error 3/4 192.0.2.9 > host about=2 from=eth0 => related; 192.0.2.9 > inside about inside 53 > outside 1024`,
  },
  {
    name: 'where both ends were translated both are put back, whoever speaks',
    nft: BOTH,
    xt: '*nat\n-A PREROUTING -p udp --dport 53 -j DNAT --to-destination 192.168.1.5:5353\n-A POSTROUTING -p udp --dport 5353 -j SNAT --to-source 10.9.9.9:4000-4000\nCOMMIT\n',
    packets: `
      udp outside 1024 > host 53 from=eth0 => new; 10.9.9.9 4000 > inside 5353
      udp 10.9.9.9 4000 > inside 5353 => unsent
      error 3/3 inside > 10.9.9.9 about=1 => related reply; host > outside about outside 1024 > host 53
      error 3/4 10.0.0.77 > 10.9.9.9 about=1 => related reply; host > outside about outside 1024 > host 53
      udp inside 5353 > 10.9.9.9 4000 => reply; host 53 > outside 1024
      udp host 53 > outside 1024 => unsent
      error 3/3 outside > host about=5 from=eth0 => related; 10.9.9.9 > inside about inside 5353 > 10.9.9.9 4000`,
  },
]);

told('errors about flows of IPv6', [
  {
    name: 'from the other end and from a router, with a translated source',
    nft: SNAT6,
    xt6: SNAT6_XT,
    packets: `
      udp inside6 1024 > outside6 53 len=1300 => new; 2001:db8:1::77 1024 > outside6 53
      udp 2001:db8:1::77 1024 > outside6 53 len=1300 => unsent
      error 1/4 outside6 > 2001:db8:1::77 about=1 from=eth0 => related reply; outside6 > inside6 about inside6 1024 > outside6 53
      error 2/0 other6 > 2001:db8:1::77 about=1 from=eth0 quote=500 => related reply; other6 > inside6 about inside6 1024 > outside6 53
      error 3/0 other6 > 2001:db8:1::77 about=1 from=eth0 quote=48 => related reply; other6 > inside6 about inside6 1024 > outside6 53
      udp outside6 53 > 2001:db8:1::77 1024 from=eth0 => reply; outside6 53 > inside6 1024
      udp outside6 53 > inside6 1024 => unsent
      error 1/4 inside6 > outside6 about=6 => related; 2001:db8:1::77 > outside6 about outside6 53 > 2001:db8:1::77 1024
      error 2/0 net6 > outside6 about=6 => related; 2001:db8:1::77 > outside6 about outside6 53 > 2001:db8:1::77 1024`,
  },
  {
    name: 'the only port is put back',
    nft: ONE_PORT6,
    xt6: '*nat\n-A POSTROUTING -p udp -j SNAT --to-source [2001:db8:1::77]:34567\nCOMMIT\n',
    packets: `
      udp inside6 1024 > outside6 53 => new; 2001:db8:1::77 34567 > outside6 53
      udp 2001:db8:1::77 34567 > outside6 53 => unsent
      error 1/4 outside6 > 2001:db8:1::77 about=1 from=eth0 => related reply; outside6 > inside6 about inside6 1024 > outside6 53
      error 2/0 other6 > 2001:db8:1::77 about=1 from=eth0 quote=48 => related reply; other6 > inside6 about inside6 1024 > outside6 53`,
  },
  {
    name: 'with a translated destination',
    nft: DNAT6,
    xt6: '*nat\n-A PREROUTING -i eth0 -j DNAT --to-destination fd00:1::5\nCOMMIT\n',
    packets: `
      udp outside6 1024 > host6 53 from=eth0 => new; outside6 1024 > inside6 53
      udp outside6 1024 > inside6 53 => unsent
      error 1/4 inside6 > outside6 about=1 => related reply; host6 > outside6 about outside6 1024 > host6 53
      error 2/0 net6 > outside6 about=1 => related reply; host6 > outside6 about outside6 1024 > host6 53
      udp inside6 53 > outside6 1024 => reply; host6 53 > outside6 1024
      udp host6 53 > outside6 1024 => unsent
      error 1/4 outside6 > host6 about=5 from=eth0 => related; outside6 > inside6 about inside6 53 > outside6 1024
      error 2/0 other6 > host6 about=5 from=eth0 => related; other6 > inside6 about inside6 53 > outside6 1024`,
  },
  {
    name: 'a redirect about what was translated is dropped',
    nft: SNAT6,
    xt6: SNAT6_XT,
    packets: `
      udp inside6 1024 > outside6 53 => new; 2001:db8:1::77 1024 > outside6 53
      udp 2001:db8:1::77 1024 > outside6 53 => unsent
      redirect 137/0 fe80::9 > 2001:db8:1::77 about=1 ttl=255 from=eth0 => related reply; nothing`,
  },
]);

told('a reject before routing', [
  {
    name: 'answers this host by the address that it asked, if that is its own, and others by the way to them',
    nft: table(
      'ip',
      filterChain('prerouting', -150, 'meta l4proto udp reject with icmp type port-unreachable'),
    ),
    packets: `
      udp host2 1024 > gate 53 from=host => new; gate > host2 about host2 1024 > gate 53
      udp host2 1024 > gate 53 from=eth0 => new; gate > host2 about host2 1024 > gate 53
      udp host2 1024 > outside 53 from=eth0 => new; nothing
      udp inside 1024 > outside 53 => new; gate > inside about inside 1024 > outside 53`,
  },
]);
