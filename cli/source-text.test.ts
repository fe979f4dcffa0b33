import { SourceError } from '@keepstate/engine';
import { expect, test } from 'vitest';
import { sourceErrorText } from './source-text.ts';

test('an error shows its line with carets below the word, and the suggestion', () => {
  const text = 'table ip t {\n\tchain c {\n\t\tct state establishd accept\n';
  const error = new SourceError(
    "unknown ct state 'establishd'",
    { file: 'r.nft', line: 3, col: 12, len: 10 },
    "did you mean 'established'?",
  );
  expect(sourceErrorText(error, text)).toBe(
    [
      "r.nft:3:12-21: Error: unknown ct state 'establishd'",
      '\t\tct state establishd accept',
      '\t\t         ^^^^^^^^^^',
      "did you mean 'established'?",
    ].join('\n'),
  );
});

test('an error at the end of a line, or in a file that is not at hand, has its position all the same', () => {
  const error = new SourceError('unexpected end of file', { file: 'r.nft', line: 1, col: 4, len: 0 });
  expect(sourceErrorText(error, 'abc')).toBe('r.nft:1:4-4: Error: unexpected end of file\nabc\n   ^');
  expect(sourceErrorText(error, null)).toBe('r.nft:1:4-4: Error: unexpected end of file');
});
