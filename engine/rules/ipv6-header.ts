import { IPV6_HEADER } from '../packet/ipv6.ts';
import type { Packet } from '../packet/packet.ts';
import {
  IPPROTO_AH,
  IPPROTO_DSTOPTS,
  IPPROTO_FRAGMENT,
  IPPROTO_HOPOPTS,
  IPPROTO_ROUTING,
} from '../packet/protocols.ts';

/** Whether Linux steps over a header of this number in search of another. */
function isSkipped(next: number): boolean {
  return (
    next === IPPROTO_HOPOPTS ||
    next === IPPROTO_ROUTING ||
    next === IPPROTO_FRAGMENT ||
    next === IPPROTO_AH ||
    next === IPPROTO_DSTOPTS
  );
}

/** There is no such header. */
export const NOT_THERE: number = -1;
/** A header before it is cut. */
export const CUT: number = -2;

/**
 * Finds a header behind the fixed IPv6 header by its number, as the kernel's ipv6_find_hdr does.
 * @param target number of an extension header or of a transport protocol
 * @returns its first byte, or NOT_THERE, or CUT, which xtables takes for a reason to drop the packet; behind a later
 *   fragment's header nothing is looked for
 */
export function findIpv6Header(pkt: Packet, target: number): number {
  const { view, end } = pkt;
  let next = view.getUint8(pkt.off + 6);
  let at = pkt.off + IPV6_HEADER;
  while (next !== target) {
    if (!isSkipped(next)) return NOT_THERE;
    if (at + 2 > end) return CUT;
    let length: number;
    if (next === IPPROTO_FRAGMENT) {
      if (at + 4 > end) return CUT;
      if ((view.getUint16(at + 2) & 0xfff8) !== 0) return NOT_THERE;
      length = 8;
    } else if (next === IPPROTO_AH) length = (view.getUint8(at + 1) + 2) << 2;
    else length = (view.getUint8(at + 1) + 1) << 3;
    next = view.getUint8(at);
    at += length;
  }
  return at;
}
