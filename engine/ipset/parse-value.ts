import { parseAddress } from '../packet/address.ts';
import { inetAton } from '../packet/inet-aton.ts';
import { SetError } from './set-error.ts';

/** The most that a 64-bit counter can be set to: one below all bits (measured). */
const MAX_COUNTER = 0xfffffffffffffffen;

/**
 * A whole number as ipset reads it: decimal, `0x` hexadecimal or `0` octal.
 * @throws SetError if it is none, or not within `min` to `max`
 */
export function parseNumber(text: string, min: number, max: number): number {
  const value = numberOf(text);
  if (value === undefined) throw new SetError(`'${text}' is invalid as number`, text);
  if (value < min || value > max) throw new SetError(`'${text}' is out of range ${min}-${max}`, text);
  return Number(value);
}

/** A packet or byte counter. Beyond 2^53 it loses its lowest bits. @throws SetError */
export function parseCounter(text: string): number {
  const value = numberOf(text);
  if (value === undefined) throw new SetError(`'${text}' is invalid as number`, text);
  if (value > MAX_COUNTER) throw new SetError(`'${text}' is out of range 0-${MAX_COUNTER}`, text);
  return Number(value);
}

function numberOf(text: string): bigint | undefined {
  if (/^0[0-7]+$/.test(text)) return BigInt(`0o${text.slice(1)}`);
  return /^(0[xX][0-9a-fA-F]+|0|[1-9]\d*)$/.test(text) ? BigInt(text) : undefined;
}

/** Without the square brackets that protect dashes in names. */
function bare(text: string): string {
  return text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
}

/** Four decimal numbers, as almost every address is written; -1 for anything else. */
function plainIpv4(text: string): number {
  let word = 0;
  let dots = 0;
  let value = -1;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 46 && value >= 0 && dots < 3) {
      word = word * 256 + value;
      value = -1;
      dots++;
    } else if (c >= 48 && c <= 57 && value !== 0) {
      value = value < 0 ? c - 48 : value * 10 + c - 48;
      if (value > 255) return -1;
    } else return -1;
  }
  return dots === 3 && value >= 0 ? word * 256 + value : -1;
}

/** An IPv4 address as the C library reads it, but without hexadecimal numbers (measured). */
function parseIpv4(text: string): number | undefined {
  const plain = plainIpv4(text);
  if (plain >= 0) return plain;
  // The one name that every machine's /etc/hosts has.
  if (text === 'localhost') return 0x7f000001;
  return /x/i.test(text) ? undefined : inetAton(text);
}

/**
 * An address as words.
 * @param bytes 4 for IPv4, 16 for IPv6
 * @throws SetError
 */
export function parseIp(text: string, bytes: number): readonly number[] {
  const plain = bare(text);
  if (bytes === 4) {
    const word = parseIpv4(plain);
    if (word !== undefined) return [word | 0];
  } else {
    const words = plain.includes(':') ? parseAddress(plain) : undefined;
    if (words !== undefined) return words;
  }
  const family = bytes === 4 ? 'IPv4' : 'IPv6';
  throw new SetError(`cannot parse ${text}: it is no ${family} address`, text, 'host names are not resolved');
}

/** A prefix length. @throws SetError */
export function parsePrefix(text: string, min: number, bytes: number): number {
  return parseNumber(text, min, 8 * bytes);
}

/** Cuts at the first of a character outside of square brackets; the second half is undefined if there is none. */
export function cut(text: string, separator: string): readonly [string, string | undefined] {
  for (let i = 0, depth = 0; i < text.length; i++) {
    if (text[i] === '[') depth++;
    else if (text[i] === ']') depth--;
    else if (depth === 0 && text[i] === separator) return [text.slice(0, i), text.slice(i + 1)];
  }
  return [text, undefined];
}

/** The words of a network mask. */
export function prefixMask(prefix: number, bytes: number): readonly number[] {
  if (bytes === 4) return [prefix === 0 ? 0 : -1 << (32 - Math.min(32, prefix))];
  return Array.from({ length: bytes / 4 }, (_, i) => {
    const bits = Math.min(32, Math.max(0, prefix - 32 * i));
    return bits === 0 ? 0 : -1 << (32 - bits);
  });
}

/** Addresses from one to another, both included, or those of a network; IPv4 only. */
export interface IpRange {
  readonly from: number;
  readonly to: number;
}

/**
 * `ip`, `ip/prefix` or `ip-ip` of IPv4 as unsigned numbers.
 * @throws SetError
 */
export function parseIpRange(text: string): IpRange {
  const [first, last] = cut(text, '-');
  if (last !== undefined) {
    const a = parseIp(first, 4)[0]! >>> 0;
    const b = parseIp(last, 4)[0]! >>> 0;
    return { from: Math.min(a, b), to: Math.max(a, b) };
  }
  const [address, prefix] = cut(text, '/');
  const word = parseIp(address, 4)[0]!;
  const mask = prefixMask(prefix === undefined ? 32 : parsePrefix(prefix, 0, 4), 4)[0]!;
  return { from: (word & mask) >>> 0, to: (word | ~mask) >>> 0 };
}

/** The networks that cover a range exactly, largest ones where they fit, in order. */
export function* networksOf(range: IpRange): Generator<readonly [number, number]> {
  let from = range.from;
  while (from <= range.to) {
    let bits = 0;
    // The largest block that starts here and does not go past the end.
    while (bits < 32 && from % 2 ** (bits + 1) === 0 && from + 2 ** (bits + 1) - 1 <= range.to) bits++;
    yield [from | 0, 32 - bits];
    from += 2 ** bits;
  }
}

/** A hardware address as two words: its first four bytes, then its last two. @throws SetError */
export function parseMac(text: string): readonly number[] {
  const bytes = text.split(':');
  if (bytes.length !== 6 || !bytes.every((b) => /^[0-9a-fA-F]{1,2}$/.test(b)))
    throw new SetError(`cannot parse '${text}' as ethernet address`, text);
  const b = bytes.map((byte) => Number.parseInt(byte, 16));
  return [(b[0]! << 24) | (b[1]! << 16) | (b[2]! << 8) | b[3]!, (b[4]! << 8) | b[5]!];
}

/** As {@link parseMac} reads it. */
export function macText(high: number, low: number): string {
  const bytes = [high >>> 24, (high >>> 16) & 255, (high >>> 8) & 255, high & 255, low >>> 8, low & 255];
  return bytes.map((b) => b.toString(16).toUpperCase().padStart(2, '0')).join(':');
}
