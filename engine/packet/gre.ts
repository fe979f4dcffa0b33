/** Fields of GRE headers (RFC 2784, RFC 2890; version 1: RFC 2637) as functions of (view, offset of the header). */

/** Bytes of a GRE header without its optional fields: flags and version 2, protocol 2. */
export const GRE_HEADER = 4;
/** Bytes of a version 1 (PPTP) header without sequence and acknowledgment number. */
export const GRE_PPTP_HEADER = 8;
/** Flag: checksum and reserved word are there. */
export const GRE_CSUM = 0x8000;
/** Flag: routing is there (RFC 1701, not in RFC 2784). */
export const GRE_ROUTING = 0x4000;
/** Flag: key is there. Always set in version 1. */
export const GRE_KEY = 0x2000;
/** Flag: sequence number is there. */
export const GRE_SEQ = 0x1000;
/** Flag of version 1: acknowledgment number is there. */
export const GRE_ACK = 0x0080;
/** Protocol in a version 1 header: PPP. */
export const GRE_PROTO_PPP = 0x880b;

/** All flags and the version, as they stand: GRE_* bits and 0 to 7. */
export function greFlags(view: DataView, l4: number): number {
  return view.getUint16(l4);
}

/** Version: 0 for plain GRE, 1 for PPTP. */
export function greVersion(view: DataView, l4: number): number {
  return view.getUint16(l4) & 7;
}

/** Ethertype of the payload. */
export function greProtocol(view: DataView, l4: number): number {
  return view.getUint16(l4 + 2);
}

/** Payload bytes as a version 1 header states them. */
export function grePptpLength(view: DataView, l4: number): number {
  return view.getUint16(l4 + 4);
}

/** Call id of a version 1 header: that of the receiver. */
export function greCallId(view: DataView, l4: number): number {
  return view.getUint16(l4 + 6);
}

/** Bytes of the header with the optional fields that its flags announce; routing, of unknown length, not counted. */
export function greHeaderLength(flags: number): number {
  const sequence = flags & GRE_SEQ ? 4 : 0;
  if ((flags & 7) === 1) return GRE_PPTP_HEADER + sequence + (flags & GRE_ACK ? 4 : 0);
  // Checksum and routing share the word that either brings (RFC 1701).
  return GRE_HEADER + (flags & (GRE_CSUM | GRE_ROUTING) ? 4 : 0) + (flags & GRE_KEY ? 4 : 0) + sequence;
}
