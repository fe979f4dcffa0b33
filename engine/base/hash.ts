import { Random } from './random.ts';

/** The secret of a keyed hash: a start word and two odd multipliers. */
export interface HashKey {
  readonly start: number;
  readonly mulA: number;
  readonly mulB: number;
}

/** Draws a hash key. Tables keyed from an unknown seed cannot be flooded with colliding tuples. */
export function hashKey(seed: number): HashKey {
  const random = new Random(seed);
  return { start: random.word(), mulA: random.word() | 1, mulB: random.word() | 1 };
}

/**
 * Mixes one word into a hash. Two multiplications by secret odd numbers with a shift between: after one alone,
 * a flip of the top bit would stay a known difference that the next word could cancel, whatever the key.
 */
export function mix(h: number, word: number, key: HashKey): number {
  const x = Math.imul(h ^ word, key.mulA);
  return Math.imul(x ^ (x >>> 15), key.mulB);
}

/** Closes a hash: spreads the high bits into the low ones, which tables use as an index. */
export function finish(h: number): number {
  return h ^ (h >>> 16);
}
