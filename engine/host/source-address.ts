import { AF_INET } from '../packet/packet.ts';
import { commonBits, type Prefix } from './prefix.ts';

/** An address of a device, with the network it is in. */
export interface LocalAddress {
  readonly device: number;
  readonly prefix: Prefix;
}

/** The address at `at` as big-endian words: one for AF_INET, four for AF_INET6. */
export function wordsAt(family: number, view: DataView, at: number): number[] {
  const count = family === AF_INET ? 1 : 4;
  return Array.from({ length: count }, (_, i) => view.getInt32(at + 4 * i));
}

/** Writes the words of an address, big-endian. */
export function putWords(words: readonly number[], out: Uint8Array): void {
  words.forEach((word, i) => {
    for (let k = 0; k < 4; k++) out[4 * i + k] = (word >>> (24 - 8 * k)) & 255;
  });
}

/** Scope of an IPv6 address, as RFC 4291 numbers it: 1 this host, 2 link, 14 global. */
function scope6(words: readonly number[]): number {
  const [a = 0, b = 0, c = 0, d = 0] = words;
  if (a === 0 && b === 0 && c === 0 && d === 1) return 1;
  if (a >>> 24 === 0xff) return (a >>> 16) & 15;
  return a >>> 22 === 0xfe80 >>> 6 ? 2 : 14;
}

/** How well an address suits as a source, as the rules of RFC 6724 (section 5) that matter here have it. */
function rank6(candidate: LocalAddress, to: readonly number[], device: number): number {
  const { words } = candidate.prefix;
  const want = scope6(to);
  const have = scope6(words);
  // Rule 2: of the scopes that reach far enough the smallest, of the others the largest.
  const scope = have >= want ? 100 - (have - want) : have - 100;
  return scope * 1000 + (candidate.device === device ? 500 : 0) + commonBits(words, to);
}

/** Of IPv4: on the device, in the destination's network if one is; an address of 127/8 only for others of it. */
function rank4(candidate: LocalAddress, to: readonly number[], device: number): number {
  const { words, length } = candidate.prefix;
  if (words[0]! >>> 24 === 127 && to[0]! >>> 24 !== 127) return 0;
  const near = commonBits(words, to) >= length ? 1 : 0;
  return 1 + (candidate.device === device ? 2 + near : 0);
}

/**
 * The address that a packet of this machine's own is sent from; the first of those that suit equally well.
 * @param device number of the device that it leaves by
 */
export function pickSource(
  addresses: readonly LocalAddress[],
  family: number,
  to: readonly number[],
  device: number,
): readonly number[] | null {
  let best: readonly number[] | null = null;
  let bestRank = family === AF_INET ? 0 : Number.NEGATIVE_INFINITY;
  for (const candidate of addresses) {
    if (candidate.prefix.family !== family) continue;
    const rank = family === AF_INET ? rank4(candidate, to, device) : rank6(candidate, to, device);
    if (rank <= bestRank) continue;
    best = candidate.prefix.words;
    bestRank = rank;
  }
  return best;
}
