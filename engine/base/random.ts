/**
 * A seeded source of 32-bit words (xorshift32 over a splitmix start). The engine's only randomness: equal
 * seeds give equal runs. Not for secrets.
 */
export class Random {
  /** Where it stands: one that is set to the state of another goes on as that one. Never 0. */
  state: number;

  /** @param seed any 32-bit number */
  constructor(seed: number) {
    let z = (seed + 0x9e3779b9) | 0;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    this.state = (z ^ (z >>> 16)) | 1;
  }

  /** The next word, as a signed 32-bit integer. */
  word(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x;
  }

  /** A whole number from 0 to `n` - 1. */
  below(n: number): number {
    return (this.word() >>> 0) % n;
  }
}
