import { Random } from './random.ts';

/** The secret of a keyed hash: for each of four words a mask and two odd multipliers, and one multiplier at last. */
export class HashKey {
  readonly maskA: number;
  readonly mulA: number;
  readonly mixA: number;
  readonly maskB: number;
  readonly mulB: number;
  readonly mixB: number;
  readonly maskC: number;
  readonly mulC: number;
  readonly mixC: number;
  readonly maskD: number;
  readonly mulD: number;
  readonly mixD: number;
  readonly last: number;

  /** @param random draws all of it */
  constructor(random: Random) {
    this.maskA = random.word();
    this.mulA = random.word() | 1;
    this.mixA = random.word() | 1;
    this.maskB = random.word();
    this.mulB = random.word() | 1;
    this.mixB = random.word() | 1;
    this.maskC = random.word();
    this.mulC = random.word() | 1;
    this.mixC = random.word() | 1;
    this.maskD = random.word();
    this.mulD = random.word() | 1;
    this.mixD = random.word() | 1;
    this.last = random.word() | 1;
  }
}

/** Draws a hash key. Tables keyed from an unknown seed cannot be flooded with colliding tuples. */
export function hashKey(seed: number): HashKey {
  return new HashKey(new Random(seed));
}

/**
 * One word's share. Two multiplications by secret odd numbers with a shift between: after one alone, a flip of
 * the top bit would stay a known difference that another word could cancel, whatever the key.
 */
function share(word: number, mask: number, mul: number, mix: number): number {
  const x = Math.imul(word ^ mask, mul);
  return Math.imul(x ^ (x >>> 15), mix);
}

/**
 * The hash of four words, an int32 of which all bits are good. Each word has multipliers of its own: where all
 * words share theirs, flipping bits of two neighbours cancels out too often (engine/conntrack/flood.test.ts).
 */
export function hashWords(key: HashKey, a: number, b: number, c: number, d: number): number {
  const h =
    share(a, key.maskA, key.mulA, key.mixA) ^
    share(b, key.maskB, key.mulB, key.mixB) ^
    share(c, key.maskC, key.mulC, key.mixC) ^
    share(d, key.maskD, key.mulD, key.mixD);
  const x = Math.imul(h ^ (h >>> 16), key.last);
  return x ^ (x >>> 15);
}
