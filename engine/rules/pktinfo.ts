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

/** First byte of the header with a number, at which the walk ends; -1 if it does not come there. */
function walkTo(pkt: Packet, last: number): number {
  const { view, end } = pkt;
  let next = view.getUint8(pkt.off + 6);
  let at = pkt.off + IPV6_HEADER;
  while (next !== last) {
    // Hop-by-hop 0, routing 43, fragment 44, destination 60.
    if ((next !== 0 && next !== 43 && next !== IPPROTO_FRAGMENT && next !== 60) || at + 8 > end) return -1;
    if (next === IPPROTO_FRAGMENT && (view.getUint16(at + 2) & 0xfff8) !== 0) return -1;
    const length = next === IPPROTO_FRAGMENT ? 8 : (view.getUint8(at + 1) + 1) << 3;
    next = view.getUint8(at);
    at += length;
  }
  return at;
}

/** First byte of an authentication header that ends the walk, or -1. */
function authenticationHeader(pkt: Packet): number {
  const at = walkTo(pkt, IPPROTO_AH);
  // Linux looks at its first two bytes before it stops there (measured).
  return at + 2 <= pkt.end ? at : -1;
}

/** The transport protocol as nf_tables sees it, -1 if it sees none. */
export function nftProto(pkt: Packet): number {
  if (hasExtensions(pkt)) {
    if (authenticationHeader(pkt) >= 0) return IPPROTO_AH;
    if (walkTo(pkt, IPPROTO_NONE) >= 0) return IPPROTO_NONE;
  }
  return pkt.l4 < 0 ? -1 : pkt.proto;
}

/** First byte of the transport header as nf_tables sees it; -1 if there is none, or in a later fragment. */
export function nftThoff(pkt: Packet): number {
  if (hasExtensions(pkt)) {
    const at = Math.max(authenticationHeader(pkt), walkTo(pkt, IPPROTO_NONE));
    if (at >= 0) return at;
  }
  return pkt.frag >= 8 ? -1 : pkt.l4;
}
