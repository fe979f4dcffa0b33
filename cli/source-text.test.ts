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

test('a line of a megabyte is shown around what is meant only', () => {
  const text = `${'a'.repeat(500_000)}HERE${'b'.repeat(500_000)}`;
  const error = new SourceError('not this', { file: 'r', line: 1, col: 500_001, len: 4 });
  const [head, line, carets] = sourceErrorText(error, text).split('\n') as [string, string, string];
  expect(head).toBe('r:1:500001-500004: Error: not this');
  expect(line.length).toBeLessThan(300);
  expect(line.slice(carets.indexOf('^'), carets.length)).toBe('HERE');
  expect([line[0], line.at(-1)]).toEqual(['…', '…']);
});

test('carets below a token of a megabyte end with the line that is shown', () => {
  const error = new SourceError('too long', { file: 'r', line: 1, col: 1, len: 1_000_000 });
  const [, line, carets] = sourceErrorText(error, 'x'.repeat(1_000_000)).split('\n') as string[];
  expect(line).toBe(`${carets!.replaceAll('^', 'x')}…`);
});

test('control characters of a file do not reach the terminal', () => {
  const error = new SourceError("unexpected '\x1b[2J'", { file: 'r', line: 1, col: 3, len: 1 });
  const text = sourceErrorText(error, 'a\0\x1b[2J\x9b\tb\r\n');
  expect(text).toBe("r:1:3-3: Error: unexpected '␛[2J'\na␀␛[2J�\tb\n  ^");
});
