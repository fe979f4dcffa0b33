import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ipv6Text, parseAddress } from '../packet/address.ts';
import {
  bytesOf,
  type Cursor,
  findByte,
  findBytes,
  hasWord,
  readDecimal,
  readIpv4,
  readIpv6,
} from './payload.ts';

function cursor(text: string): Cursor {
  const bytes = bytesOf(text);
  return { view: new DataView(bytes.buffer), at: 0, end: bytes.length };
}

/** What was read, and what is left behind it. */
function read<T>(text: string, of: (c: Cursor) => T): readonly [T, string] {
  const c = cursor(text);
  const value = of(c);
  return [value, text.slice(c.at)];
}

describe('text of a payload', () => {
  test('a decimal number ends where its digits do, and overflows as the kernel’s integers', () => {
    expect(read('1025|x', readDecimal)).toEqual([1025, '|x']);
    expect(read('x', readDecimal)).toEqual([-1, 'x']);
    expect(read('', readDecimal)).toEqual([-1, '']);
    expect(read('4294967297', readDecimal)).toEqual([1, '']);
    expect(read('70000 ', (c) => readDecimal(c, 65536))).toEqual([4464, ' ']);
  });

  test('an IPv4 address has four numbers up to 255', () => {
    expect(read('192.168.1.5:80', readIpv4)).toEqual([0xc0a80105 | 0, ':80']);
    for (const text of ['192.168.1', '192.168.1.', '192.168.1.256', '192.168..5', 'x'])
      expect(read(text, readIpv4)[0]).toBe(null);
  });

  test('any IPv6 address is read back as it is written', () => {
    const word = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }), fc.integer());
    fc.assert(
      fc.property(fc.tuple(word, word, word, word), ([a, b, c, d]) => {
        const text = ipv6Text(a, b, c, d);
        expect(read(`${text}]`, readIpv6)).toEqual([parseAddress(text)!.map((w) => w | 0), ']']);
      }),
    );
  });

  test('what is no IPv6 address is none', () => {
    for (const text of [
      '',
      ':',
      '1',
      '1:2',
      ':::',
      '1::2::3',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:',
      '12345::',
      '::1.2.3',
    ])
      expect([text, read(`${text}|`, readIpv6)].flat()).not.toEqual([text, expect.anything(), '|']);
  });

  test('nothing is read past the end', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...':.0123456789abcdefF|') }),
        fc.nat({ max: 30 }),
        (text, cut) => {
          const whole = cursor(`${text}1:1.1`);
          const c = { ...whole, end: Math.min(cut, text.length) };
          readIpv6(c);
          expect(c.at).toBeLessThanOrEqual(c.end);
          expect(readIpv4({ ...c, at: 0 }) === null || c.end >= 7).toBe(true);
        },
      ),
    );
  });

  test('words are found in capital and small letters, bytes as they are', () => {
    const { view, end } = cursor('xPoRT port');
    expect([1, 6].map((at) => hasWord(view, at, end, bytesOf('port')))).toEqual([true, true]);
    expect(hasWord(view, 6, end - 1, bytesOf('port'))).toBe(false);
    expect([findBytes(view, 0, end, bytesOf('port')), findBytes(view, 0, end - 1, bytesOf('port'))]).toEqual([
      6, -1,
    ]);
    expect([findByte(view, 0, end, 0x20), findByte(view, 0, 5, 0x20)]).toEqual([5, -1]);
  });
});
