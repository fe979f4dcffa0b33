import { ICMP_PAIRS, ICMPV6_PAIRS } from '../packet/icmp-pairs.ts';
import { addChange, addressChange, replaceNumber } from './manip-checksum.ts';
import type { ManipTarget } from './target.ts';

/** Type, code, checksum, id, sequence. */
const HEADER = 8;
/** Types that have an id: requests and replies. */
const WITH_ID: ReadonlySet<number> = new Set(ICMP_PAIRS.flat());
/** Of ICMPv6 echo alone: node information, though tracked, keeps its own (measured). */
const WITH_ID6: ReadonlySet<number> = new Set(ICMPV6_PAIRS[0]);

/** ICMP (icmp_manip_pkt): the id, which addresses do not go into. As manipTcp. */
export function manipIcmp(
  view: DataView,
  _ip: number,
  l4: number,
  end: number,
  target: ManipTarget,
): boolean {
  if (l4 + HEADER > end) return false;
  if (WITH_ID.has(view.getUint8(l4))) replaceNumber(view, l4 + 4, l4 + 2, target.id);
  return true;
}

/** ICMPv6: its checksum covers the addresses. As manipTcp. */
export function manipIcmpv6(
  view: DataView,
  ip: number,
  l4: number,
  end: number,
  target: ManipTarget,
): boolean {
  if (l4 + HEADER > end) return false;
  addChange(view, l4 + 2, addressChange(view, ip, target));
  if (WITH_ID6.has(view.getUint8(l4))) replaceNumber(view, l4 + 4, l4 + 2, target.id);
  return true;
}
