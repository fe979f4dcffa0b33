import { parseAddress } from '../packet/address.ts';
import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import { IPPROTO_GRE, IPPROTO_ICMP, IPPROTO_ICMPV6 } from '../packet/protocols.ts';
import type { Conntrack } from './conntrack.ts';
import type { TupleRecord } from './flow-record.ts';
import { T_DST, T_KIND, T_PORTS, T_SRC, T_ZONE, TUPLE_WORDS, type Tuple } from './tuple.ts';

/** A tuple as a person or program writes it, to look a flow up by. */
export interface TupleQuery extends TupleRecord {
  /** IP protocol number. */
  readonly protonum: number;
  /** conntrack zone, 0 if left out. */
  readonly zone?: number;
}

/** The T_PORTS of a tuple as written; what is left out is 0. */
export function portWord(q: TupleQuery): number {
  if (q.protonum === IPPROTO_ICMP || q.protonum === IPPROTO_ICMPV6)
    return ((q.id ?? 0) << 16) | ((q.type ?? 0) << 8) | (q.code ?? 0);
  if (q.protonum === IPPROTO_GRE) return ((q.srckey ?? 0) << 16) | (q.dstkey ?? 0);
  return ((q.sport ?? 0) << 16) | (q.dport ?? 0);
}

/** The word that stands for an address in a tuple: itself for IPv4, its handle (0 if no flow has it) for IPv6. */
function addressWord(ct: Conntrack, words: readonly number[]): number {
  return words.length === 1 ? words[0]! : ct.pool.lookup(words[0]!, words[1]!, words[2]!, words[3]!);
}

/**
 * Finds the flow of a tuple, in whichever direction it is, as `conntrack -G` does.
 * @returns flow << 1 | direction (0 original, 1 reply), or 0 if there is none
 * @throws RangeError if an address is none, or the two are not of one family
 */
export function findFlow(ct: Conntrack, query: TupleQuery): number {
  const src = parseAddress(query.src);
  const dst = parseAddress(query.dst);
  if (src === undefined || dst === undefined || src.length !== dst.length)
    throw new RangeError(`expected two addresses of one family, not '${query.src}' and '${query.dst}'`);
  const t: Tuple = new Int32Array(TUPLE_WORDS);
  t[T_SRC] = addressWord(ct, src);
  t[T_DST] = addressWord(ct, dst);
  t[T_PORTS] = portWord(query);
  t[T_KIND] = query.protonum | ((src.length === 1 ? AF_INET : AF_INET6) << 8);
  t[T_ZONE] = query.zone ?? 0;
  return ct.get(t);
}
