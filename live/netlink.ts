/**
 * Netlink messages (RFC 3549 section 2, netlink(7)) in byte arrays, read with functions over a DataView; nothing is made
 * per message. netlink-writer.ts writes them, netlink-socket.ts sends and receives them. Headers are in the machine's
 * order (little endian); what payloads hold, their own subsystem says.
 *
 *     nlmsghdr   length u32, type u16, flags u16, sequence u32, port id u32        16 bytes
 *     nlattr     length u16, type u16, payload, padding to four bytes               4 bytes + payload
 *     nfgenmsg   family u8, version u8, resource id u16 big endian                  4 bytes, behind nlmsghdr
 */

/** NETLINK_ROUTE: devices, addresses, routes. */
export const NETLINK_ROUTE = 0;
/** NETLINK_NETFILTER: nfnetlink with all its subsystems. */
export const NETLINK_NETFILTER = 12;

/** NLM_F_REQUEST: must stand in every message to the kernel. */
export const NLM_F_REQUEST = 1;
/** NLM_F_ACK: the kernel shall answer with an error message, of error 0 if it worked. */
export const NLM_F_ACK = 4;
/** NLM_F_DUMP_INTR: the table changed while it was dumped. */
export const NLM_F_DUMP_INTR = 0x10;
/** NLM_F_DUMP: the whole table. */
export const NLM_F_DUMP = 0x300;
/** NLM_F_EXCL: fails where the object is there already. */
export const NLM_F_EXCL = 0x200;
/** NLM_F_CREATE. */
export const NLM_F_CREATE = 0x400;

/** NLMSG_NOOP. */
export const NLMSG_NOOP = 1;
/** NLMSG_ERROR: an error, or with error 0 an acknowledgement. */
export const NLMSG_ERROR = 2;
/** NLMSG_DONE: the end of a dump. */
export const NLMSG_DONE = 3;

/** Bytes of nlmsghdr. */
export const NLMSG_HEADER = 16;
/** Bytes of nlattr. */
export const NLA_HEADER = 4;
/** Bytes of nlmsghdr and nfgenmsg: attributes of a netfilter message begin here. */
export const NFNL_HEADER = 20;
/** NLA_F_NESTED: the payload is attributes. */
export const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;

/** A length rounded up to four bytes, as messages and attributes are padded. */
export function nlAlign(length: number): number {
  return (length + 3) & ~3;
}

// Reading messages ---------------------------------------------------------------------------------------------------

/**
 * Whether a whole message begins at `at`. Loop:
 * `for (let at = 0; isMessage(view, at, end); at = nextMessage(view, at))`.
 * @param end first byte past the datagram
 */
export function isMessage(view: DataView, at: number, end: number): boolean {
  if (at + NLMSG_HEADER > end) return false;
  const length = view.getUint32(at, true);
  return length >= NLMSG_HEADER && length <= end - at;
}

/** Where the message behind the one at `at` begins. */
export function nextMessage(view: DataView, at: number): number {
  return at + nlAlign(view.getUint32(at, true));
}

/** First byte past the message at `at` (its padding not counted). */
export function messageEnd(view: DataView, at: number): number {
  return at + view.getUint32(at, true);
}

/** Type of the message at `at`: NLMSG_*, RTM_*, or subsystem << 8 | number of nfnetlink. */
export function messageType(view: DataView, at: number): number {
  return view.getUint16(at + 4, true);
}

/** NLM_F_* of the message at `at`. */
export function messageFlags(view: DataView, at: number): number {
  return view.getUint16(at + 6, true);
}

/** Sequence number of the message at `at`, 0 for notifications. */
export function messageSequence(view: DataView, at: number): number {
  return view.getUint32(at + 8, true);
}

/** Port id in the message at `at`: of whoever asked for it, 0 for the kernel. */
export function messagePort(view: DataView, at: number): number {
  return view.getUint32(at + 12, true);
}

/** Address family (nfgenmsg) of the netfilter message at `at`; 0 if it is too short to have one. */
export function messageFamily(view: DataView, at: number): number {
  return view.getUint32(at, true) < NFNL_HEADER ? 0 : view.getUint8(at + NLMSG_HEADER);
}

/** Resource id (nfgenmsg) of the netfilter message at `at`: number of a queue or log group. */
export function messageResource(view: DataView, at: number): number {
  return view.getUint32(at, true) < NFNL_HEADER ? 0 : view.getUint16(at + NLMSG_HEADER + 2);
}

/** errno (positive) that the NLMSG_ERROR or NLMSG_DONE message at `at` carries; 0 is success. */
export function messageError(view: DataView, at: number): number {
  if (view.getUint32(at, true) < NLMSG_HEADER + 4) return 0;
  const error = -view.getInt32(at + NLMSG_HEADER, true);
  return error > 0 ? error : 0;
}

// Reading attributes -------------------------------------------------------------------------------------------------

/**
 * Whether a whole attribute begins at `at`. Loop:
 * `for (let at = from; isAttribute(view, at, end); at = nextAttribute(view, at))`.
 * @param end first byte past the message, or past the payload that it is nested in
 */
export function isAttribute(view: DataView, at: number, end: number): boolean {
  if (at + NLA_HEADER > end) return false;
  const length = view.getUint16(at, true);
  return length >= NLA_HEADER && length <= end - at;
}

/** Where the attribute behind the one at `at` begins. */
export function nextAttribute(view: DataView, at: number): number {
  return at + nlAlign(view.getUint16(at, true));
}

/** Type of the attribute at `at`, without the flags for nested ones and byte order. */
export function attributeType(view: DataView, at: number): number {
  return view.getUint16(at + 2, true) & NLA_TYPE_MASK;
}

/** First byte of the payload of the attribute at `at`. */
export function attributeFrom(at: number): number {
  return at + NLA_HEADER;
}

/** First byte past the payload of the attribute at `at`. */
export function attributeTo(view: DataView, at: number): number {
  return at + view.getUint16(at, true);
}

/** Bytes of payload of the attribute at `at`. */
export function attributeLength(view: DataView, at: number): number {
  return view.getUint16(at, true) - NLA_HEADER;
}

/** Text in an attribute at `at`, Latin 1, up to its zero byte or its end. */
export function attributeText(bytes: Uint8Array, view: DataView, at: number): string {
  const end = attributeTo(view, at);
  let text = '';
  for (let i = attributeFrom(at); i < end && bytes[i] !== 0; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/** 64 bits in network order at `at` (the payload, not the attribute), exact up to 2^53. */
export function be64At(view: DataView, at: number): number {
  return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
}
