import { expect, test } from 'vitest';
import { counted } from './counted.ts';

test('one is not many, and none is', () => {
  const texts = [0, 1, 2].map((n) => [counted(n, 'rule'), counted(n, 'query', 'queries')]);
  expect(texts).toEqual([
    ['0 rules', '0 queries'],
    ['1 rule', '1 query'],
    ['2 rules', '2 queries'],
  ]);
});
