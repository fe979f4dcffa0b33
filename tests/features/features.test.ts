import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { coveragePage, coverageSummary } from './page.ts';

test('docs/coverage.md is what the tests have shown (npm run coverage writes it)', async () => {
  await expect(coveragePage()).toMatchFileSnapshot('../../docs/coverage.md');
});

test('the README sums it up', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  expect(readme).toContain(coverageSummary());
});
