import { IPV6_HEADER } from '../packet/ipv6.ts';
import { AF_INET6, type Packet } from '../packet/packet.ts';
import { IPPROTO_AH, IPPROTO_FRAGMENT } from '../packet/protocols.ts';

/**
 * Where nf_tables sees the transport header. It differs from what connection tracking sees in two points (kernel:
 * nft_set_pktinfo_ipv6): the walk over IPv6's extension headers ends at AH, which then is the transport protocol, and
 * so is "no next header", whose bytes are looked at like any other's.
 */

/** Of IPv6: nothing follows. */
const IPPROTO_NONE = 59;

/** Whether an IPv6 packet has headers between the fixed one and what tracking found, so that AH may be among them. */
function hasExtensions(pkt: Packet): boolean {
  return pkt.family === AF_INET6 && pkt.l4 !== pkt.off + IPV6_HEADER;
}

/**
 * Where nf_tables' walk over the extension headers ends before tracking's does: at AH or "no next header".
 * @returns first byte of that header, counted from the packet's << 8 | its number; -1 if it ends at neither
 */
function earlyEnd(pkt: Packet): number {
  const { view, end } = pkt;
  let next = view.getUint8(pkt.off + 6);
  let at = pkt.off + IPV6_HEADER;
  while (next !== IPPROTO_AH && next !== IPPROTO_NONE) {
    // Hop-by-hop 0, routing 43, fragment 44, destination 60.
    if ((next !== 0 && next !== 43 && next !== IPPROTO_FRAGMENT && next !== 60) || at + 8 > end) return -1;
    if (next === IPPROTO_FRAGMENT && (view.getUint16(at + 2) & 0xfff8) !== 0) return -1;
    const length = next === IPPROTO_FRAGMENT ? 8 : (view.getUint8(at + 1) + 1) << 3;
    next = view.getUint8(at);
    at += length;
  }
  // Linux looks at the first two bytes of AH before it stops there (measured).
  return next === IPPROTO_AH && at + 2 > end ? -1 : ((at - pkt.off) << 8) | next;
}

/** The transport protocol as nf_tables sees it, -1 if it sees none. */
export function nftProto(pkt: Packet): number {
  const early = hasExtensions(pkt) ? earlyEnd(pkt) : -1;
  if (early >= 0) return early & 0xff;
  return pkt.l4 < 0 ? -1 : pkt.proto;
}

/** First byte of the transport header as nf_tables sees it; -1 if there is none, or in a later fragment. */
export function nftThoff(pkt: Packet): number {
  const early = hasExtensions(pkt) ? earlyEnd(pkt) : -1;
  if (early >= 0) return pkt.off + (early >> 8);
  return pkt.frag >= 8 ? -1 : pkt.l4;
}
