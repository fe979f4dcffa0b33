import { expect, test } from 'vitest';
import { meltedSizes } from './melt.ts';

test.each([
  ['nothing was brought together', [16, 16, 8], 0, 64, [16, 16, 8]],
  ['the first fragment alone was', [16, 16, 8], 16, 64, [16, 16, 8]],
  ['it ends at a fragment’s end', [16, 16, 8], 32, 64, [32, 8]],
  ['it ends within a fragment', [16, 16, 8], 24, 64, [24, 8, 8]],
  ['it ends at no multiple of eight', [16, 16, 8], 20, 64, [40]],
  ['it is all of it', [16, 16, 8], 40, 64, [40]],
  ['it is longer than any fragment was', [16, 16, 8], 24, 16, [16, 16, 8]],
])('fragments melt: %s', (_name, sizes, linear, most, out) => {
  expect(meltedSizes(sizes, linear, 40, most)).toEqual(out);
});
