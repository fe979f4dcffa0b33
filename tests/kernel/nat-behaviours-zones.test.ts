/**
 * Zones with translation: flows and ports of each zone are its own. After what Open vSwitch and the kernel's selftests
 * chose to test, in our own words.
 */
import { filterChain, natChain, table, told } from './nat-tell.ts';

/** Two customers with the same addresses, told apart by their hop limit; answers by the address that they came to. */
const TWO = filterChain('prerouting', -300, 'ip ttl 63 ct zone set 1\nip ttl 62 ct zone set 2');
const TWO_XT =
  '*raw\n-A PREROUTING -m ttl --ttl-eq 63 -j CT --zone 1\n-A PREROUTING -m ttl --ttl-eq 62 -j CT --zone 2\nCOMMIT\n';

told('zones', [
  {
    name: 'one connection in three zones is three flows: what is an answer in one is new in another',
    nft: table('ip', TWO),
    xt: TWO_XT,
    packets: `
      udp inside 1024 > outside 53 ttl=63 => new; inside 1024 > outside 53
      udp inside 1024 > outside 53 ttl=62 => new; inside 1024 > outside 53
      udp inside 1024 > outside 53 => new; inside 1024 > outside 53
      udp outside 53 > inside 1024 ttl=62 => reply; outside 53 > inside 1024
      udp outside 53 > inside 1025 ttl=63 => new; outside 53 > inside 1025
      udp outside2 53 > inside 1024 ttl=63 => new; outside2 53 > inside 1024
      udp inside 1024 > outside 53 ttl=63 => new; inside 1024 > outside 53
      udp inside 1024 > outside 53 ttl=62 => established; inside 1024 > outside 53`,
  },
  {
    name: 'a zone by a map of the device, as for VRFs: the other side is another zone',
    nft: table(
      'inet',
      filterChain('prerouting', -300, 'ct zone set iifname map { "eth0" : 10, "eth1" : 11 }'),
    ),
    xt: '*raw\n-A PREROUTING -i eth0 -j CT --zone 10\n-A PREROUTING -i eth1 -j CT --zone 11\nCOMMIT\n',
    packets: `
      udp inside 1024 > outside 53 => new; inside 1024 > outside 53
      udp outside 53 > inside 1024 => new; outside 53 > inside 1024
      udp inside 1024 > outside 53 => new; inside 1024 > outside 53
      udp outside 53 > inside 1024 => new; outside 53 > inside 1024`,
  },
  {
    name: 'a zone out of a field: the address, by a map',
    nft: table(
      'ip',
      filterChain(
        'prerouting',
        -300,
        'ct zone set ip saddr map { 192.168.1.5 : 5, 192.168.1.6 : 6 }\nct zone set ip daddr map { 192.168.1.5 : 5, 192.168.1.6 : 6 }',
      ),
    ),
    packets: `
      udp inside 1024 > outside 53 => new; inside 1024 > outside 53
      udp inside2 1024 > outside 53 => new; inside2 1024 > outside 53
      udp outside 53 > inside 1024 => reply; outside 53 > inside 1024
      udp outside 53 > inside2 1024 => reply; outside 53 > inside2 1024
      udp lan 1024 > outside 53 => new; lan 1024 > outside 53`,
  },
  {
    name: 'a packet is in the zone that was set last before tracking, and stays there',
    nft: table(
      'ip',
      filterChain('prerouting', -300, 'udp dport 53 ct zone set 3\nudp dport 53 ct zone set 4'),
      filterChain('forward', 0, 'ct zone 3 log prefix "three" group 1\nct zone 4 log prefix "four" group 1'),
    ),
    xt: '*raw\n-A PREROUTING -p udp --dport 53 -j CT --zone 3\n-A PREROUTING -p udp --dport 53 -j CT --zone 4\nCOMMIT\n',
    packets: `
      udp inside 1024 > outside 53 => new; inside 1024 > outside 53
      udp outside 53 > inside 1024 => new; outside 53 > inside 1024`,
  },
  {
    name: 'an ICMP error belongs to the flow of its own zone alone',
    nft: table('ip', TWO),
    xt: TWO_XT,
    packets: `
      udp inside 1024 > outside 53 ttl=63 => new; inside 1024 > outside 53
      error 3/3 outside > inside about=0 ttl=63 => related reply; outside > inside about inside 1024 > outside 53
      error 3/3 outside > inside about=0 ttl=62 => invalid; outside > inside about inside 1024 > outside 53
      error 3/3 outside > inside about=0 => invalid; outside > inside about inside 1024 > outside 53`,
  },
  {
    name: 'what this host sends by lo keeps its flow though another zone is set on the way in',
    nft: table(
      'inet',
      filterChain('output', -300, 'ct zone set 1'),
      filterChain('prerouting', -300, 'iif "lo" ct zone set 2'),
    ),
    packets: `
      udp host 1024 > host2 53 from=host => new; host 1024 > host2 53
      udp host2 53 > host 1024 from=host => reply; host2 53 > host 1024`,
  },
  {
    name: 'marks of a connection are each zone’s own',
    nft: table(
      'ip',
      TWO,
      filterChain(
        'forward',
        0,
        'ct state new ct zone 1 ct mark set 0x11\nct state new ct zone 2 ct mark set ct mark and 0xff00 or 0x22\nct direction reply ct mark 0x11 log prefix "one" group 1\nct direction reply ct mark 0x22 log prefix "two" group 1\nct direction reply ct mark set ct mark or 0x100',
      ),
    ),
    packets: `
      udp inside 1024 > outside 53 ttl=63 => new; inside 1024 > outside 53
      udp inside 1024 > outside 53 ttl=62 => new; inside 1024 > outside 53
      udp outside 53 > inside 1024 ttl=62 => reply; outside 53 > inside 1024
      udp outside 53 > inside 1024 ttl=63 => reply; outside 53 > inside 1024
      udp inside 1024 > outside 53 ttl=63 => established; inside 1024 > outside 53`,
  },
  {
    name: 'labels too, and one that is set leaves the others',
    nft: table(
      'ip',
      TWO,
      filterChain(
        'forward',
        0,
        'ct state new ct zone 1 ct label set 1\nct state new ct zone 2 ct label set 101\nct label 1 log prefix "one" group 1\nct label 101 log prefix "two" group 1\nct label 1 ct direction reply ct label set 7\nct label 7 log prefix "seven" group 1',
      ),
      natChain('postrouting', 'oifname "eth0" masquerade'),
    ),
    packets: `
      udp inside 1024 > outside 53 ttl=63 => new; host 1024 > outside 53
      udp inside 1024 > outside 53 ttl=62 => new; host 1024 > outside 53
      udp outside 53 > host 1024 ttl=62 from=eth0 => reply; outside 53 > inside 1024
      udp outside 53 > host 1024 ttl=63 from=eth0 => reply; outside 53 > inside 1024
      udp inside 1024 > outside 53 ttl=63 => established; host 1024 > outside 53`,
  },
  {
    name: 'flows are counted zone by zone: what is too much in one is not in another',
    nft: table(
      'ip',
      TWO,
      filterChain(
        'forward',
        0,
        'ct state new ct zone 1 ct count over 2 drop\nct state new ct zone 2 ct count over 1 drop',
      ),
    ),
    packets: `
      udp inside 1024 > outside 53 ttl=63 => new; inside 1024 > outside 53
      udp inside 1025 > outside 53 ttl=63 wait=20 => new; inside 1025 > outside 53
      udp inside 1026 > outside 53 ttl=63 wait=20 => new; nothing
      udp inside 1024 > outside 53 ttl=62 wait=20 => new; inside 1024 > outside 53
      udp inside 1025 > outside 53 ttl=62 wait=20 => new; nothing
      udp inside 1025 > outside 53 wait=20 => new; inside 1025 > outside 53`,
  },
]);

const MASQ2 = natChain('postrouting', 'oifname "eth0" snat to 203.0.113.2');
told('zones with translation', [
  {
    name: 'two customers of one address get an outer address each, by the zone',
    nft: table(
      'ip',
      TWO,
      natChain('postrouting', 'ct zone 1 snat to 203.0.113.1\nct zone 2 snat to 203.0.113.2'),
    ),
    packets: `
      tcp syn inside 1024 > outside 80 ttl=63 seq=100 => new; host 1024 > outside 80
      tcp syn inside 1024 > outside 80 ttl=62 seq=900 => new; host2 1024 > outside 80
      tcp syn,ack outside 80 > host 1024 from=eth0 ttl=63 seq=500 ack=101 => reply; outside 80 > inside 1024
      tcp syn,ack outside 80 > host2 1024 from=eth0 ttl=62 seq=700 ack=901 => reply; outside 80 > inside 1024
      tcp syn,ack outside 80 > host2 1024 from=eth0 ttl=63 seq=700 ack=901 => invalid; outside 80 > host2 1024`,
  },
  {
    name: 'the same port of one range is given in each zone',
    nft: table('ip', TWO, natChain('postrouting', 'meta l4proto udp snat to 203.0.113.2:5000')),
    xt: `${TWO_XT}*nat\n-A POSTROUTING -p udp -j SNAT --to-source 203.0.113.2:5000-5000\nCOMMIT\n`,
    packets: `
      udp inside 1024 > outside 53 ttl=63 => new; host2 5000 > outside 53
      udp inside2 1024 > outside 53 ttl=62 => new; host2 5000 > outside 53
      udp lan 1024 > outside 53 => new; host2 5000 > outside 53
      udp lan 1024 > outside 53 ttl=63 => new; nothing
      udp outside 53 > host2 5000 from=eth0 ttl=62 => reply; outside 53 > inside2 1024
      udp outside 53 > host2 5000 from=eth0 => reply; outside 53 > lan 1024`,
  },
  {
    name: 'a floating address: one zone for each direction of opening, each with a translation of its own',
    nft: table(
      'ip',
      filterChain('prerouting', -300, 'iifname "eth1" ct zone set 1\niifname "eth0" ct zone set 2'),
      natChain('prerouting', 'iifname "eth0" ip daddr 203.0.113.2 dnat to 192.168.1.5'),
      natChain('postrouting', 'oifname "eth0" ip saddr 192.168.1.5 snat to 203.0.113.2'),
    ),
    packets: `
      udp outside 1024 > host2 53 from=eth0 => new; outside 1024 > inside 53
      udp inside 53 > outside 1024 => new; host2 53 > outside 1024
      udp outside 1024 > host2 53 from=eth0 => new; outside 1024 > inside 53
      udp inside 53 > outside 1024 => new; host2 53 > outside 1024`,
  },
  {
    name: 'a floating address in one zone: what goes out and what comes in know each other',
    nft: table(
      'ip',
      filterChain('prerouting', -300, 'ct zone set 9'),
      natChain('prerouting', 'iifname "eth0" ip daddr 203.0.113.2 dnat to 192.168.1.5'),
      natChain('postrouting', 'oifname "eth0" ip saddr 192.168.1.5 snat to 203.0.113.2'),
    ),
    xt: '*raw\n-A PREROUTING -j CT --zone 9\nCOMMIT\n*nat\n-A PREROUTING -i eth0 -d 203.0.113.2 -j DNAT --to-destination 192.168.1.5\n-A POSTROUTING -o eth0 -s 192.168.1.5 -j SNAT --to-source 203.0.113.2\nCOMMIT\n',
    packets: `
      udp outside 1024 > host2 53 from=eth0 => new; outside 1024 > inside 53
      udp inside 53 > outside 1024 => reply; host2 53 > outside 1024
      udp inside 5000 > outside 53 => new; host2 5000 > outside 53
      udp outside 53 > host2 5000 from=eth0 => reply; outside 53 > inside 5000`,
  },
  {
    name: 'a mark that the answer changes is the flow’s, translated or not',
    nft: table(
      'ip',
      MASQ2,
      filterChain(
        'forward',
        0,
        'ct state new ct mark set 3\nct direction reply ct mark 3 ct mark set 7\nct direction original ct mark 7 log prefix "seven" group 1',
      ),
    ),
    xt: '*nat\n-A POSTROUTING -o eth0 -j SNAT --to-source 203.0.113.2\nCOMMIT\n*mangle\n-A FORWARD -m conntrack --ctstate NEW -j CONNMARK --set-mark 3\n-A FORWARD -m conntrack --ctdir REPLY -m connmark --mark 3 -j CONNMARK --set-mark 7\n-A FORWARD -m conntrack --ctdir ORIGINAL -m connmark --mark 7 -j NFLOG --nflog-group 1 --nflog-prefix seven\nCOMMIT\n',
    packets: `
      udp inside 1024 > outside 53 => new; host2 1024 > outside 53
      udp outside 53 > host2 1024 from=eth0 => reply; outside 53 > inside 1024
      udp inside 1024 > outside 53 => established; host2 1024 > outside 53`,
  },
  {
    name: 'a zone of the original direction: two customers of one address, and answers by port',
    nft: table(
      'ip',
      filterChain(
        'prerouting',
        -300,
        'iifname "eth1" ip ttl 63 ct original zone set 1\niifname "eth1" ip ttl 62 ct original zone set 2',
      ),
      natChain(
        'postrouting',
        'meta l4proto udp ct original zone 1 snat to 203.0.113.2:5001\nmeta l4proto udp ct original zone 2 snat to 203.0.113.2:5002',
      ),
    ),
    packets: `
      udp inside 1024 > outside 53 ttl=63 => new; host2 5001 > outside 53
      udp inside 1024 > outside 53 ttl=62 => new; host2 5002 > outside 53
      udp outside 53 > host2 5002 from=eth0 => reply; outside 53 > inside 1024
      udp outside 53 > host2 5001 from=eth0 => reply; outside 53 > inside 1024
      udp inside 1024 > outside 53 ttl=63 => established; host2 5001 > outside 53
      udp inside 1024 > outside 53 => new; inside 1024 > outside 53`,
  },
  {
    name: 'the same of iptables: --zone-orig',
    xt: '*raw\n-A PREROUTING -i eth1 -m ttl --ttl-eq 63 -j CT --zone-orig 1\n-A PREROUTING -i eth1 -m ttl --ttl-eq 62 -j CT --zone-orig 2\nCOMMIT\n*nat\n-A POSTROUTING -p udp -o eth0 -m ttl --ttl-eq 62 -j SNAT --to-source 203.0.113.2:5001-5001\n-A POSTROUTING -p udp -o eth0 -m ttl --ttl-eq 61 -j SNAT --to-source 203.0.113.2:5002-5002\nCOMMIT\n',
    packets: `
      udp inside 1024 > outside 53 ttl=63 => new; host2 5001 > outside 53
      udp inside 1024 > outside 53 ttl=62 => new; host2 5002 > outside 53
      udp outside 53 > host2 5002 from=eth0 => reply; outside 53 > inside 1024
      udp outside 53 > host2 5001 from=eth0 => reply; outside 53 > inside 1024`,
  },
  {
    name: 'with zones of the original direction a port that one holds is taken for the other',
    nft: table(
      'ip',
      filterChain(
        'prerouting',
        -300,
        'iifname "eth1" ip ttl 63 ct original zone set 1\niifname "eth1" ip ttl 62 ct original zone set 2',
      ),
      natChain('postrouting', 'meta l4proto udp snat to 203.0.113.2:5000'),
    ),
    packets: `
      udp inside 1024 > outside 53 ttl=63 => new; host2 5000 > outside 53
      udp inside 1024 > outside 53 ttl=62 => new; nothing
      udp outside 53 > host2 5000 from=eth0 => reply; outside 53 > inside 1024`,
  },
  {
    name: 'masquerading is decided once for a flow, though two chains ask',
    nft: `${table('ip', filterChain('prerouting', -300, 'iif { "eth0", "eth1" } ct zone set 1'), natChain('postrouting', 'oifname "eth0" counter masquerade'))}table inet u {\nchain c {\ntype nat hook postrouting priority 120\ncounter masquerade\n}\n}\n`,
    packets: `
      udp inside 1024 > outside 53 => new; host 1024 > outside 53
      udp outside 53 > host 1024 from=eth0 => reply; outside 53 > inside 1024
      udp inside 1024 > outside 53 => established; host 1024 > outside 53`,
  },
]);
