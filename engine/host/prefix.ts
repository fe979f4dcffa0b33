import { parseAddress } from '../packet/address.ts';
import { AF_INET, AF_INET6 } from '../packet/packet.ts';

/** A network: an address and how many of its bits count. */
export interface Prefix {
  /** AF_INET or AF_INET6. */
  readonly family: number;
  /** One big-endian word for IPv4, four for IPv6; bits past `length` as they were written. */
  readonly words: readonly number[];
  readonly length: number;
}

/** The bits that count in word `i` of an address under a prefix of `length` bits, as int32. */
export function maskWord(length: number, i: number): number {
  const bits = length - 32 * i;
  return bits >= 32 ? -1 : bits <= 0 ? 0 : -1 << (32 - bits);
}

/** The words with all bits past `length` cleared. */
export function networkWords(words: readonly number[], length: number): number[] {
  return words.map((word, i) => word & maskWord(length, i));
}

/**
 * Parses `203.0.113.1/24`, `2001:db8::/32`, or an address alone, which is one of all its bits.
 * @returns undefined if it is no such thing
 */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  const words = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (words === undefined) return undefined;
  const most = words.length * 32;
  const digits = slash < 0 ? String(most) : text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(digits) || Number(digits) > most) return undefined;
  return { family: words.length === 1 ? AF_INET : AF_INET6, words, length: Number(digits) };
}

/** How many bits two addresses of the same family have in common from the front. */
export function commonBits(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const differs = (a[i]! ^ b[i]!) | 0;
    if (differs !== 0) return i * 32 + Math.clz32(differs);
  }
  return a.length * 32;
}
