import { fold, halves } from './checksum.ts';
import type { Packet } from './packet.ts';

/** Room behind a packet in its own bytes, for what rules insert (TCP options). */
const SPARE = 256;

/** Copies without making a view of a part, which would be an object for each packet. */
function copyBytes(from: DataView, at: number, to: DataView, length: number): void {
  let i = 0;
  for (; i + 4 <= length; i += 4) to.setInt32(i, from.getInt32(at + i));
  for (; i < length; i++) to.setUint8(i, from.getUint8(at + i));
}

/**
 * Moves a packet into bytes of its own, so that it can be changed without changing the capture that it came from.
 * Its offsets (`off`, `end`, `l4`, `mac`) and `view` are other ones afterwards. Does nothing the second time.
 */
export function writable(pkt: Packet): void {
  if (pkt.bytes === pkt.own && pkt.own.length > 0) return;
  const from = pkt.mac >= 0 && pkt.mac < pkt.off ? pkt.mac : pkt.off;
  const length = pkt.end - from;
  if (pkt.own.length < length + SPARE) {
    pkt.own = new Uint8Array(Math.max(2048, length + SPARE));
    pkt.ownView = new DataView(pkt.own.buffer);
  }
  copyBytes(pkt.view, from, pkt.ownView, length);
  pkt.bytes = pkt.own;
  pkt.view = pkt.ownView;
  pkt.off -= from;
  pkt.end -= from;
  if (pkt.l4 >= 0) pkt.l4 -= from;
  if (pkt.mac >= 0) pkt.mac -= from;
}

/**
 * Brings a checksum up to date after words under it changed (RFC 1624, equation 3; the kernel's csum_replace2 and
 * csum_replace4 give the same).
 * @param at first byte of the checksum field
 * @param from what stood there, 16 or 32 bits
 * @param to what stands there now
 */
export function replaceChecksum(view: DataView, at: number, from: number, to: number): void {
  const kept = ~view.getUint16(at) & 0xffff;
  view.setUint16(at, ~fold(kept + halves(~from & (from >>> 16 === 0 ? 0xffff : -1)) + halves(to)) & 0xffff);
}

/**
 * Sees to it that {@link insertBytes} has room for so many bytes.
 * @param pkt writable, in bytes of its own
 */
export function makeRoom(pkt: Packet, count: number): void {
  if (pkt.end + count <= pkt.bytes.length) return;
  const bytes = new Uint8Array(pkt.end + count + SPARE);
  bytes.set(pkt.bytes);
  pkt.own = bytes;
  pkt.ownView = new DataView(bytes.buffer);
  pkt.bytes = bytes;
  pkt.view = pkt.ownView;
}

/**
 * Makes room in a packet. Lengths and checksums in its headers are the caller's.
 * @param pkt writable, in bytes of its own
 * @param at where the new bytes, zeros, begin; what stood there and behind moves back
 * @throws RangeError if more is inserted than a packet has room for
 */
export function insertBytes(pkt: Packet, at: number, count: number): void {
  if (pkt.end + count > pkt.bytes.length) throw new RangeError(`no room for ${count} bytes more`);
  pkt.bytes.copyWithin(at + count, at, pkt.end);
  pkt.bytes.fill(0, at, at + count);
  pkt.end += count;
}

/**
 * Takes bytes out of a packet. Lengths and checksums in its headers are the caller's.
 * @param pkt writable, in bytes of its own
 */
export function removeBytes(pkt: Packet, at: number, count: number): void {
  pkt.bytes.copyWithin(at, at + count, pkt.end);
  pkt.end -= count;
}
