import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineReader } from './line-reader.ts';

test('lines come out whole however they are cut into pieces, characters of several bytes as well', () => {
  const line = fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\n', ' '));
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(20)), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
      const got: string[] = [];
      const reader = new LineReader(1 << 20, (text) => {
        got.push(text);
        return true;
      });
      let at = 0;
      for (let i = 0; at < bytes.length; i++) {
        const end = at + 1 + (cuts[i] ?? 1000);
        expect(reader.push(bytes.subarray(at, end))).toBe(true);
        at = end;
      }
      expect(got).toEqual(lines.map((text) => Buffer.from(text).toString()));
    }),
  );
});

test('a line that is too long is refused as soon as it is, in one piece or in many', () => {
  const lines: string[] = [];
  const make = (): LineReader =>
    new LineReader(10, (line) => {
      lines.push(line);
      return true;
    });
  expect(make().push(Buffer.from('0123456789\n'))).toBe(true);
  expect(make().push(Buffer.from('0123456789a'))).toBe(false);
  const reader = make();
  expect(reader.push(Buffer.from('01234'))).toBe(true);
  expect(reader.push(Buffer.from('56789'))).toBe(true);
  expect(reader.push(Buffer.from('a'))).toBe(false);
  expect(lines).toEqual(['0123456789']);
});

test('nothing behind a line that ends the reading is looked at', () => {
  const lines: string[] = [];
  const reader = new LineReader(100, (line) => {
    lines.push(line);
    return line !== 'stop';
  });
  expect(reader.push(Buffer.from('one\nstop\ntwo\n'))).toBe(true);
  expect(lines).toEqual(['one', 'stop']);
});
