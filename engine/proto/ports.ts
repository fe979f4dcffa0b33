import { T_PORTS, type Tuple } from '../conntrack/tuple.ts';

/**
 * {@link Tracker.tuple} of the protocols whose header begins with source and destination port. The first four
 * bytes are enough, which matters for packets quoted in ICMP errors (measured).
 */
export function portTuple(view: DataView, l4: number, end: number, out: Tuple): boolean {
  if (l4 + 4 > end) return false;
  out[T_PORTS] = view.getInt32(l4);
  return true;
}
