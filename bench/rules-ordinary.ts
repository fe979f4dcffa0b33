/** Ports of an ordinary gateway's servers; each has two rules, for two networks of clients. */
const SERVICES: readonly number[] = [
  21, 22, 25, 80, 110, 143, 389, 465, 587, 636, 873, 990, 993, 995, 1194, 1433, 3306, 5432, 8080, 8443,
];

/**
 * About fifty rules for what a gateway forwards, as people write them: what belongs to a connection is accepted first,
 * what the traffic of bench/captures.ts needs to pass comes last.
 */
export function ordinaryNft(): string {
  const rules = [
    'ct state established,related accept',
    'ct state invalid drop',
    'ip saddr { 127.0.0.0/8, 192.0.2.0/24, 224.0.0.0/4 } drop',
    'ip6 saddr ::1 drop',
    'meta l4proto tcp tcp flags & (fin | syn) == fin | syn drop',
    ...SERVICES.flatMap((port) => [
      `ip saddr 192.168.${port % 250}.0/24 ip daddr 172.31.0.0/16 tcp dport ${port} accept`,
      `ip saddr 192.0.2.0/24 tcp dport ${port} drop`,
    ]),
    'tcp dport 443 ct state new accept',
    'udp dport { 53, 4000 } accept',
    'icmp type echo-request accept',
    'icmpv6 type echo-request accept',
    'counter',
  ];
  const chain = ['type filter hook forward priority filter; policy drop', ...rules];
  return ['table inet filter {', 'chain forward {', ...chain, '}', '}', ''].join('\n');
}

/** The same as iptables-save writes it; IPv6 is not looked at. */
export function ordinaryIptables(): string {
  const rules = [
    '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    '-m conntrack --ctstate INVALID -j DROP',
    '-s 127.0.0.0/8 -j DROP',
    '-s 224.0.0.0/4 -j DROP',
    '-p tcp -m tcp --tcp-flags FIN,SYN FIN,SYN -j DROP',
    ...SERVICES.flatMap((port) => [
      `-s 192.168.${port % 250}.0/24 -d 172.31.0.0/16 -p tcp -m tcp --dport ${port} -j ACCEPT`,
      `-s 192.0.2.0/24 -p tcp -m tcp --dport ${port} -j DROP`,
    ]),
    '-p tcp -m tcp --dport 443 -m conntrack --ctstate NEW -j ACCEPT',
    '-p udp -m multiport --dports 53,4000 -j ACCEPT',
    '-p icmp -m icmp --icmp-type 8 -j ACCEPT',
  ];
  const chains = ['INPUT DROP', 'FORWARD DROP', 'OUTPUT ACCEPT'].map((chain) => `:${chain} [0:0]`);
  return ['*filter', ...chains, ...rules.map((rule) => `-A FORWARD ${rule}`), 'COMMIT', ''].join('\n');
}
