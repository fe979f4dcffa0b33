/** Writes docs/coverage.md and the README's summary from the tests' results: the second half of `npm run coverage`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { coveragePage, coverageSummary } from './page.ts';

const README = new URL('../../README.md', import.meta.url);
const BEGIN = '<!-- coverage: npm run coverage -->\n';
const END = '<!-- /coverage -->';

writeFileSync(new URL('../../docs/coverage.md', import.meta.url), coveragePage());
const text = readFileSync(README, 'utf8');
const from = text.indexOf(BEGIN) + BEGIN.length;
const to = text.indexOf(END);
writeFileSync(README, `${text.slice(0, from)}\n${coverageSummary()}\n${text.slice(to)}`);
