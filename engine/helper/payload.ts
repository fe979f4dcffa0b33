import type { HelpCall } from '../conntrack/helper.ts';
import { IPPROTO_TCP } from '../packet/protocols.ts';
import { UDP_HEADER } from '../packet/udp.ts';

/** Where one is in the text of a packet. Nothing reads past `end`. */
export interface Cursor {
  view: DataView;
  /** The next byte. */
  at: number;
  /** First byte past the text. */
  end: number;
}

/**
 * First byte of a TCP or UDP packet's payload, as an offset in `pkt.view`; `pkt.end` or more if it has none.
 * Translation of the payload (nat/mangle.ts) moves it: ask again afterwards.
 */
export function payloadOf({ pkt }: HelpCall): number {
  if (pkt.proto !== IPPROTO_TCP) return pkt.l4 + UDP_HEADER;
  return pkt.l4 + (pkt.view.getUint8(pkt.l4 + 12) >>> 4) * 4;
}

/** Position of the first byte of that value in `from`..`to`, -1 if there is none. */
export function findByte(view: DataView, from: number, to: number, byte: number): number {
  for (let at = from; at < to; at++) if (view.getUint8(at) === byte) return at;
  return -1;
}

/** Position of the first of these bytes in `from`..`to`, -1 if they are not there whole. */
export function findBytes(view: DataView, from: number, to: number, bytes: Uint8Array): number {
  for (let at = from; at + bytes.length <= to; at++) if (hasBytes(view, at, to, bytes)) return at;
  return -1;
}

/** Whether these very bytes stand there. */
export function hasBytes(view: DataView, at: number, to: number, bytes: Uint8Array): boolean {
  if (at + bytes.length > to) return false;
  for (let i = 0; i < bytes.length; i++) if (view.getUint8(at + i) !== bytes[i]) return false;
  return true;
}

/** A letter's small form; other bytes as they are. */
export function lowered(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}

/** Whether these bytes stand there, in capital or small letters. @param bytes in small letters */
export function hasWord(view: DataView, at: number, to: number, bytes: Uint8Array): boolean {
  if (at + bytes.length > to) return false;
  for (let i = 0; i < bytes.length; i++) if (lowered(view.getUint8(at + i)) !== bytes[i]) return false;
  return true;
}

/** Whether a byte is one of `0` to `9`. */
export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/**
 * Reads a decimal number and steps behind it.
 * @param modulus what it is taken modulo digit by digit, as an unsigned integer of the kernel overflows
 * @returns -1 if there is no digit
 */
export function readDecimal(c: Cursor, modulus: number = 2 ** 32): number {
  const start = c.at;
  let value = 0;
  for (; c.at < c.end; c.at++) {
    const byte = c.view.getUint8(c.at);
    if (!isDigit(byte)) break;
    value = (value * 10 + byte - 0x30) % modulus;
  }
  return c.at === start ? -1 : value;
}

/**
 * Reads decimal numbers with a separator between them and steps behind them: `192.168.1.1`, `10,0,0,1,4,0`. Each must be
 * there and at most 255.
 * @param out takes as many as it has room for
 * @returns false if they are not all there
 */
export function readBytes(c: Cursor, separator: number, out: number[], count: number): boolean {
  for (let i = 0; i < count; i++) {
    if (i > 0) {
      if (c.at >= c.end || c.view.getUint8(c.at) !== separator) return false;
      c.at++;
    }
    const value = readDecimal(c);
    if (value < 0 || value > 255) return false;
    out[i] = value;
  }
  return true;
}

/** Reads `192.168.1.1` and steps behind it. @returns the address as one word, null if there is none */
export function readIpv4(c: Cursor): number | null {
  const bytes: number[] = [];
  return readBytes(c, 0x2e, bytes, 4) ? ipv4Word(bytes) : null;
}

/** Four bytes as a word. */
export function ipv4Word(bytes: readonly number[]): number {
  return (bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!;
}

function hexDigit(byte: number): number {
  if (isDigit(byte)) return byte - 0x30;
  const letter = lowered(byte);
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/**
 * Reads an IPv6 address (RFC 4291, section 2.2) and steps behind it.
 * @returns its four words, null if there is none
 */
export function readIpv6(c: Cursor): readonly number[] | null {
  const groups: number[] = [];
  let gap = -1;
  if (isAt(c, 0x3a)) {
    c.at++;
    if (!isAt(c, 0x3a)) return null;
    c.at++;
    gap = 0;
  }
  while (groups.length < 8) {
    const start = c.at;
    const group = readHexGroup(c);
    if (group < 0) break;
    if (isAt(c, 0x2e)) {
      c.at = start;
      if (groups.length > 6) return null;
      const word = readIpv4(c);
      if (word === null) return null;
      groups.push(word >>> 16, word & 0xffff);
      break;
    }
    groups.push(group);
    if (!isAt(c, 0x3a) || groups.length === 8) break;
    c.at++;
    if (isAt(c, 0x3a)) {
      if (gap >= 0) return null;
      gap = groups.length;
      c.at++;
    } else if (c.at >= c.end || hexDigit(c.view.getUint8(c.at)) < 0) return null;
  }
  if (gap < 0 ? groups.length !== 8 : groups.length > 7) return null;
  if (gap >= 0) groups.splice(gap, 0, ...new Array<number>(8 - groups.length).fill(0));
  return [0, 2, 4, 6].map((i) => (groups[i]! << 16) | groups[i + 1]!);
}

function isAt(c: Cursor, byte: number): boolean {
  return c.at < c.end && c.view.getUint8(c.at) === byte;
}

/** A group of hexadecimal digits; -1 if there are none, or more than 16 bits. As many zeros as you like (measured). */
function readHexGroup(c: Cursor): number {
  let value = 0;
  const start = c.at;
  for (; c.at < c.end; c.at++) {
    const digit = hexDigit(c.view.getUint8(c.at));
    if (digit < 0) break;
    if (value > 0xfff) return -1;
    value = (value << 4) | digit;
  }
  return c.at === start ? -1 : value;
}

/** Text as bytes, one for each character below U+0100. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** Whether two addresses, words as {@link Conntrack.addressOf} gives them, are the same. */
export function sameAddress(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((word, i) => word === b[i]);
}
