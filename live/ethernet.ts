const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;
const ETH_P_8021Q = 0x8100;
const ETH_P_8021AD = 0x88a8;
const ETH_P_QINQ1 = 0x9100;
/** Pause frames and the like: they are about one cable, and no bridge passes them (IEEE 802.3, annex 31B). */
const ETH_P_PAUSE = 0x8808;

/** Bytes of an Ethernet header. */
export const ETHERNET_HEADER = 14;
/** Bytes of a VLAN tag. */
const TAG = 4;

/** Not IP: ARP, spanning tree, … */
export const FRAME_OTHER: number = -1;
/** Too short for what it announces, or not to be passed on. */
export const FRAME_BAD: number = -2;

/**
 * Finds the IP header of an Ethernet frame, behind any number of VLAN tags, as the engine does.
 * @param at first byte of the frame, `end` first byte past it
 * @returns where it is, or FRAME_OTHER or FRAME_BAD
 */
export function findNetwork(view: DataView, at: number, end: number): number {
  let header = at + ETHERNET_HEADER;
  for (;;) {
    if (header > end) return FRAME_BAD;
    const type = view.getUint16(header - 2);
    if (type === ETH_P_IP || type === ETH_P_IPV6) return header;
    if (type === ETH_P_PAUSE) return FRAME_BAD;
    if (type !== ETH_P_8021Q && type !== ETH_P_8021AD && type !== ETH_P_QINQ1) return FRAME_OTHER;
    header += TAG;
  }
}

/** Copies bytes between buffers without making a view of a part, which would be an object for each packet. */
export function copyBytes(from: DataView, at: number, to: DataView, into: number, length: number): void {
  let i = 0;
  for (; i + 4 <= length; i += 4) to.setInt32(into + i, from.getInt32(at + i));
  for (; i < length; i++) to.setUint8(into + i, from.getUint8(at + i));
}
