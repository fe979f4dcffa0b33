/**
 * struct virtio_net_hdr, which packet sockets put before each frame if asked (PACKET_VNET_HDR): what the sender's kernel
 * left to the network card. flags 1, gso_type 1, hdr_len 2, gso_size 2, csum_start 2, csum_offset 2, all in the byte
 * order of the machine (virtio 1.2, section 5.1.6).
 */
import {
  fold,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  type Packet,
  pseudoSum,
  sctpCrc,
} from '@keepstate/engine';

/** Bytes of the header. */
export const VNET_HEADER = 10;
/** VIRTIO_NET_HDR_F_NEEDS_CSUM: the checksum at csum_start + csum_offset covers only the pseudo header so far. */
export const VNET_NEEDS_CSUM = 1;
/** VIRTIO_NET_HDR_F_DATA_VALID: the network card has checked the checksum. */
export const VNET_DATA_VALID = 2;

/** Where transport headers have their checksum. */
const TCP_CHECKSUM = 16;
const UDP_CHECKSUM = 6;
const SCTP_CHECKSUM = 8;
const SCTP_HEADER = 12;

const CSUM_START = 6;
const CSUM_OFFSET = 8;

/** Tells the header that its frame grew by `bytes` before the transport header. */
export function shiftVnet(view: DataView, at: number, bytes: number): void {
  if ((view.getUint8(at) & VNET_NEEDS_CSUM) === 0) return;
  view.setUint16(at + CSUM_START, view.getUint16(at + CSUM_START, true) + bytes, true);
}

/** Writes a header that leaves nothing to do. */
export function clearVnet(view: DataView, at: number): void {
  view.setInt32(at, 0);
  view.setInt32(at + 4, 0);
  view.setInt16(at + 8, 0);
}

/**
 * Mends a partial checksum of a packet whose addresses rules have rewritten: the engine brings checksums up to date by
 * difference, which is right for whole ones only. Written anew, whatever changed.
 * @param from the header as it came, at `at`; its csum_start counts from the frame's first byte
 * @param link bytes of link header
 * @param pkt as it leaves, in bytes that may be written
 */
export function mendPartial(from: DataView, at: number, link: number, pkt: Packet): void {
  if ((from.getUint8(at) & VNET_NEEDS_CSUM) === 0) return;
  const start = from.getUint16(at + CSUM_START, true) - link;
  // Of a tunnel it is the inner checksum, which knows nothing of the outer addresses.
  if (pkt.l4 - pkt.off !== start) return;
  const field = pkt.l4 + from.getUint16(at + CSUM_OFFSET, true);
  if (field + 2 > pkt.end) return;
  // Folded, and not complemented: the network card goes on from it.
  const sum = pseudoSum(pkt.view, pkt.off, pkt.family, pkt.proto, pkt.end - pkt.l4);
  pkt.view.setUint16(field, fold(sum));
}

/** Bytes of the shortest header of a tunnel that has one. */
const GRE_HEADER = 4;

/**
 * Sees to a partial checksum before a packet leaves. Where it is to be written, the sender says: if that were over a
 * port or an address, the packet would be another one than the one that the rules have seen. SCTP's is made here, since
 * the header cannot say that it is a CRC (RFC 9260, appendix A).
 * @param view where the header is, at `at`; its csum_start counts from the frame's first byte
 * @param link bytes of link header
 * @param pkt as it was judged, in bytes that may be written
 * @returns whether it may leave
 */
export function settlePartial(view: DataView, at: number, link: number, pkt: Packet): boolean {
  const flags = view.getUint8(at);
  if ((flags & VNET_NEEDS_CSUM) === 0) return true;
  if (pkt.l4 < 0) return false;
  const start = view.getUint16(at + CSUM_START, true) - link;
  const offset = view.getUint16(at + CSUM_OFFSET, true);
  const l4 = pkt.l4 - pkt.off;
  // The inner checksum of a tunnel: behind the outer headers.
  if (start !== l4)
    return pkt.proto !== IPPROTO_TCP && start >= l4 + (pkt.proto === IPPROTO_UDP ? 8 : GRE_HEADER);
  if (pkt.proto === IPPROTO_TCP) return offset === TCP_CHECKSUM;
  if (pkt.proto === IPPROTO_UDP) return offset === UDP_CHECKSUM;
  if (pkt.proto !== IPPROTO_SCTP || offset !== SCTP_CHECKSUM || pkt.l4 + SCTP_HEADER > pkt.end) return false;
  pkt.view.setUint32(pkt.l4 + SCTP_CHECKSUM, sctpCrc(pkt.view, pkt.l4, pkt.end));
  view.setUint8(at, flags & ~VNET_NEEDS_CSUM);
  return true;
}
