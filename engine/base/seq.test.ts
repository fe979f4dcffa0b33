import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { after, before } from './seq.ts';

describe('sequence numbers', () => {
  test('go on past 2^32 to 0', () => {
    expect(before(-1, 0)).toBe(true);
    expect(after(0, -1)).toBe(true);
    expect(before(0x7fffffff, -0x80000000)).toBe(true);
  });

  test('are neither before nor after themselves', () => {
    fc.assert(fc.property(fc.integer(), (a) => !before(a, a) && !after(a, a)));
  });

  test('are before everything that is 1 to 2^31-1 ahead, and after nothing of it', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 0x7fffffff }), (a, ahead) => {
        const b = (a + ahead) | 0;
        return before(a, b) && after(b, a) && !after(a, b) && !before(b, a);
      }),
    );
  });

  test('at the opposite end of the circle are both before and after', () => {
    // The kernel's before() is a signed difference too: 2^31 apart is negative either way.
    expect(before(0, -0x80000000)).toBe(true);
    expect(before(-0x80000000, 0)).toBe(true);
  });
});
