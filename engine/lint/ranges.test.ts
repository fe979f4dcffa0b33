import fc from 'fast-check';
import { expect, test } from 'vitest';
import { complement, includes, intersect, isWithin, normalised, type Ranges } from './ranges.ts';

const MOST = 15n;
const range = fc
  .tuple(fc.bigInt(0n, MOST), fc.bigInt(0n, MOST))
  .map(([a, b]): [bigint, bigint] => (a < b ? [a, b] : [b, a]));
const ranges = fc.array(range, { maxLength: 4 }).map(normalised);

function values(of: Ranges): bigint[] {
  return Array.from({ length: Number(MOST) + 1 }, (_, i) => BigInt(i)).filter((v) => includes(of, v));
}

test('ranges are sets of numbers', () => {
  fc.assert(
    fc.property(ranges, ranges, (a, b) => {
      const inA = new Set(values(a));
      const inB = new Set(values(b));
      expect(values(complement(a, MOST))).toEqual(values([[0n, MOST]]).filter((v) => !inA.has(v)));
      expect(values(intersect(a, b))).toEqual([...inA].filter((v) => inB.has(v)));
      expect(isWithin(a, b)).toBe([...inA].every((v) => inB.has(v)));
    }),
  );
});
