import {
  fold,
  IPPROTO_ICMPV6,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
  type Packet,
  pseudoSum,
  sctpCrc,
  sum,
} from '@keepstate/engine';

/** Where the checksum stands in the transport header; -1 for protocols that no network card computes one for. */
function checksumAt(proto: number): number {
  if (proto === IPPROTO_TCP) return 16;
  if (proto === IPPROTO_UDP || proto === IPPROTO_UDPLITE) return 6;
  return proto === IPPROTO_ICMPV6 ? 2 : -1;
}

/**
 * Writes the transport checksum of a packet anew, for one that the sender's kernel left to the network card. (The kernel
 * takes it for whole in a packet that comes back with other bytes.)
 * @param pkt dissected, whole, in bytes that may be written
 */
export function completeChecksum({ view, off, end, l4, family, proto, frag }: Packet): void {
  if (l4 < 0 || frag !== 0) return;
  if (proto === IPPROTO_SCTP) {
    if (l4 + 12 <= end) view.setInt32(l4 + 8, sctpCrc(view, l4, end));
    return;
  }
  const at = l4 + checksumAt(proto);
  if (at < l4 || at + 2 > end) return;
  view.setUint16(at, 0);
  const found = ~fold(sum(view, l4, end, pseudoSum(view, off, family, proto, end - l4))) & 0xffff;
  // A UDP checksum of 0 says that there is none (RFC 768).
  view.setUint16(at, found === 0 && proto === IPPROTO_UDP ? 0xffff : found);
}
