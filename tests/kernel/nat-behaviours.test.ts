/**
 * Address translation as other projects' authors chose to test it (gVisor, Open vSwitch, the kernel's selftests,
 * kube-proxy), in scenarios of our own: each line says what becomes of a packet, and the kernel agrees to the last byte.
 */
import { afterAll, beforeAll, describe } from 'vitest';
import { natScenarios, natTable, natXt } from './nat-say.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';

describe.skipIf(!rulesUsable())('address translation', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  });
  afterAll(() => kernel.close());

  natScenarios('of sources', () => kernel, [
    {
      name: 'a masqueraded flow leaves with the address of its device, and answers find their way back',
      sources: natTable('ip', { post: 'oifname "eth0" masquerade' }),
      packets: `
        tcp syn inside 1024 > outside 22 seq=100 => host 1024 > outside 22
        tcp syn,ack outside 22 > host 1024 seq=500 ack=101 from=eth0 => outside 22 > inside 1024
        tcp ack inside 1024 > outside 22 seq=101 ack=501 => host 1024 > outside 22
        udp inside 1024 > near 53 => host 1024 > near 53
        icmp 8 inside2 > outside id=9 => host > outside id 9
        icmp 0 outside > host id=9 from=eth0 => outside > inside2 id 9`,
    },
    {
      name: 'what leaves by another device, and what comes in, is not translated',
      sources: natTable('ip', { post: 'oifname "eth0" masquerade' }),
      packets: `
        udp outside 1024 > inside 53 => outside 1024 > inside 53
        udp inside 53 > outside 1024 => inside 53 > outside 1024`,
    },
    {
      name: 'a source whose port was translated keeps it for other destinations',
      sources: natXt('iptables-nft', '-A POSTROUTING -p udp -j SNAT --to-source 203.0.113.2:5000-5000'),
      packets: `
        udp inside 1024 > outside 53 => host2 5000 > outside 53
        udp inside 1024 > outside2 53 => host2 5000 > outside2 53
        udp inside2 1024 > near 53 => host2 5000 > near 53`,
    },
    {
      name: 'when the only port is taken the packet is dropped, and goes through when the port is free again',
      sources: natTable('ip', { post: 'tcp dport 22 snat to 203.0.113.2:5000' }),
      packets: `
        tcp syn inside 1024 > outside 22 seq=100 => host2 5000 > outside 22
        tcp syn inside2 1024 > outside 22 seq=200 => nothing
        tcp rst,ack outside 22 > host2 5000 seq=0 ack=101 from=eth0 => outside 22 > inside 1024
        tcp syn inside2 1024 > outside 22 seq=200 => host2 5000 > outside 22`,
    },
    {
      name: 'a closed flow gives its port to a new one with a higher sequence number',
      sources: natTable('ip', { post: 'tcp dport 22 snat to 203.0.113.2:5000' }),
      packets: `
        tcp syn inside 1024 > outside 22 seq=100 => host2 5000 > outside 22
        tcp syn,ack outside 22 > host2 5000 seq=500 ack=101 from=eth0 => outside 22 > inside 1024
        tcp ack inside 1024 > outside 22 seq=101 ack=501 => host2 5000 > outside 22
        tcp rst,ack inside 1024 > outside 22 seq=101 ack=501 => host2 5000 > outside 22
        tcp syn inside2 1024 > outside 22 seq=100 => nothing
        tcp syn inside2 1024 > outside 22 seq=102 => host2 5000 > outside 22`,
    },
    {
      name: 'a range of ports says nothing of protocols without any, and does not touch them',
      sources: natTable('ip', { post: 'ip protocol { udp, 50 } snat to 203.0.113.2' }),
      packets: `
        proto 50 inside > outside => host2 > outside
        proto 50 inside2 > outside => nothing
        proto 50 inside2 > outside2 => host2 > outside2
        proto 50 outside2 > host2 from=eth0 => outside2 > inside2`,
    },
    {
      name: 'SCTP keeps its port, or gets one of the range',
      sources: natTable('ip', { post: 'meta l4proto sctp snat to 203.0.113.2:7000-7000' }),
      packets: `
        sctp inside 2000 > outside 36412 => host2 7000 > outside 36412
        sctp inside2 2000 > outside 36412 => nothing`,
    },
    {
      name: 'networks are mapped host by host, both ways',
      sources: natXt(
        'iptables-legacy',
        '-A POSTROUTING -s 192.168.1.0/24 -o eth0 -j NETMAP --to 192.0.2.0/24\n-A PREROUTING -d 192.0.2.0/24 -i eth0 -j NETMAP --to 192.168.1.0/24',
      ),
      packets: `
        udp inside 1024 > outside 53 => 192.0.2.5 1024 > outside 53
        udp outside 53 > 192.0.2.5 1024 => outside 53 > inside 1024
        udp outside2 53 > 192.0.2.6 1024 => outside2 53 > inside2 1024
        udp inside2 1024 > outside2 53 => 192.0.2.6 1024 > outside2 53`,
    },
    {
      name: 'a chain of the user with NETMAP translates the end that its caller stands for',
      sources: natXt(
        'iptables-legacy',
        ':MAP - [0:0]\n-A POSTROUTING -s 192.168.1.0/24 -o eth0 -j MAP\n-A PREROUTING -d 192.0.2.0/24 -i eth0 -j MAP\n-A MAP -p tcp -j RETURN\n-A MAP -j NETMAP --to 10.1.2.0/24',
      ),
      packets: `
        udp inside 1024 > outside 53 => 10.1.2.5 1024 > outside 53
        udp outside2 53 > 192.0.2.3 1024 => outside2 53 > lan 1024`,
    },
    {
      name: 'IPv6 is masqueraded as IPv4 is',
      sources: natTable('ip6', { post: 'oifname "eth0" masquerade' }),
      packets: `
        tcp syn inside6 1024 > outside6 22 seq=100 => host6 1024 > outside6 22
        tcp syn,ack outside6 22 > host6 1024 seq=500 ack=101 from=eth0 => outside6 22 > inside6 1024
        icmp 128 net6 > outside6 id=9 => host6 > outside6 id 9
        icmp 129 outside6 > host6 id=9 from=eth0 => outside6 > net6 id 9`,
    },
    {
      name: 'INPUT translates sources of what is for this host',
      sources: natTable('ip', { in: 'udp dport 53 snat to 192.168.1.99' }),
      packets: `
        udp inside 1024 > gate 53 => 192.168.1.99 1024 > gate 53
        udp gate 53 > 192.168.1.99 1024 => gate 53 > inside 1024
        udp inside 1024 > gate 54 => inside 1024 > gate 54`,
    },
  ]);

  natScenarios('of destinations', () => kernel, [
    {
      name: 'a forwarded port reaches the server, whose answers come from the public address',
      sources: natTable('ip', { pre: 'iifname "eth0" tcp dport 80 dnat to 192.168.1.5:8080' }),
      packets: `
        tcp syn outside 1024 > host 80 from=eth0 seq=100 => outside 1024 > inside 8080
        tcp syn,ack inside 8080 > outside 1024 seq=500 ack=101 => host 80 > outside 1024
        tcp ack outside 1024 > host 80 from=eth0 seq=101 ack=501 => outside 1024 > inside 8080
        tcp syn outside 1024 > host 81 from=eth0 => outside 1024 > host 81`,
    },
    {
      name: 'address only, and port only',
      sources: natXt(
        'iptables-nft',
        '-A OUTPUT -p tcp --dport 80 -j DNAT --to-destination 192.168.1.5\n-A OUTPUT -p tcp --dport 81 -j DNAT --to-destination :8081\n-A OUTPUT -p tcp --dport 82 -j DNAT --to-destination 192.168.1.6:8082',
      ),
      packets: `
        tcp syn gate 1024 > outside 80 => gate 1024 > inside 80
        tcp syn gate 1025 > outside 81 => gate 1025 > outside 8081
        tcp syn gate 1026 > outside 82 => gate 1026 > inside2 8082
        tcp syn,ack inside2 8082 > gate 1026 seq=500 ack=101 => outside 82 > gate 1026`,
    },
    {
      name: 'a redirected connection ends at this host, at the first address of the device it came in by',
      sources: natTable('ip', { pre: 'tcp dport 80 redirect to :3128' }),
      packets: `
        tcp syn inside 1024 > outside 80 seq=100 => inside 1024 > gate 3128
        tcp syn,ack gate 3128 > inside 1024 seq=500 ack=101 => outside 80 > inside 1024
        tcp syn outside 1024 > host2 80 from=eth0 => outside 1024 > host 3128`,
    },
    {
      name: 'what this host sends is redirected to lo',
      sources: natTable('ip', { out: 'tcp dport 80 redirect to :8080' }),
      packets: `
        tcp syn host 1024 > outside 80 seq=100 => host 1024 > 127.0.0.1 8080
        udp host 1024 > outside 80 => host 1024 > outside 80`,
    },
    {
      name: 'PREROUTING does not see what this host sends, nor OUTPUT what it forwards',
      sources: natTable('ip', {
        pre: 'udp dport 53 dnat to 192.168.1.5',
        out: 'udp dport 54 dnat to 192.168.1.6',
      }),
      packets: `
        udp host 1024 > outside 53 => host 1024 > outside 53
        udp gate 1024 > outside 54 => gate 1024 > inside2 54
        udp near 1024 > outside 54 => near 1024 > outside 54
        udp near 1024 > lan 53 => near 1024 > inside 53`,
    },
    {
      name: 'chains behind translation at OUTPUT see the new address and the old device, POSTROUTING both new',
      sources: natTable(
        'ip',
        { out: 'udp dport { 53, 54 } dnat to 192.168.1.5' },
        'chain o {\ntype filter hook output priority 0\noifname "eth1" ip daddr 192.168.1.5 drop\n}\nchain p {\ntype filter hook postrouting priority 0\noifname "eth1" udp dport 54 drop\n}\n',
      ),
      packets: `
        udp host 1024 > outside 53 => host 1024 > inside 53
        udp host 1024 > outside 54 => nothing
        udp host 1024 > inside 53 => nothing`,
    },
    {
      name: 'IPv6 is redirected to the address of its scope',
      sources: natTable('ip6', { pre: 'udp dport 53 redirect', out: 'udp dport 54 redirect to :53' }),
      packets: `
        udp inside6 1024 > outside6 53 => inside6 1024 > gate6 53
        udp gate6 53 > inside6 1024 => outside6 53 > inside6 1024`,
    },
    {
      name: 'maps choose addresses and ports',
      sources: natTable('inet', {
        pre: 'dnat ip to tcp dport map { 80 : 192.168.1.5 . 8080, 443 : 192.168.1.6 . 8443 }\nudp dport 53 dnat ip to ip daddr map { 203.0.113.1 : 192.168.1.5 }',
      }),
      packets: `
        tcp syn outside 1024 > host 80 from=eth0 => outside 1024 > inside 8080
        tcp syn outside 1024 > host 443 from=eth0 => outside 1024 > inside2 8443
        tcp syn outside 1024 > host 22 from=eth0 => outside 1024 > host 22
        udp outside 1024 > host 53 from=eth0 => outside 1024 > inside 53
        udp outside 1024 > host2 53 from=eth0 => outside 1024 > host2 53`,
    },
    {
      name: 'ports keep their distance from the base',
      sources: natXt(
        'iptables-legacy',
        '-A PREROUTING -p udp --dport 4000:4100 -j DNAT --to-destination 192.168.1.5:5000-5100/4000',
      ),
      packets: `
        udp outside 1024 > host 4000 from=eth0 => outside 1024 > inside 5000
        udp outside 1024 > host 4050 from=eth0 => outside 1024 > inside 5050
        udp outside 1024 > host2 4050 from=eth0 => outside 1024 > inside 5051`,
    },
  ]);

  natScenarios('of both ends', () => kernel, [
    {
      name: 'hairpin: a client reaches a server of its own network by the public address',
      sources: natTable('ip', {
        pre: 'ip daddr 203.0.113.1 tcp dport 80 dnat to 192.168.1.6:8080',
        post: 'ip saddr 192.168.1.0/24 masquerade',
      }),
      packets: `
        tcp syn inside 1024 > host 80 seq=100 => gate 1024 > inside2 8080
        tcp syn,ack inside2 8080 > gate 1024 seq=500 ack=101 => host 80 > inside 1024
        tcp ack inside 1024 > host 80 seq=101 ack=501 => gate 1024 > inside2 8080
        tcp ack gate 1024 > inside2 8080 seq=101 ack=501 => unsent
        error 3/3 inside2 > gate about=3 => host > inside about inside 1024 > host 80`,
    },
    {
      name: 'cluster address: marked flows are masqueraded, others keep their source',
      sources: natXt(
        'iptables-nft',
        [
          ':KUBE-SERVICES - [0:0]',
          ':KUBE-POSTROUTING - [0:0]',
          '-A PREROUTING -j KUBE-SERVICES',
          '-A OUTPUT -j KUBE-SERVICES',
          '-A POSTROUTING -j KUBE-POSTROUTING',
          '-A KUBE-SERVICES ! -s 10.0.0.0/8 -d 172.30.0.41/32 -p tcp --dport 80 -j MARK --set-xmark 0x4000/0x4000',
          '-A KUBE-SERVICES -d 172.30.0.41/32 -p tcp --dport 80 -j DNAT --to-destination 192.168.1.5:8080',
          '-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN',
          '-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0',
          '-A KUBE-POSTROUTING -j MASQUERADE --random-fully --to-ports 30000-30000',
        ]
          .join('\n')
          .replace(' --random-fully --to-ports 30000-30000', ''),
      ),
      packets: `
        tcp syn lan 1024 > 172.30.0.41 80 seq=100 => lan 1024 > inside 8080
        tcp syn,ack inside 8080 > lan 1024 seq=500 ack=101 => 172.30.0.41 80 > lan 1024
        tcp syn outside 1024 > 172.30.0.41 80 seq=100 => gate 1024 > inside 8080
        tcp syn,ack inside 8080 > gate 1024 seq=500 ack=101 => 172.30.0.41 80 > outside 1024
        tcp syn host 1025 > 172.30.0.41 80 seq=100 => gate 1025 > inside 8080`,
    },
    {
      name: 'rules see what was translated, and what it was before',
      sources: natTable(
        'ip',
        { pre: 'tcp dport { 80, 81 } dnat to 192.168.1.5:8080', post: 'oifname "eth0" masquerade' },
        'chain f {\ntype filter hook forward priority 0; policy drop;\nct status dnat meta l4proto tcp ct original proto-dst 80 accept\nct status dnat ct original ip daddr 203.0.113.2 accept\nct status snat accept\nip saddr 192.168.1.6 accept\n}\n',
      ),
      packets: `
        tcp syn outside 1024 > host 80 from=eth0 seq=100 => outside 1024 > inside 8080
        tcp syn outside 1024 > host 81 from=eth0 => nothing
        tcp syn outside 1025 > host2 81 from=eth0 => outside 1025 > inside 8080`,
    },
    {
      name: 'iptables sees states SNAT and DNAT and the original destination',
      sources: natXt(
        'iptables-nft',
        '-A PREROUTING -p tcp -m multiport --dports 80,81 -j DNAT --to-destination 192.168.1.5:8080',
        '*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate DNAT --ctorigdst 203.0.113.1 -j ACCEPT\n-A FORWARD -m conntrack --ctstate NEW --ctproto udp -j ACCEPT\nCOMMIT\n',
      ),
      packets: `
        tcp syn outside 1024 > host 80 from=eth0 seq=100 => outside 1024 > inside 8080
        tcp syn,ack inside 8080 > outside 1024 seq=500 ack=101 => host 80 > outside 1024
        tcp syn outside 1024 > host2 81 from=eth0 => nothing
        udp outside 1024 > inside 53 => outside 1024 > inside 53`,
    },
    {
      name: 'a chain that comes later does not undo what one before decided',
      sources: [
        ...natTable('ip', { post: 'udp dport 53 snat to 203.0.113.2' }),
        {
          kind: 'nft',
          text: 'table ip u {\nchain c {\ntype nat hook postrouting priority 110\nsnat to 203.0.113.77\n}\n}\n',
        },
      ],
      packets: `
        udp inside 1024 > outside 53 => host2 1024 > outside 53
        udp inside 1024 > outside 54 => 203.0.113.77 1024 > outside 54`,
    },
    {
      name: 'INVALID packets, and untracked ones, are never translated',
      sources: natTable(
        'ip',
        { post: 'masquerade' },
        'chain raw {\ntype filter hook prerouting priority -300\nudp dport 99 notrack\n}\n',
      ),
      packets: `
        tcp rst inside 1024 > outside 22 => inside 1024 > outside 22
        udp inside 1024 > outside 99 => inside 1024 > outside 99
        udp inside 1024 > outside 98 => host 1024 > outside 98`,
    },
    {
      name: 'the same connection in two zones is two flows, each with the same port',
      sources: natTable(
        'ip',
        { post: 'oifname "eth0" masquerade' },
        'chain z {\ntype filter hook prerouting priority -300\nip ttl 63 ct zone set 1\nip ttl 62 ct zone set 2\n}\n',
      ),
      packets: `
        udp inside 1024 > outside 53 ttl=63 => host 1024 > outside 53
        udp inside 1024 > outside 53 ttl=62 => host 1024 > outside 53
        udp outside 53 > host 1024 from=eth0 ttl=62 => outside 53 > inside 1024
        udp outside 53 > host 1024 from=eth0 ttl=63 => outside 53 > inside 1024`,
    },
    {
      name: 'each zone has flows and translations of its own: two translations of one connection in two zones',
      sources: [
        {
          kind: 'nft',
          text: [
            'table ip t {',
            'chain z {',
            'type filter hook prerouting priority -300',
            'iifname "eth1" ct zone set 1',
            'iifname "eth0" ct zone set 1',
            '}',
            'chain post {',
            'type nat hook postrouting priority srcnat',
            'ct zone 1 oifname "eth0" snat to 203.0.113.2',
            '}',
            '}',
            '',
          ].join('\n'),
        },
      ],
      packets: `
        udp inside 1024 > outside 53 => host2 1024 > outside 53
        udp outside 53 > host2 1024 from=eth0 => outside 53 > inside 1024`,
    },
    {
      name: 'fragments are put together, translated, and sent on as fragments',
      sources: natTable('ip', { post: 'oifname "eth0" masquerade' }),
      packets: `
        udp inside 1024 > outside 53 len=100 size=48 => fragment
        udp outside 53 > host 1024 len=100 from=eth0 size=48 => fragment
        icmp 8 inside > outside len=100 id=77 size=64 => fragment`,
    },
  ]);

  natScenarios('and errors', () => kernel, [
    {
      name: 'an error from outside about a masqueraded flow is put back to what its sender sent',
      sources: natTable('ip', { post: 'oifname "eth0" masquerade' }),
      packets: `
        udp inside 1024 > outside 53 => host 1024 > outside 53
        udp host 1024 > outside 53 from=eth1 => unsent
        error 3/3 outside > host about=1 from=eth0 => outside > inside about inside 1024 > outside 53
        error 3/4 192.0.2.99 > host about=1 from=eth0 => 192.0.2.99 > inside about inside 1024 > outside 53`,
    },
    {
      name: 'an error from inside about a masqueraded flow leaves with the public address',
      sources: natTable('ip', { post: 'oifname "eth0" masquerade' }),
      packets: `
        udp inside 1024 > outside 53 => host 1024 > outside 53
        udp outside 53 > host 1024 from=eth0 => outside 53 > inside 1024
        udp outside 53 > inside 1024 from=eth1 => unsent
        error 3/3 inside > outside about=2 => host > outside about outside 53 > host 1024
        error 11/0 10.0.0.77 > outside about=2 => host > outside about outside 53 > host 1024`,
    },
    {
      name: 'a redirect about a translated flow is dropped',
      sources: natTable('ip', { post: 'oifname "eth0" masquerade' }),
      packets: `
        udp inside 1024 > outside 53 => host 1024 > outside 53
        udp host 1024 > outside 53 from=eth1 => unsent
        error 5/1 near > host about=1 from=eth0 => nothing`,
    },
    {
      name: 'what is rejected behind a translated destination is answered by the address that was asked',
      sources: natTable(
        'ip',
        { pre: 'tcp dport { 80, 81 } dnat to 192.168.1.5:8080' },
        'chain f {\ntype filter hook forward priority 0\nmeta l4proto tcp ct original proto-dst 80 reject with tcp reset\ntcp dport 8080 reject\n}\n',
      ),
      packets: `
        tcp syn outside 1024 > host 80 from=eth0 => host 80 > outside 1024
        tcp syn outside 1024 > host 81 from=eth0 => host > outside about outside 1024 > host 81`,
    },
    {
      name: 'the firewall says of a translated packet whose hops ran out what its sender sent',
      sources: natTable('ip', { pre: 'udp dport 53 dnat to 192.168.1.5' }),
      packets: `
        udp outside 1024 > host 53 from=eth0 ttl=1 => host > outside about outside 1024 > host 53`,
    },
    {
      name: 'IPv6 errors are put back likewise',
      sources: natTable('ip6', { post: 'oifname "eth0" masquerade' }),
      packets: `
        udp inside6 1024 > outside6 53 => host6 1024 > outside6 53
        udp host6 1024 > outside6 53 from=eth1 => unsent
        error 2/0 other6 > host6 about=1 from=eth0 => other6 > inside6 about inside6 1024 > outside6 53`,
    },
  ]);
});
