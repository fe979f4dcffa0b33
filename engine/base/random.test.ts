import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from './random.ts';

const words = (seed: number, n: number): number[] => {
  const random = new Random(seed);
  return Array.from({ length: n }, () => random.word());
};

describe('Random', () => {
  test('repeats itself for a seed and differs for the next one', () => {
    expect(words(7, 100)).toEqual(words(7, 100));
    expect(words(7, 4)).not.toEqual(words(8, 4));
  });

  test('gives signed 32-bit words that never settle, whatever the seed', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const drawn = words(seed, 50);
        return drawn.every((w) => w === (w | 0)) && new Set(drawn).size === 50;
      }),
    );
  });

  test('sets each bit about half of the time', () => {
    const drawn = words(1, 4096);
    for (let bit = 0; bit < 32; bit++) {
      const set = drawn.filter((w) => (w >>> bit) & 1).length;
      expect(set, `bit ${bit}`).toBeGreaterThan(1850);
      expect(set, `bit ${bit}`).toBeLessThan(2250);
    }
  });

  test('draws every number below n and none else', () => {
    const random = new Random(3);
    const seen = new Set(Array.from({ length: 500 }, () => random.below(10)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(random.below(1)).toBe(0);
  });
});
