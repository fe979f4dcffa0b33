import { expect, test } from 'vitest';
import { Pace } from './pace.ts';

test('what is quick is done again soon, what is slow in a twentieth of the time, at most every five seconds', () => {
  const pace = new Pace();
  expect(pace.isDue(0)).toBe(true);
  const waits = [1, 20, 1000].map((took) => {
    pace.done(50, 50 + took);
    let wait = 0;
    while (!pace.isDue(50 + took + wait)) wait++;
    return wait;
  });
  expect(waits).toEqual([100, 400, 5000]);
});
