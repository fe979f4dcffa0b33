import { describe, expect, test } from 'vitest';
import { splitLine } from './words.ts';

function words(text: string): string[] {
  return splitLine(text, 'f', 1).map((word) => word.text);
}

describe('a line of iptables-restore', () => {
  test('is split at blanks and tabs', () => {
    expect(words('-A INPUT\t-j   ACCEPT  ')).toEqual(['-A', 'INPUT', '-j', 'ACCEPT']);
  });

  test('keeps what stands in double quotes together, with a backslash before the next character', () => {
    expect(words('--comment "a \\"b\\\\c \\x" -j')).toEqual(['--comment', 'a "b\\c x', '-j']);
  });

  test('ends a word where its quote is closed, and lets a quote open within a word', () => {
    expect(words('a"b c"d')).toEqual(['ab c', 'd']);
  });

  test('takes a single quote and a backslash outside quotes as they are', () => {
    expect(words("'a b' c\\d")).toEqual(["'a", "b'", 'c\\d']);
  });

  test('says where each word stands', () => {
    const [, second] = splitLine('-A  "IN"', 'rules', 7, 3);
    expect(second).toEqual({ text: 'IN', at: { file: 'rules', line: 7, col: 7, len: 4 } });
  });
});
