/** What a generated nft rule may say where it stands, and the values that it compares with. */
import type { Dice } from '../traffic/dice.ts';
import { ALL4, ALL6, NETS4, NETS6, PORTS, SERVICES } from './rules-world.ts';

/** What a rule of the table in hand may use. */
export interface NftScope {
  readonly dice: Dice;
  readonly family: 'ip' | 'ip6' | 'inet' | 'netdev';
  /** The hook's name, or `user` for a chain that is jumped to. */
  hook: string;
  priority: string;
  readonly repeatable: boolean;
  /** Whether the rule may speak of IPv4, of IPv6. */
  v4: boolean;
  v6: boolean;
  /** Names of the sets, maps and objects of the table. */
  readonly has: Set<string>;
  /** Chains that may be jumped to. */
  chains: readonly string[];
  /** Transport protocol that the rule has settled on. */
  proto?: string | null;
  /** Of names drawn so far. */
  count: number;
}

/** Up to n different values, in a drawn order. */
export function some<T>(dice: Dice, values: readonly T[], n: number): T[] {
  return [...new Set(Array.from({ length: n }, () => dice.pick(values)))];
}

/** `==` in one of its spellings, or a negation. */
export function negation(dice: Dice): string {
  return dice.pick(['', '', '', '', '', '!= ']);
}

/** An address value: one, a prefix, a range, a set. */
export function addresses(scope: NftScope, v6: boolean): string {
  const { dice, has } = scope;
  const [all, nets] = v6 ? [ALL6, NETS6] : [ALL4, NETS4];
  const named = [`hosts${v6 ? 6 : 4}`, `nets${v6 ? 6 : 4}`].filter((name) => has.has(name));
  if (named.length > 0 && dice.chance(50)) return `@${dice.pick(named)}`;
  switch (dice.weighted({ one: 40, net: 25, set: 20, nets: 6, range: 8 })) {
    case 'one':
      return dice.pick(all);
    case 'net':
      return dice.pick(nets);
    case 'set':
      return `{ ${some(dice, all, 3).join(', ')} }`;
    case 'nets':
      return v6
        ? '{ fd00:1::/64, 2001:db8:5::1 }'
        : '{ 192.168.1.0/24, 10.1.2.3, 198.51.100.7-198.51.100.20 }';
    case 'range':
      return v6
        ? '2001:db8:5::1-2001:db8:5::ff'
        : dice.pick(['198.51.100.7-198.51.100.9', '10.0.0.0-10.1.2.3']);
  }
}

/** A port value: number, name, range, set, comparison. */
export function ports(scope: NftScope): string {
  const { dice, has } = scope;
  const port = (): string => {
    const value = dice.pick(PORTS);
    const name = Object.keys(SERVICES).find((n) => SERVICES[n] === value);
    return name !== undefined && dice.chance(35) ? name : String(value);
  };
  const named = ['ports', 'ranges'].filter((name) => has.has(name));
  if (named.length > 0 && dice.chance(50)) return `@${dice.pick(named)}`;
  switch (dice.weighted({ one: 45, set: 30, range: 14, ranges: 5, less: 6 })) {
    case 'one':
      return port();
    case 'set':
      return `{ ${[...new Set([port(), port(), port()])].join(', ')} }`;
    case 'range':
      return dice.pick(['1-1023', '22-80', '1024-65535', '53-53', '0-79', '5060-5061']);
    case 'ranges':
      return dice.pick(['{ 22, 80-443 }', '{ 1-21, 23-52, 1024-65535 }']);
    case 'less':
      return `${dice.pick(['<', '>', '<=', '>=', 'lt', 'ge'])} ${dice.pick([1, 80, 1024, 5060])}`;
  }
}

/** Whether the rule is about IPv6; from then on it is about that family alone. */
export function l3(scope: NftScope): boolean {
  const v6 = scope.v4 && scope.v6 ? scope.dice.chance(40) : scope.v6;
  scope.v4 = !v6;
  scope.v6 = v6;
  return v6;
}

const PROTO = /\b(tcp|udp|sctp|udplite|icmp|icmpv6) (?=[a-z])/g;
const SOME_PROTO = /@th|@ih|meta l4proto|ip protocol|nexthdr|\bth /;
const ONLY4 = /(?:^|[ (])(?:ip (?!6)|icmp |ipv4)/;
const ONLY6 = /(?:^|[ (])(?:ip6 |icmpv6 |ipv6|exthdr|frag |hbh |rt type|rt seg|dst )/;
const NOT_NETDEV =
  /^(?:ct |fib|rt |oif|meta nfproto|socket|osf|meta sk|meta cgroup|notrack|meta rtclassid|ip option)| ct /;

/** Two transport protocols, or two families, in one rule are a mistake that nft refuses. */
export function fits(scope: NftScope, text: string): boolean {
  if (text.startsWith('log')) return true;
  if (!scope.v4 && ONLY4.test(text)) return false;
  if (!scope.v6 && ONLY6.test(text)) return false;
  if (scope.family === 'netdev' && NOT_NETDEV.test(text)) return false;
  const protos = new Set(Array.from(text.matchAll(PROTO), (m) => m[1]!));
  if (SOME_PROTO.test(text)) protos.add('some');
  if (protos.size === 0) return true;
  const [proto] = protos;
  if (protos.size > 1 || (scope.proto != null && scope.proto !== proto)) return false;
  if (proto === 'icmp' && scope.v6 && scope.v4) scope.v6 = false;
  if (proto === 'icmpv6' && scope.v6 && scope.v4) scope.v4 = false;
  scope.proto = proto!;
  return true;
}
