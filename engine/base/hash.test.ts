import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashKey, hashWords } from './hash.ts';

const hash = (seed: number, a: number, b = 0, c = 0, d = 0): number => hashWords(hashKey(seed), a, b, c, d);

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

  test('never collides where only one word differs: its share is a permutation', () => {
    const key = hashKey(5);
    for (const at of [0, 1, 2, 3]) {
      const seen = new Set<number>();
      for (let w = 0; w < 50_000; w++) {
        const words: [number, number, number, number] = [1, 2, 3, 4];
        words[at] = w * 40_503;
        seen.add(hashWords(key, ...words));
      }
      expect(seen.size).toBe(50_000);
    }
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
