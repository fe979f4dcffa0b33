/** Answers of the firewall, and what kube-proxy's rules do without translating addresses. */
import { behaviours, type Scenario } from './rules-scenario.ts';

const PACKETS4 = `
  reject udp inside 1 > outside 1
  reject tcp syn inside 1 > outside 1
  reject tcp ack inside 2 > outside 1 seq=7 ack=9 len=20
  reject icmp 8 inside > outside
  drop   icmp 3/1 inside > outside
  reject proto 47 inside > outside len=40`;

/** Each way to reject, in both languages; packets of every protocol. */
const FORMS4: readonly Scenario[] = [
  ['icmp-net-unreachable', 'icmp type net-unreachable'],
  ['icmp-host-unreachable', 'icmp type host-unreachable'],
  ['icmp-proto-unreachable', 'icmp type prot-unreachable'],
  ['icmp-port-unreachable', 'icmp type port-unreachable'],
  ['icmp-net-prohibited', 'icmp type net-prohibited'],
  ['icmp-host-prohibited', 'icmp type host-prohibited'],
  ['icmp-admin-prohibited', 'icmp type admin-prohibited'],
].map(([xt, nft]) => ({
  name: `a reject with ${xt} answers with this code, an ICMP error is never answered`,
  xt: `-A FORWARD -j REJECT --reject-with ${xt}`,
  nft: `reject with ${nft}`,
  packets: PACKETS4,
}));

const FORMS6: readonly Scenario[] = [
  ['icmp6-no-route', 'icmpv6 type no-route'],
  ['icmp6-adm-prohibited', 'icmpv6 type admin-prohibited'],
  ['icmp6-addr-unreachable', 'icmpv6 type addr-unreachable'],
  ['icmp6-port-unreachable', 'icmpv6 type port-unreachable'],
  ['icmp6-policy-fail', 'icmpv6 type policy-fail'],
  ['icmp6-reject-route', 'icmpv6 type reject-route'],
].map(([xt, nft]) => ({
  name: `a reject with ${xt} answers with this code`,
  xt6: `-A FORWARD -j REJECT --reject-with ${xt}`,
  nft: `reject with ${nft}`,
  packets: `
    reject udp inside6 1 > outside6 1
    reject tcp syn inside6 1 > outside6 1
    reject icmp 128 inside6 > outside6
    drop   icmp 1/4 inside6 > outside6`,
}));

const KUBE = `table ip kube-proxy {
  map service-ips {
    type ipv4_addr . inet_proto . inet_service : verdict
    elements = { 10.96.0.1 . tcp . 443 : goto service-api, 10.96.0.10 . udp . 53 : goto service-dns }
  }
  map no-endpoint-services {
    type ipv4_addr . inet_proto . inet_service : verdict
    elements = { 10.96.0.20 . tcp . 80 : goto reject-chain, 203.0.113.2 . tcp . 80 : goto reject-chain }
  }
  map no-endpoint-nodeports {
    type inet_proto . inet_service : verdict
    elements = { tcp . 30080 : goto reject-chain }
  }
  map firewall-ips {
    type ipv4_addr . inet_proto . inet_service : verdict
    elements = { 198.51.100.8 . tcp . 8080 : goto firewall-lb }
  }
  set cluster-ips { type ipv4_addr; elements = { 10.96.0.1, 10.96.0.10, 10.96.0.20 }; }
  set nodeport-ips { type ipv4_addr; elements = { 203.0.113.1 }; }
  set affinity { type ipv4_addr; flags dynamic,timeout; timeout 3h; }
  chain service-api {
    ip saddr != 10.0.0.0/8 jump mark-for-masquerade
    update @affinity { ip saddr }
  }
  chain service-dns {
    numgen inc mod 2 vmap { 0 : goto endpoint-a, 1 : goto endpoint-b }
  }
  chain endpoint-a {
    meta mark set meta mark or 0x100
  }
  chain endpoint-b {
    meta mark set meta mark or 0x200
  }
  chain mark-for-masquerade {
    meta mark set meta mark or 0x4000
  }
  chain firewall-lb {
    ip saddr 192.168.1.0/24 return
    drop
  }
  chain reject-chain {
    reject
  }
  chain services {
    ip daddr . meta l4proto . th dport vmap @service-ips
  }
  chain filter-prerouting {
    type filter hook prerouting priority dstnat - 10
    ct state new ip daddr . meta l4proto . th dport vmap @firewall-ips
    ct state new jump services
  }
  chain filter-forward {
    type filter hook forward priority -110
    ct state new ip daddr . meta l4proto . th dport vmap @no-endpoint-services
    ct state invalid drop
    ip daddr @cluster-ips meta l4proto { tcp, udp } th dport { 443, 53 } accept
    ip daddr @cluster-ips drop
  }
  chain filter-input {
    type filter hook input priority -110
    ct state new ip daddr . meta l4proto . th dport vmap @no-endpoint-services
    ct state new ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports
  }
  chain masquerading {
    type filter hook postrouting priority srcnat - 1
    meta mark & 0x4000 == 0 return
    meta mark set meta mark xor 0x4000
  }
}
`;

behaviours('answers, and services of Kubernetes', 'behaviours-reject', [
  ...FORMS4,
  ...FORMS6,
  {
    name: 'a plain reject is port unreachable of either family',
    nft: 'reject',
    packets: `
      reject udp inside 1 > outside 1
      reject udp inside6 1 > outside6 1
      reject tcp syn inside 1 > outside 1
      drop   icmp 11 inside > outside`,
  },
  {
    name: 'icmpx codes are those of the packet’s family',
    nft: 'udp dport 1 reject with icmpx type port-unreachable\nudp dport 2 reject with icmpx type admin-prohibited\nudp dport 3 reject with icmpx type no-route\nudp dport 4 reject with icmpx type host-unreachable',
    packets: `
      reject udp inside 1 > outside 1
      reject udp inside6 1 > outside6 1
      reject udp inside 1 > outside 2
      reject udp inside6 1 > outside6 2
      reject udp inside 1 > outside 3
      reject udp inside6 1 > outside6 3
      reject udp inside 1 > outside 4
      reject udp inside6 1 > outside6 4`,
  },
  {
    name: 'a TCP reset answers SYN, data and FIN, and never a RST',
    xt: '-A FORWARD -p tcp -j REJECT --reject-with tcp-reset',
    nft: 'reject with tcp reset',
    packets: `
      reject tcp syn inside 1 > outside 1 seq=100
      reject tcp ack inside 2 > outside 1 seq=7 ack=9 len=20
      reject tcp fin,ack inside 3 > outside 1 seq=7 ack=9
      drop   tcp rst inside 4 > outside 1
      drop   tcp rst,ack inside 5 > outside 1`,
  },
  {
    name: 'a reset is for TCP only: other protocols go on',
    nft: 'reject with tcp reset',
    packets: `
      accept udp inside 1 > outside 1
      reject tcp syn inside6 1 > outside6 1`,
  },
  {
    name: 'a reset for all protocols is refused',
    xt: '-A FORWARD -j REJECT --reject-with tcp-reset',
    packets: '',
  },
  {
    name: 'other ports are not touched by a reject',
    hook: 'input',
    xt: '-A INPUT -p tcp --dport 113 -j REJECT --reject-with tcp-reset',
    nft: 'tcp dport 113 reject with tcp reset',
    packets: `
      reject tcp syn outside 1 > host 113
      accept tcp syn outside 1 > host 22`,
  },
  {
    name: 'what the host sends itself is rejected too',
    hook: 'output',
    xt: '-A OUTPUT -p udp --dport 53 -j REJECT',
    nft: 'udp dport 53 reject',
    packets: `
      reject udp host 1024 > outside 53
      accept udp host 1024 > outside 54`,
  },
  {
    name: 'an answer that OUTPUT drops does not leave',
    xt: '-A INPUT -p udp -j REJECT\n-A OUTPUT -p icmp -m conntrack --ctstate RELATED -j DROP',
    packets: 'reject udp outside 1 > host 1',
  },
  {
    name: 'a REJECT in the nat or mangle table is refused',
    xt: '*mangle\n-A FORWARD -j REJECT\nCOMMIT',
    packets: '',
  },
  {
    name: 'services: allowed, without endpoints, of no such port, behind a firewall, by node port',
    nft: KUBE,
    packets: `
      accept tcp syn inside 1 > 10.96.0.1 443
      accept udp inside 1 > 10.96.0.10 53
      accept udp inside 2 > 10.96.0.10 53
      reject tcp syn inside 1 > 10.96.0.20 80
      drop   tcp syn inside 1 > 10.96.0.20 81
      drop   tcp syn inside 1 > 10.96.0.1 80
      reject tcp syn outside 1 > host2 80
      reject tcp syn outside 1 > host 30080
      accept tcp syn outside 1 > host2 30080
      accept udp outside 1 > host 30080
      accept tcp syn inside 1 > outside2 8080
      drop   tcp syn lan 1 > outside2 8080
      drop   tcp syn,fin inside 9 > outside 1`,
  },
  {
    name: 'kube-proxy’s iptables: rejects without endpoints, drops INVALID, accepts what bears the mark',
    xt: `*filter
      :FORWARD DROP
      :KUBE-EXTERNAL-SERVICES - [0:0]
      :KUBE-FIREWALL - [0:0]
      :KUBE-FORWARD - [0:0]
      :KUBE-SERVICES - [0:0]
      -A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
      -A INPUT -j KUBE-FIREWALL
      -A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
      -A FORWARD -m conntrack --ctstate NEW -j KUBE-SERVICES
      -A KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment "ns/svc has no endpoints" -m addrtype --dst-type LOCAL -m tcp --dport 30080 -j REJECT --reject-with icmp-port-unreachable
      -A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
      -A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
      -A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
      -A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
      -A KUBE-SERVICES -d 10.96.0.20/32 -p tcp -m comment --comment "ns/svc has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable
      COMMIT
      *mangle
      :KUBE-MARK - [0:0]
      -A PREROUTING -s 192.168.1.0/25 -m statistic --mode nth --every 1 --packet 0 -j KUBE-MARK
      -A KUBE-MARK -j MARK --set-xmark 0x4000/0x4000
      -A POSTROUTING -m mark --mark 0x4000/0x4000 -j MARK --set-xmark 0x4000/0x0
      COMMIT`,
    packets: `
      accept tcp syn inside 1 > outside 80 seq=100
      accept tcp syn,ack outside 80 > inside 1 seq=500 ack=101
      drop   tcp syn lan 1 > outside 80
      reject tcp syn lan 1 > 10.96.0.20 80
      drop   tcp syn,fin inside 2 > outside 80
      reject tcp syn outside 1 > host 30080
      accept tcp syn outside 1 > host 30081`,
  },
]);
