import { AF_INET, ICMP_PAIRS, ICMPV6_PAIRS, type TupleRecord } from '@keepstate/engine';

const ICMP = 1;
const ICMPV6 = 58;

/** What tuples have besides addresses, each its own by its protocol. */
export const TUPLE_FIELDS = ['sport', 'dport', 'type', 'code', 'id', 'srckey', 'dstkey'] as const;
export type TupleField = (typeof TUPLE_FIELDS)[number];

/** What each ICMP query is answered with, and each answer asked by; other types begin no flow. */
function bothWays(pairs: typeof ICMP_PAIRS): ReadonlyMap<number, number> {
  return new Map(pairs.flatMap(([request, reply]) => [[request, reply] as const, [reply, request] as const]));
}
const ICMP_ANSWERS = bothWays(ICMP_PAIRS);
const ICMPV6_ANSWERS = bothWays(ICMPV6_PAIRS);

/** The ICMP type that answers one; undefined if nothing does. */
export function answerType(protonum: number, type: number): number | undefined {
  return (protonum === ICMP ? ICMP_ANSWERS : ICMPV6_ANSWERS).get(type);
}

/** The kinds of fields that tuples have besides addresses. */
type PortKind = 'port' | 'icmp' | 'key' | 'none';

const PORTS: ReadonlySet<number> = new Set([6, 17, 132, 136]);

/** What tuples of a protocol have. DCCP has no ports: Linux 6.18 has no tracker for it. */
export function portKind(protonum: number): PortKind {
  if (PORTS.has(protonum)) return 'port';
  if (protonum === ICMP || protonum === ICMPV6) return 'icmp';
  return protonum === 47 ? 'key' : 'none';
}

/** Whether a tuple has both addresses, and what its protocol's have. */
export function isWhole(protonum: number, t: TupleRecord): boolean {
  if (t.src === '' || t.dst === '') return false;
  switch (portKind(protonum)) {
    case 'port':
      return t.sport !== undefined && t.dport !== undefined;
    case 'key':
      return t.srckey !== undefined && t.dstkey !== undefined;
    case 'icmp':
      return t.type !== undefined;
    default:
      return true;
  }
}

/** The tuple of the answers to one; null if it has none. */
export function invert(family: number, protonum: number, t: TupleRecord): TupleRecord | null {
  const ends = { src: t.dst, dst: t.src };
  switch (portKind(protonum)) {
    case 'port':
      return { ...ends, sport: t.dport ?? 0, dport: t.sport ?? 0 };
    case 'key':
      return { ...ends, srckey: t.dstkey ?? 0, dstkey: t.srckey ?? 0 };
    case 'icmp': {
      if ((protonum === ICMP) !== (family === AF_INET)) return null;
      const type = answerType(protonum, t.type ?? -1);
      return type === undefined ? null : { ...ends, type, code: t.code ?? 0, id: t.id ?? 0 };
    }
    default:
      return ends;
  }
}

/** The two 16-bit words of a tuple behind the addresses, as the kernel's structures lay them out. */
export function portWords(t: TupleRecord): readonly [source: number, destination: number] {
  if (t.type !== undefined) return [t.id ?? 0, t.type * 256 + (t.code ?? 0)];
  return [t.sport ?? t.srckey ?? 0, t.dport ?? t.dstkey ?? 0];
}
