/**
 * How line-writer.ts writes: each function takes a view and a place in it, and returns the place behind what it wrote;
 * up to seven bytes more may be written over, which comes next or is room. V8 puts them in line in whoever calls
 * them, and the place stays in a register. They look up rather than decide: how many digits a number has is what a
 * processor can not foresee, and each wrong guess costs as much as ten lookups. They are constants, since a function
 * that is declared could be given another value, which V8 would check before each call (measured: a twentieth of a line).
 */
import type { Piece } from './line-writer.ts';
import { GROUPS, OCTET_LENGTHS, OCTETS, THREE_DIGITS } from './line-writer-tables.ts';

const POINT = 0x2e;
const COLON = 0x3a;
/** ` > `, the first character in the lowest byte. */
const TO = 0x203e20;
const FOUR_SPACES = 0x20202020;

/** Numbers below are of two groups of three digits at most. */
const TWO_GROUPS = 1_000_000;

/** A piece of text. */
export const putPiece = (view: DataView, at: number, piece: Piece): number => {
  const { parts, length } = piece;
  view.setFloat64(at, parts[0]!, true);
  if (length > 8) {
    view.setFloat64(at + 8, parts[1]!, true);
    view.setFloat64(at + 16, parts[2]!, true);
    for (let i = 3; i < parts.length; i++) view.setFloat64(at + i * 8, parts[i]!, true);
  }
  return at + length;
};

/** Three digits of a number below 1000, with leading zeros. */
export const putThree = (view: DataView, at: number, n: number): number => {
  view.setInt32(at, GROUPS[THREE_DIGITS + n]!, true);
  return at + 3;
};

/** A number below a million. */
export const putSmall = (view: DataView, at: number, n: number): number => {
  const high = (n / 1000) | 0;
  // All ones if there are thousands: then they take room, and what is left has leading zeros.
  const mask = (0 - high) >> 31;
  const first = GROUPS[high]!;
  const rest = GROUPS[n - Math.imul(high, 1000) + (mask & THREE_DIGITS)]!;
  view.setInt32(at, first, true);
  const next = at + ((first >> 24) & mask);
  view.setInt32(next, rest, true);
  return next + (rest >> 24);
};

/** The same at the right of a column of up to eight characters; a longer one takes what it needs. */
export const putSmallRight = (view: DataView, at: number, n: number, width: number): number => {
  const high = (n / 1000) | 0;
  const mask = (0 - high) >> 31;
  const first = GROUPS[high]!;
  const rest = GROUPS[n - Math.imul(high, 1000) + (mask & THREE_DIGITS)]!;
  const taken = (first >> 24) & mask;
  const left = width - taken - (rest >> 24);
  const from = at + (left & ~(left >> 31));
  view.setInt32(at, FOUR_SPACES, true);
  view.setInt32(at + 4, FOUR_SPACES, true);
  view.setInt32(from, first, true);
  view.setInt32(from + taken, rest, true);
  return from + taken + (rest >> 24);
};

/** A whole number, as unsigned. */
export const putUint = (view: DataView, at: number, word: number): number => {
  const n = word >>> 0;
  const millions = (n / TWO_GROUPS) >>> 0;
  if (millions === 0) return putSmall(view, at, n);
  const next = putSmall(view, at, millions);
  const rest = (n - Math.imul(millions, TWO_GROUPS)) | 0;
  const high = (rest / 1000) | 0;
  view.setInt32(next, GROUPS[THREE_DIGITS + high]!, true);
  view.setInt32(next + 3, GROUPS[THREE_DIGITS + rest - Math.imul(high, 1000)]!, true);
  return next + 6;
};

/** A whole number, as unsigned, at the right of a column of up to eight characters. */
export const putUintRight = (view: DataView, at: number, word: number, width: number): number => {
  const n = word >>> 0;
  if (n < TWO_GROUPS) return putSmallRight(view, at, n, width);
  view.setInt32(at, FOUR_SPACES, true);
  view.setInt32(at + 4, FOUR_SPACES, true);
  const digits = n < 10_000_000 ? 7 : 8;
  return putUint(view, at + Math.max(0, width - digits), word);
};

/** A point and the six digits of microseconds. */
export const putMicros = (view: DataView, at: number, micros: number): number => {
  const high = (micros / 1000) | 0;
  view.setUint8(at, POINT);
  view.setInt32(at + 1, GROUPS[THREE_DIGITS + high]!, true);
  view.setInt32(at + 4, GROUPS[THREE_DIGITS + micros - Math.imul(high, 1000)]!, true);
  return at + 7;
};

/** An IPv4 address, given as one big-endian word. Each byte has a dot behind it, but for the last it does not count. */
export const putIpv4 = (view: DataView, at: number, word: number): number => {
  const a = word >>> 24;
  const b = (word >>> 16) & 255;
  const c = (word >>> 8) & 255;
  const d = word & 255;
  view.setInt32(at, OCTETS[a]!, true);
  const second = at + OCTET_LENGTHS[a]!;
  view.setInt32(second, OCTETS[b]!, true);
  const third = second + OCTET_LENGTHS[b]!;
  view.setInt32(third, OCTETS[c]!, true);
  const fourth = third + OCTET_LENGTHS[c]!;
  view.setInt32(fourth, OCTETS[d]!, true);
  return fourth + OCTET_LENGTHS[d]! - 1;
};

/** Who speaks to whom: `10.0.0.1:1000 > 10.1.0.1:80`. */
export const putIpv4Ends = (
  view: DataView,
  start: number,
  src: number,
  sport: number,
  dst: number,
  dport: number,
): number => {
  let at = putIpv4(view, start, src);
  view.setUint8(at, COLON);
  at = putSmall(view, at + 1, sport);
  view.setInt32(at, TO, true);
  at = putIpv4(view, at + 3, dst);
  view.setUint8(at, COLON);
  return putSmall(view, at + 1, dport);
};
