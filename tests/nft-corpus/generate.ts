/** Random rules of nft's language: most of them valid, some not. */
import type { Random } from '../../engine/base/random.ts';
import type { CorpusRule } from './corpus.ts';

type Make = (r: Dice) => string;

/** Draws from lists. */
class Dice {
  private readonly random: Random;
  readonly family: string;

  constructor(random: Random, family: string) {
    this.random = random;
    this.family = family;
  }

  /** A whole number from 0 to below `n`. */
  below(n: number): number {
    return this.random.below(n);
  }

  /** True in one of `n` cases. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** Some different ones of a list, at least one. */
  some<T>(list: readonly T[], most: number): T[] {
    const out = new Set<T>();
    for (let n = 1 + this.below(most); n > 0; n--) out.add(this.pick(list));
    return [...out];
  }
}

const PORTS = ['22', '53', '80', 'ssh', 'https', '1024', '65535', '0', '8080', '443'];
const ADDRESSES = ['10.0.0.1', '192.168.1.77', '1.2.3.4', '172.16.5.4', '255.255.255.255', '224.0.0.1'];
const NETWORKS = [
  '10.0.0.0/8',
  '192.168.0.0/16',
  '172.16.0.0/12',
  '1.2.3.0/24',
  '0.0.0.0/0',
  '10.1.2.3/27',
  '1.2.3.4/32',
];
const ADDRESSES6 = ['::1', 'fe80::1', '2001:db8::5', 'ff02::1'];
const NETWORKS6 = ['fe80::/10', '2001:db8::/32', 'ff00::/8', '2001:db8::/61', '::/0', 'fd00::/7'];
const STATES = ['new', 'established', 'related', 'invalid', 'untracked'];
const FLAGS = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ecn', 'cwr'];
const PROTOCOLS = ['tcp', 'udp', 'icmp', 'sctp', 'esp', 'ipv6-icmp', '47'];
const NAMES = ['"lo"', '"eth0"', '"eth1"', '"wlan0"', 'eth2'];
const ICMP = ['echo-request', 'echo-reply', 'destination-unreachable', 'time-exceeded', '13'];
const ICMP6 = ['echo-request', 'echo-reply', 'nd-neighbor-solicit', 'nd-router-advert', 'packet-too-big'];
const DSCPS = ['cs0', 'cs1', 'ef', 'af21', '0x3f', '0x05'];
const SMALL = ['0', '1', '5', '63', '64', '255'];
const MARKS = ['0', '1', '0x10', '0xff00', '0xffffffff'];

function range(r: Dice, low: number, span: number): string {
  const from = low + r.below(span);
  return `${from}-${from + 1 + r.below(span)}`;
}

/** What is compared with: one value, another, a range or a set of them. */
function values(one: readonly string[], ranges: Make | null = null): Make {
  return (r) => {
    const single: Make = (d) => (ranges !== null && d.oneIn(4) ? ranges(d) : d.pick(one));
    const op = r.pick(['', '', '', '!= ', '== ']);
    if (r.oneIn(3)) return `${op}{ ${Array.from({ length: 1 + r.below(4) }, () => single(r)).join(', ')} }`;
    if (ranges !== null && r.oneIn(8)) return `${r.pick(['<', '>', '<=', '>='])} ${r.pick(one)}`;
    return `${op}${single(r)}`;
  };
}

const portRange: Make = (r) => range(r, 1, 3000);
const addressRange: Make = (r) => `10.0.0.${r.below(100)}-10.0.${r.below(3)}.${100 + r.below(100)}`;
const addressRange6: Make = (r) => `2001:db8::${r.below(9)}-2001:db8::${(16 + r.below(200)).toString(16)}`;
const ports = values(PORTS, portRange);
const addresses = values([...ADDRESSES, ...NETWORKS], addressRange);
const addresses6 = values([...ADDRESSES6, ...NETWORKS6], addressRange6);
const marks = values(
  MARKS,
  (r) => `0x${(16 + r.below(99)).toString(16)}-0x${(200 + r.below(99)).toString(16)}`,
);
const small = values(SMALL, (r) => range(r, 0, 100));

function flagTest(names: readonly string[]): Make {
  return (r) => {
    const some = r.some(names, 3);
    switch (r.below(6)) {
      case 0:
        return `& (${some.join('|')}) == ${r.pick(some)}`;
      case 1:
        return `& (${some.join(' | ')}) ${r.pick(['==', '!='])} 0`;
      case 2:
        return `{ ${some.join(', ')} }`;
      case 3:
        return `${r.pick(['!= ', '== ', '! '])}${r.pick(names)}`;
      default:
        return some.join(',');
    }
  };
}

const MATCHES: readonly Make[] = [
  (r) => `ct state ${flagTest(STATES)(r)}`,
  (r) => `tcp ${r.pick(['dport', 'sport'])} ${ports(r)}`,
  (r) => `${r.pick(['tcp', 'udp', 'udp', 'sctp', 'th'])} ${r.pick(['dport', 'sport'])} ${ports(r)}`,
  (r) => `${r.pick(['iifname', 'oifname', 'meta iifname'])} ${values(NAMES, () => '"veth*"')(r)}`,
  (r) => `${r.pick(['iif', 'oif'])} ${r.pick(['', '!= '])}lo`,
  (r) => `ip ${r.pick(['saddr', 'daddr'])} ${addresses(r)}`,
  (r) => `ip6 ${r.pick(['saddr', 'daddr'])} ${addresses6(r)}`,
  (r) => `ip protocol ${values(PROTOCOLS)(r)}`,
  (r) => `ip6 nexthdr ${values(PROTOCOLS)(r)}`,
  (r) => `meta l4proto ${values(PROTOCOLS)(r)}`,
  (r) => `icmp type ${values(ICMP)(r)}`,
  (r) => `icmpv6 type ${values(ICMP6)(r)}`,
  (r) => `icmp ${r.pick(['code', 'id', 'sequence', 'mtu', 'checksum'])} ${r.pick(SMALL)}`,
  (r) => `tcp flags ${flagTest(FLAGS)(r)}`,
  (r) => `ct status ${flagTest(['dnat', 'snat', 'assured', 'confirmed'])(r)}`,
  (r) => `ct mark ${marks(r)}`,
  (r) => `meta mark ${marks(r)}`,
  (r) => `${r.pick(['ct', 'meta'])} mark & ${r.pick(MARKS)} ${r.pick(['==', '!='])} ${r.pick(MARKS)}`,
  (r) => `ip dscp ${values(DSCPS)(r)}`,
  (r) => `ip6 dscp ${values(DSCPS)(r)}`,
  (r) => `ip ttl ${small(r)}`,
  (r) => `ip6 hoplimit ${small(r)}`,
  (r) => `ip length ${ports(r)}`,
  (r) => `ip ${r.pick(['id', 'checksum', 'frag-off'])} ${r.pick(PORTS)}`,
  (r) => `ip frag-off & 0x1fff ${r.pick(['==', '!='])} 0`,
  (r) => `tcp ${r.pick(['window', 'sequence', 'ackseq', 'doff', 'urgptr', 'checksum'])} ${r.pick(SMALL)}`,
  (r) => `udp ${r.pick(['length', 'checksum'])} ${small(r)}`,
  (r) => `meta nfproto ${r.pick(['ipv4', 'ipv6'])}`,
  (r) => `meta protocol ${r.pick(['ip', 'ip6', '{ ip, ip6 }'])}`,
  (r) => `meta pkttype ${values(['broadcast', 'multicast', 'host', 'other'])(r)}`,
  (r) => `meta length ${ports(r)}`,
  (r) =>
    `fib ${r.pick(['saddr', 'daddr'])} type ${values(['local', 'unicast', 'broadcast', 'multicast'])(r)}`,
  (r) => `fib saddr . iif oif ${r.pick(['missing', 'exists', '0'])}`,
  (r) =>
    `ip saddr . tcp dport { ${r.pick(ADDRESSES)} . ${r.pick(['22', '80'])}, ${r.pick(NETWORKS)} . ${portRange(r)} }`,
  (r) => `ip saddr . ip daddr { ${r.pick(ADDRESSES)} . ${r.pick(ADDRESSES)} }`,
  (r) => `meta l4proto . th dport { tcp . 22, udp . ${r.pick(['53', '67'])} }`,
  (r) => `iifname . ip saddr { "lo" . ${r.pick(ADDRESSES)}, "eth0" . ${r.pick(ADDRESSES)} }`,
  (r) => `@${r.pick(['th,0,16', 'th,16,16', 'nh,72,8', 'nh,96,32', 'nh,16,16'])} ${r.pick(SMALL)}`,
  (r) => `ether saddr ${r.pick(['00:11:22:33:44:55', '{ 00:11:22:33:44:55, 00:11:22:33:44:56 }'])}`,
  (r) => `tcp option ${r.pick(['maxseg size', 'window count'])} ${small(r)}`,
  (r) => `ct ${r.pick(['original', 'reply'])} ${r.pick(['packets', 'bytes'])} > ${r.below(5000)}`,
  (r) => `${r.pick(['tcp', 'udp'])} dport ${r.pick(['@ports', '@portset', '!= @ports'])}`,
  (r) => `ip ${r.pick(['saddr', 'daddr'])} ${r.pick(['@addr4', '@net4', '!= @net4'])}`,
  (r) =>
    `limit rate ${r.pick(['', 'over '])}${1 + r.below(50)}/${r.pick(['second', 'minute', 'hour', 'day'])}${r.oneIn(2) ? ` burst ${1 + r.below(9)} packets` : ''}`,
  (r) =>
    `numgen ${r.pick(['inc', 'random'])} mod ${2 + r.below(9)} ${r.pick(['', '< ', '!= '])}${r.below(9)}`,
];

const STATEMENTS: readonly Make[] = [
  () => 'counter',
  (r) =>
    `log${r.oneIn(2) ? ' prefix "x: "' : ''}${r.oneIn(3) ? ` level ${r.pick(['info', 'warn', 'err'])}` : ''}`,
  (r) => `meta mark set ${r.pick(MARKS)}`,
  (r) => `meta mark set meta mark ${r.pick(['&', '|', '^'])} ${r.pick(MARKS)}`,
  (r) => `ct mark set ${r.pick(['meta mark', 'ct mark | 0x1', '5', 'ct mark & 0xff | 0x300'])}`,
  (r) => `meta mark set tcp dport map { 22 : ${r.pick(MARKS)}, 80 : 2 }`,
  (r) => `ip dscp set ${r.pick(DSCPS)}`,
  (r) => `ip ttl set ${r.pick(SMALL)}`,
  (r) => `tcp dport set ${r.pick(PORTS)}`,
  (r) =>
    `add @dyn4 { ip saddr${r.oneIn(2) ? ' timeout 30s' : ''}${r.oneIn(2) ? ' limit rate over 5/minute' : ''} }`,
  () => 'notrack',
  (r) => `quota ${r.pick(['', 'over '])}${1 + r.below(3000)} ${r.pick(['bytes', 'kbytes', 'mbytes'])}`,
];

const ENDS: readonly Make[] = [
  () => 'accept',
  () => 'drop',
  () => 'return',
  () => 'jump r1',
  () => 'goto r2',
  () => 'reject',
  (r) =>
    `reject with ${r.pick(['tcp reset', 'icmp port-unreachable', 'icmpv6 no-route', 'icmpx admin-prohibited', 'icmp type host-unreachable'])}`,
  (r) => `tcp dport vmap { 22 : accept, ${portRange(r)} : drop }`,
  (r) =>
    `ct state vmap { ${r
      .some(STATES, 4)
      .map((state) => `${state} : ${r.pick(['accept', 'drop', 'jump r1'])}`)
      .join(', ')} }`,
  (r) =>
    `ip saddr vmap { ${r.pick(ADDRESSES)} : accept, ${r.pick(['20.0.0.0/8', '30.0.0.1-30.0.0.9'])} : drop }`,
];

/** A rule at random. */
export function randomRule(random: Random, family: string): CorpusRule {
  const r = new Dice(random, family);
  const parts: string[] = [];
  for (let n = r.below(4); n >= 0; n--) parts.push(r.oneIn(6) ? r.pick(STATEMENTS)(r) : r.pick(MATCHES)(r));
  if (r.oneIn(3)) parts.push(r.pick(STATEMENTS)(r));
  if (!r.oneIn(4)) parts.push(r.pick(ENDS)(r));
  return { family, chain: r.pick(['c_in', 'c_pre', 'c_fwd']), rule: parts.join(' ') };
}
