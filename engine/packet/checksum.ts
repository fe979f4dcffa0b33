import { AF_INET } from './packet.ts';

/** A 32-bit word as the sum of its two halves. */
export function halves(word: number): number {
  return (word >>> 16) + (word & 0xffff);
}

/**
 * One's complement sum of bytes as big-endian 16-bit words (RFC 1071), not yet folded or inverted.
 * @param view the buffer; bytes `from` (included) to `to` (excluded) are summed, an odd last byte padded with 0;
 *   no more than 65,535 bytes, so that the sum stays an int32
 * @param start a sum to go on from, below 2^20
 * @returns a number below 2^18 that {@link fold} brings to 16 bits
 */
export function sum(view: DataView, from: number, to: number, start = 0): number {
  // Two 16-bit words at once, their high and low halves in sums of their own, each an int32: doubles take longer.
  let high = 0;
  let low = start;
  let at = from;
  for (const stop = to - 16; at <= stop; at += 16) {
    const a = view.getInt32(at);
    const b = view.getInt32(at + 4);
    const c = view.getInt32(at + 8);
    const d = view.getInt32(at + 12);
    high = (high + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0;
    low = (low + (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff)) | 0;
  }
  for (const stop = to - 4; at <= stop; at += 4) {
    const a = view.getInt32(at);
    high = (high + (a >>> 16)) | 0;
    low = (low + (a & 0xffff)) | 0;
  }
  if (at + 2 <= to) {
    high = (high + view.getUint16(at)) | 0;
    at += 2;
  }
  if (at < to) high = (high + (view.getUint8(at) << 8)) | 0;
  return halves(high) + halves(low);
}

/** Folds a sum below 2^32 into 16 bits with end-around carry. */
export function fold(total: number): number {
  return halves(halves(total));
}

/**
 * Sum of the pseudo header (RFC 9293 section 3.1, RFC 8200 section 8.1).
 * @param off first byte of the IP header
 * @param family AF_INET or AF_INET6
 * @param proto the protocol number that is summed
 * @param length bytes of transport header and payload
 */
export function pseudoSum(
  view: DataView,
  off: number,
  family: number,
  proto: number,
  length: number,
): number {
  return family === AF_INET
    ? sum(view, off + 12, off + 20, proto + length)
    : sum(view, off + 8, off + 40, proto + length);
}

/**
 * Whether a transport checksum over `from`..`to` with its pseudo header is right.
 * @param proto number used in the pseudo header
 */
export function transportChecksumOk(
  view: DataView,
  off: number,
  family: number,
  proto: number,
  from: number,
  to: number,
): boolean {
  // Without options or extension headers the addresses stand right before the transport header: one sum does.
  const addresses = family === AF_INET ? off + 12 : off + 8;
  const behind = family === AF_INET ? off + 20 : off + 40;
  const total =
    from === behind
      ? sum(view, addresses, to, proto + to - from)
      : sum(view, from, to, pseudoSum(view, off, family, proto, to - from));
  return fold(total) === 0xffff;
}

/** CRC32c (reflected polynomial 0x82f63b78) of a byte; 256 entries on, the same with one more zero byte behind. */
const CRC32C = new Int32Array(4 * 256);
for (let i = 0; i < 256; i++) {
  let c = i;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  CRC32C[i] = c;
}
for (let i = 256; i < CRC32C.length; i++) {
  const before = CRC32C[i - 256]!;
  CRC32C[i] = CRC32C[before & 0xff]! ^ (before >>> 8);
}

/** Four bytes at once, given as a little-endian word: 2.6 times as fast as byte by byte. */
function crcWord(crc: number, word: number): number {
  const x = crc ^ word;
  return (
    CRC32C[0x300 + (x & 0xff)]! ^
    CRC32C[0x200 + ((x >>> 8) & 0xff)]! ^
    CRC32C[0x100 + ((x >>> 16) & 0xff)]! ^
    CRC32C[x >>> 24]!
  );
}

/**
 * CRC32c over an SCTP packet with its checksum field taken as zero (RFC 9260, appendix A).
 * @param from first byte of the common header, of which all 12 bytes must be there
 * @returns the checksum as it stands in the packet when read big-endian, as an int32
 */
export function sctpCrc(view: DataView, from: number, to: number): number {
  let crc = crcWord(crcWord(-1, view.getInt32(from, true)), view.getInt32(from + 4, true));
  crc = crcWord(crc, 0);
  let at = from + 12;
  for (const stop = to - 4; at <= stop; at += 4) crc = crcWord(crc, view.getInt32(at, true));
  for (; at < to; at++) crc = CRC32C[(crc ^ view.getUint8(at)) & 0xff]! ^ (crc >>> 8);
  crc = ~crc;
  // The field holds the CRC least significant byte first.
  return ((crc & 0xff) << 24) | ((crc & 0xff00) << 8) | ((crc >>> 8) & 0xff00) | (crc >>> 24);
}
