/** Fields of UDP (RFC 768) and UDP-Lite (RFC 3828) headers as functions of (view, offset of the header). */

/** Bytes of a UDP or UDP-Lite header: source port 2, destination port 2, length or coverage 2, checksum 2. */
export const UDP_HEADER = 8;

/** Source port, where TCP, UDP, UDP-Lite, SCTP and DCCP all have it. */
export function sourcePort(view: DataView, l4: number): number {
  return view.getUint16(l4);
}

/** Destination port, where TCP, UDP, UDP-Lite, SCTP and DCCP all have it. */
export function destinationPort(view: DataView, l4: number): number {
  return view.getUint16(l4 + 2);
}

/** UDP's length field: bytes of header and payload. UDP-Lite has its checksum coverage here, 0 for all. */
export function udpLength(view: DataView, l4: number): number {
  return view.getUint16(l4 + 4);
}

/** Checksum; 0 if the sender made none. */
export function udpChecksum(view: DataView, l4: number): number {
  return view.getUint16(l4 + 6);
}
