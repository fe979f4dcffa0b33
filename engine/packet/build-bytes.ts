import { parseAddress } from './address.ts';
import { fold, sum } from './checksum.ts';

/** What a packet carries: bytes as they are, text as one byte a character (Latin-1), or that many zero bytes. */
export type Payload = Uint8Array | string | number;

/** Who sends to whom: two addresses of one family, as text. */
export interface Ends {
  readonly src: string;
  readonly dst: string;
}

/** A payload as bytes; none if it is left out. */
export function payloadBytes(payload: Payload = 0): Uint8Array {
  if (typeof payload === 'number') return new Uint8Array(payload);
  return typeof payload === 'string' ? Uint8Array.from(payload, (c) => c.charCodeAt(0)) : payload;
}

/** One array of all the parts, one behind the other. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** The bytes with zeros behind them, up to the next multiple of `step`. */
export function padTo(bytes: Uint8Array, step: number): Uint8Array {
  const missing = (step - (bytes.length % step)) % step;
  return missing === 0 ? bytes : concat(bytes, new Uint8Array(missing));
}

/** A DataView over exactly these bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Numbers as big-endian words of 4 bytes. */
export function words(...values: readonly number[]): Uint8Array {
  const out = new Uint8Array(values.length * 4);
  const view = viewOf(out);
  values.forEach((value, i) => {
    view.setUint32(i * 4, value);
  });
  return out;
}

/** Numbers as big-endian words of 2 bytes. */
export function halfWords(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [value >>> 8, value]));
}

/**
 * The bytes of an address: 4 or 16.
 * @throws RangeError if it is none
 */
export function addressBytes(text: string): Uint8Array {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new RangeError(`'${text}' is no IP address`);
  return words(...parsed);
}

/**
 * The six bytes of a MAC address written as `02:00:00:00:00:01`.
 * @throws RangeError if it is none
 */
export function macBytes(text: string): Uint8Array {
  const parts = text.split(':');
  if (parts.length !== 6 || !parts.every((p) => /^[0-9a-fA-F]{2}$/.test(p))) {
    throw new RangeError(`'${text}' is no MAC address`);
  }
  return Uint8Array.from(parts, (p) => Number.parseInt(p, 16));
}

/** One's complement checksum of bytes (RFC 1071), going on from a sum: the value that belongs in the field. */
export function internetChecksum(bytes: Uint8Array, start = 0): number {
  return ~fold(sum(viewOf(bytes), 0, bytes.length, start)) & 0xffff;
}

/** What a transport checksum covers, where it is not simply the whole segment. */
export interface ChecksumCover {
  /** Protocol number in the pseudo header; the packet's own if left out. */
  readonly proto?: number;
  /** Length in the pseudo header; the segment's if left out. */
  readonly length?: number;
  /** Bytes of the segment that are summed; all if left out. */
  readonly bytes?: number;
}

/**
 * Checksum of a transport segment with its pseudo header (RFC 9293 section 3.1, RFC 8200 section 8.1).
 * @param segment header, its checksum field zero, and payload
 * @param proto protocol number of the segment
 * @returns the value that belongs in the field
 */
export function transportChecksum(
  ends: Ends,
  proto: number,
  segment: Uint8Array,
  cover: ChecksumCover = {},
): number {
  const addresses = concat(addressBytes(ends.src), addressBytes(ends.dst));
  const numbers = (cover.proto ?? proto) + (cover.length ?? segment.length);
  const pseudo = sum(viewOf(addresses), 0, addresses.length, numbers);
  return internetChecksum(segment.subarray(0, cover.bytes ?? segment.length), pseudo);
}
