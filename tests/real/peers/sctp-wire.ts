// As much of SCTP (RFC 9260) as an association needs, written and read.

/** Chunk types, RFC 9260 section 3.2. */
export const CHUNK = {
  DATA: 0,
  INIT: 1,
  INIT_ACK: 2,
  SACK: 3,
  HEARTBEAT: 4,
  HEARTBEAT_ACK: 5,
  ABORT: 6,
  SHUTDOWN: 7,
  SHUTDOWN_ACK: 8,
  COOKIE_ECHO: 10,
  COOKIE_ACK: 11,
  SHUTDOWN_COMPLETE: 14,
} as const;

/** One chunk: type, flags and the value behind its 4-byte header. */
export type Chunk = { readonly type: number; readonly flags: number; readonly value: Buffer };
/** A packet: ports, verification tag, chunks. */
export type SctpPacket = {
  readonly source: number;
  readonly destination: number;
  readonly tag: number;
  readonly chunks: readonly Chunk[];
};

/** CRC32c as SCTP writes it, RFC 9260 appendix A. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** A chunk of 16- and 32-bit big-endian fields, given as [bits, number], and then bytes. */
export function chunk(
  type: number,
  fields: readonly (readonly [16 | 32, number])[] = [],
  rest: Uint8Array = new Uint8Array(),
  flags = 0,
): Chunk {
  const parts = fields.map(([bits, value]) => {
    const part = Buffer.alloc(bits / 8);
    if (bits === 16) part.writeUInt16BE(value);
    else part.writeUInt32BE(value);
    return part;
  });
  return { type, flags, value: Buffer.concat([...parts, rest]) };
}

/** The packet's bytes: common header, checksum filled in, chunks each padded to 4 bytes. */
export function writeSctp(packet: SctpPacket): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(packet.source, 0);
  header.writeUInt16BE(packet.destination, 2);
  header.writeUInt32BE(packet.tag, 4);
  const parts: Buffer[] = [header];
  for (const { type, flags, value } of packet.chunks) {
    const length = 4 + value.length;
    const bytes = Buffer.alloc((length + 3) & ~3);
    bytes.writeUInt8(type, 0);
    bytes.writeUInt8(flags, 1);
    bytes.writeUInt16BE(length, 2);
    value.copy(bytes, 4);
    parts.push(bytes);
  }
  const whole = Buffer.concat(parts);
  whole.writeUInt32LE(crc32c(whole), 8);
  return whole;
}

/** Reads what `writeSctp` and other well-formed senders write. @throws RangeError if it is cut off. */
export function readSctp(bytes: Buffer): SctpPacket {
  const chunks: Chunk[] = [];
  for (let at = 12; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16BE(at + 2);
    chunks.push({ type: bytes[at], flags: bytes[at + 1], value: bytes.subarray(at + 4, at + length) });
    at += Math.max(4, (length + 3) & ~3);
  }
  return {
    source: bytes.readUInt16BE(0),
    destination: bytes.readUInt16BE(2),
    tag: bytes.readUInt32BE(4),
    chunks,
  };
}
