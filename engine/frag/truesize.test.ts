import { expect, test } from 'vitest';
import { truesize } from './truesize.ts';

test('a fragment is charged with what Linux charges for one from a TUN device', () => {
  // Read from /proc/net/sockstat, one fragment at a time.
  const measured = [
    [28, 832],
    [188, 832],
    [196, 1280],
    [636, 1280],
    [644, 2304],
    [1500, 2304],
    [1660, 2304],
    [1668, 4352],
    [3708, 4352],
    [3716, 8448],
    [6020, 8448],
    [8020, 12544],
    [12020, 16640],
    [16404, 20736],
    [30020, 33024],
    [32788, 37120],
    [60020, 61696],
    [65524, 69888],
  ];
  expect(measured.map(([length]) => [length, truesize(length!)])).toEqual(measured);
});
