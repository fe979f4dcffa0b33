import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { finish, hashKey, mix } from './hash.ts';

const hash = (seed: number, ...words: number[]): number => {
  const key = hashKey(seed);
  return finish(words.reduce((h, word) => mix(h, word, key), key.start));
};

describe('hash', () => {
  test('of the same words is the same under a key, and another under another key', () => {
    expect(hash(1, 10, 20)).toBe(hash(1, 10, 20));
    expect(hash(1, 10, 20)).not.toBe(hash(2, 10, 20));
  });

  test('is a 32-bit integer', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (seed, w) => {
        const h = hash(seed, w);
        return h === (h | 0);
      }),
    );
  });

  test('of one word never collides: mixing is a permutation', () => {
    const key = hashKey(5);
    const seen = new Set<number>();
    for (let w = 0; w < 100_000; w++) seen.add(finish(mix(key.start, w * 40_503, key)));
    expect(seen.size).toBe(100_000);
  });

  test('keeps no difference of one word that flipping a bit of the next could cancel, whatever the key', () => {
    // For each pair of bits, keys under which flipping both changes nothing must be rare.
    for (const first of [31, 30, 16, 15, 1, 0]) {
      for (let second = 0; second < 32; second++) {
        let same = 0;
        for (let seed = 0; seed < 200; seed++) {
          if (hash(seed, 0, 0) === hash(seed, 1 << first, 1 << second)) same++;
        }
        expect(same, `bits ${first} and ${second}`).toBeLessThan(3);
      }
    }
  });

  test('spreads neighbouring addresses over the low bits that index a table', () => {
    const buckets = new Int32Array(256);
    for (let host = 0; host < 16_384; host++) buckets[hash(9, 0x0a000000 + host, 0x0a010001) & 255]!++;
    // 64 are expected in each; a Poisson tail of 8 standard deviations.
    expect(Math.max(...buckets)).toBeLessThan(128);
    expect(Math.min(...buckets)).toBeGreaterThan(16);
  });
});
