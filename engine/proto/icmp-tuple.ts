import { NO_ANSWER } from '../conntrack/tracker.ts';
import { T_PORTS, type Tuple } from '../conntrack/tuple.ts';

/** Bytes of an ICMP or ICMPv6 header: type, code, checksum, and for requests and replies id and sequence. */
export const ICMP_HEADER = 8;

/** {@link Tracker.tuple} of ICMP and ICMPv6: id, type and code stand where others have ports. */
export function icmpTuple(view: DataView, l4: number, end: number, out: Tuple): boolean {
  if (l4 + ICMP_HEADER > end) return false;
  out[T_PORTS] = (view.getUint16(l4 + 4) << 16) | view.getUint16(l4);
  return true;
}

/**
 * Makes {@link Tracker.invert} from the pairs of request and reply types.
 * @param pairs [request, reply], each of which answers the other
 */
export function icmpInverter(pairs: readonly (readonly [number, number])[]): (ports: number) => number {
  const answers = new Int16Array(256).fill(-1);
  for (const [request, reply] of pairs) {
    answers[request] = reply;
    answers[reply] = request;
  }
  return (ports) => {
    const answer = answers[(ports >> 8) & 255]!;
    return answer < 0 ? NO_ANSWER : (ports & 0xffff00ff) | (answer << 8);
  };
}
