/** Address family of a packet or flow, with the kernel's numbers. */
export const AF_UNSPEC = 0;
/** AF_INET: IPv4. */
export const AF_INET = 2;
/** AF_INET6: IPv6. */
export const AF_INET6 = 10;

/** Bit of {@link Packet.frag}: another fragment follows. The rest of the word is the offset in bytes. */
export const FRAG_MORE = 1;

/** ctinfo of a packet, with the kernel's numbers (enum ip_conntrack_info). */
export const IP_CT_ESTABLISHED = 0;
/** IP_CT_RELATED: an error about a flow, or the first packet of an expected one. */
export const IP_CT_RELATED = 1;
/** IP_CT_NEW: no packet in reply direction was seen yet. */
export const IP_CT_NEW = 2;
/** IP_CT_ESTABLISHED_REPLY. */
export const IP_CT_ESTABLISHED_REPLY = 3;
/** IP_CT_RELATED_REPLY. */
export const IP_CT_RELATED_REPLY = 4;
/** IP_CT_UNTRACKED: deliberately not tracked (neighbour discovery, notrack). */
export const IP_CT_UNTRACKED = 7;
/** Ours: tracked and found INVALID; such a packet belongs to no flow. */
export const CTINFO_INVALID = 8;
/** Ours: the packet never reached connection tracking. */
export const CTINFO_NONE = 9;

const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);

/** Of {@link Packet.checksum}: nobody looked at the transport checksum yet. */
export const CHECKSUM_NONE = 0;
/** The transport checksum was found right, as a network card does it for Linux. */
export const CHECKSUM_UNNECESSARY = 1;
/** Rules left a wrong IPv4 header checksum: Linux sums from there on, so that the transport checksum counts as wrong. */
export const CHECKSUM_WRONG = 2;

/**
 * One packet under way. A host owns a few of these and reuses them; nothing in the engine keeps a reference
 * past the call it was given in.
 */
export class Packet {
  /** The whole backing buffer: a chunk of a capture, a ring, one datagram. */
  bytes: Uint8Array = NO_BYTES;
  /** Over the same buffer as `bytes`, made once per buffer. Offsets below index it. */
  view: DataView = NO_VIEW;
  /** First byte of the frame; after the link header was read, first byte of the network header. */
  off = 0;
  /** First byte past what was captured; after dissection, past the IP datagram (padding is cut off). */
  end = 0;
  /** Bytes that were on the wire but not captured (snap length). */
  missing = 0;
  /**
   * When it arrived (ms). A field, because V8 boxes a number of that size when it is handed from call to call; NaN
   * at first, so that the field is a double from the start.
   */
  time: number = Number.NaN;

  /** AF_INET, AF_INET6, or AF_UNSPEC if the frame carries no IP. */
  family: number = AF_UNSPEC;
  /** First byte of the transport header, or -1 if there is none to find. */
  l4 = -1;
  /** Transport protocol, after IPv6 extension headers. */
  proto = 0;
  /** Fragment offset in bytes | FRAG_MORE; 0 for a whole datagram. */
  frag = 0;

  /** CHECKSUM_*: what is known of the transport checksum. */
  checksum: number = CHECKSUM_NONE;

  /** conntrack zone of each direction; 0 is the default zone. */
  zone = 0;
  /** Packet mark (skb mark). */
  mark = 0;
  /** Traffic priority (skb priority): `meta priority`, CLASSIFY. */
  priority = 0;
  /** Number of the device it came in by, 0 if this machine made it (skb iif). */
  ifin = 0;
  /** Number of the device it leaves by, 0 before that is known. */
  ifout = 0;
  /** First byte of the link header, -1 if there is none. */
  mac = -1;
  /** PACKET_*: 0 to this host, 1 broadcast, 2 multicast, 3 to another host, 4 outgoing, 5 loopback. */
  pkttype = 0;
  /** Whether its way through the rules is traced (`meta nftrace`, TRACE). */
  nftrace = 0;
  /** The flow it belongs to, 0 if none. */
  flow = 0;
  /** IP_CT_* or CTINFO_*. */
  ctinfo: number = CTINFO_NONE;
  /** IPS_* bits of its flow as rules see them: behind tracking, before the flow is confirmed. */
  status = 0;

  /** Bytes of its own, where rules that change it move it to (rewrite.ts); kept for the next packet. */
  own: Uint8Array = NO_BYTES;
  /** Over `own`. */
  ownView: DataView = NO_VIEW;

  /** Why it was skipped, invalid or ignored: a number of base/reason.ts; 0 is nothing to say. */
  reason = 0;
  /** Operands of the reason, in the order its text names them. */
  readonly operands: Float64Array = new Float64Array(4);
}

/**
 * Points a packet at bytes and forgets everything about the last one but its time.
 * @param bytes the backing buffer, with `view` over the same memory
 * @param off first byte of the frame
 * @param end first byte past the frame
 */
export function resetPacket(pkt: Packet, bytes: Uint8Array, view: DataView, off: number, end: number): void {
  // Most packets come from the buffer of the one before, and writing a reference costs the collector's barrier.
  if (pkt.bytes !== bytes) pkt.bytes = bytes;
  if (pkt.view !== view) pkt.view = view;
  pkt.off = off;
  pkt.end = end;
  pkt.missing = 0;
  pkt.family = AF_UNSPEC;
  pkt.l4 = -1;
  pkt.proto = 0;
  pkt.frag = 0;
  pkt.checksum = CHECKSUM_NONE;
  pkt.zone = 0;
  pkt.mark = 0;
  pkt.priority = 0;
  pkt.ifin = 0;
  pkt.ifout = 0;
  pkt.mac = -1;
  pkt.pkttype = 0;
  pkt.nftrace = 0;
  pkt.flow = 0;
  pkt.ctinfo = CTINFO_NONE;
  pkt.status = 0;
  pkt.reason = 0;
}

/**
 * As {@link resetPacket}, of an array of its own: the view is made here, unless the packet has one of these bytes.
 * @param bytes the frame or IP packet
 */
export function setPacket(pkt: Packet, bytes: Uint8Array): void {
  const isSame = pkt.bytes === bytes && pkt.view.byteLength === bytes.length;
  const view = isSame ? pkt.view : new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  resetPacket(pkt, bytes, view, 0, bytes.length);
}

/** Notes why: a reason number and up to three operands. */
export function because(pkt: Packet, reason: number, a = 0, b = 0, c = 0): void {
  pkt.reason = reason;
  pkt.operands[0] = a;
  pkt.operands[1] = b;
  pkt.operands[2] = c;
}

/**
 * A copy of some bytes. `bytes.slice` would do, but for Node's Buffer, whose slice shares the memory.
 * @param from first byte, `to` first byte past the last
 */
export function copyOfBytes(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes, from, to);
}
