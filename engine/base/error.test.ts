import { expect, test } from 'vitest';
import { SourceError } from './error.ts';

const AT = { file: 'sysctl.conf', line: 12, col: 3, len: 5 };

test('a SourceError says file, line, column and what is wrong', () => {
  const error = new SourceError("unknown setting 'foo'", AT);
  expect(error.message).toBe("sysctl.conf:12:3: unknown setting 'foo'");
  expect(error.hint).toBeUndefined();
  expect(error.at).toEqual(AT);
});

test('a SourceError puts its hint in brackets behind the message', () => {
  const error = new SourceError('unknown', AT, "did you mean 'max'?");
  expect(error.message).toBe("sysctl.conf:12:3: unknown (did you mean 'max'?)");
  expect(error.hint).toBe("did you mean 'max'?");
});

test('a SourceError is an Error with its own name', () => {
  const error = new SourceError('x', AT);
  expect(error).toBeInstanceOf(Error);
  expect(String(error)).toMatch(/^SourceError: /);
});
