import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ipv4Text, ipv6Text } from '../packet/address.ts';
import { LINE_ROOM, LineWriter, PieceTable, piece } from './line-writer.ts';

/** What is written between two marks: nothing may be lost before it or left behind it. */
function written(write: (out: LineWriter) => void): string {
  const out = new LineWriter();
  out.piece(piece('<<<<<<<<'));
  write(out);
  out.byte(0x3e);
  const text = out.toString();
  expect(text.slice(0, 8) + text.slice(-1)).toBe('<<<<<<<<>');
  return text.slice(8, -1);
}

const word = fc.oneof(
  fc.integer(),
  // Where the number of digits changes.
  fc.tuple(fc.nat(9), fc.integer({ min: -2, max: 2 })).map(([power, more]) => (10 ** power + more) | 0),
);
const group = fc.oneof(fc.constant(0), fc.constant(0xffff), fc.nat(0xffff), fc.nat(255), fc.nat(15));
const address = fc
  .array(group, { minLength: 8, maxLength: 8 })
  .map((g) => [0, 2, 4, 6].map((i) => (g[i]! << 16) | g[i + 1]!));

describe('the line writer writes numbers as String() does', () => {
  test('whole ones, unsigned', () => {
    fc.assert(
      fc.property(word, (n) => {
        expect(written((out) => out.uint(n))).toBe(String(n >>> 0));
      }),
    );
  });

  test('every one below 100 000', () => {
    const out = new LineWriter(600_000);
    let expected = '';
    for (let n = 0; n < 100_000; n++) {
      out.uint(n);
      expected += n;
    }
    expect(out.toString() === expected).toBe(true);
  });

  test('at the right of a column, which longer ones push aside', () => {
    fc.assert(
      fc.property(word, fc.integer({ min: -7, max: 8 }), (n, width) => {
        expect(written((out) => out.uintRight(n, width))).toBe(String(n >>> 0).padStart(width));
      }),
    );
  });

  test('behind their name', () => {
    fc.assert(
      fc.property(word, (n) => {
        expect(written((out) => out.field(piece(' length field '), n))).toBe(` length field ${n >>> 0}`);
      }),
    );
  });

  test('seconds with six digits behind the point, in a column', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(999_999), fc.integer({ min: 0, max: 15 }), (seconds, micros, width) => {
        const text = `${seconds}.${String(micros).padStart(6, '0')}`;
        expect(written((out) => out.seconds(seconds, micros, width))).toBe(text.padStart(width));
      }),
    );
  });

  test('three digits with leading zeros', () => {
    for (let n = 0; n < 1000; n++) expect(written((out) => out.three(n))).toBe(String(n).padStart(3, '0'));
  });

  test('in hex, with as many digits as asked for at least', () => {
    fc.assert(
      fc.property(word, fc.integer({ min: 1, max: 8 }), (n, least) => {
        expect(written((out) => out.hex(n, least))).toBe((n >>> 0).toString(16).padStart(least, '0'));
      }),
    );
  });
});

describe('the line writer writes addresses', () => {
  test('of IPv4 as ipv4Text does', () => {
    fc.assert(
      fc.property(word, (n) => {
        expect(written((out) => out.ipv4(n))).toBe(ipv4Text(n));
      }),
    );
  });

  test('of IPv4 with ports', () => {
    const port = fc.nat(0xffff);
    fc.assert(
      fc.property(word, port, word, port, (src, sport, dst, dport) => {
        expect(written((out) => out.ipv4Ends(src, sport, dst, dport))).toBe(
          `${ipv4Text(src)}:${sport} > ${ipv4Text(dst)}:${dport}`,
        );
      }),
    );
  });

  test('of IPv6 as ipv6Text does', () => {
    fc.assert(
      fc.property(address, ([a, b, c, d]) => {
        expect(written((out) => out.ipv6(a!, b!, c!, d!))).toBe(ipv6Text(a!, b!, c!, d!));
      }),
      { numRuns: 2000 },
    );
  });

  test('of IPv6 wherever their zero groups are', () => {
    for (let zeros = 0; zeros < 256; zeros++) {
      for (const other of [1, 0xffff, 0x20a]) {
        const g = Array.from({ length: 8 }, (_, i) => ((zeros >> i) & 1 ? 0 : other));
        const [a, b, c, d] = [0, 2, 4, 6].map((i) => (g[i]! << 16) | g[i + 1]!);
        expect(written((out) => out.ipv6(a!, b!, c!, d!))).toBe(ipv6Text(a!, b!, c!, d!));
      }
    }
  });
});

describe('the line writer writes text', () => {
  test('of any characters, as a piece or at once', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(written((out) => out.text(text))).toBe(text);
        expect(written((out) => out.piece(piece(text)))).toBe(text);
      }),
    );
  });

  test('as the same UTF-8 as TextEncoder, half of a surrogate pair too', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }), (text) => {
        const out = new LineWriter(8);
        out.text(text);
        expect(out.bytes.slice(0, out.at)).toEqual(new TextEncoder().encode(text));
      }),
    );
  });

  test('a piece of any length', () => {
    for (let length = 0; length < 100; length++) {
      const text = 'abcdefghij'.repeat(10).slice(0, length);
      expect(written((out) => out.piece(piece(text)))).toBe(text);
    }
  });

  test('of a table by its number, the same every time', () => {
    const table = new PieceTable((n) => `type ${n}`);
    for (const n of [7, 0, 7, 255, 300, 7])
      expect(written((out) => out.piece(table.of(n)))).toBe(`type ${n}`);
    expect(table.of(7)).toBe(table.of(7));
  });
});

describe('the line writer has room', () => {
  test('for as much as was asked for, what is there before stays', () => {
    const out = new LineWriter(1);
    let expected = '';
    for (let line = 0; line < 50; line++) {
      out.room(LINE_ROOM);
      for (let i = 0; i < LINE_ROOM / 8; i++) out.piece(piece('12345678'));
      expected += '12345678'.repeat(LINE_ROOM / 8);
    }
    expect(out.toString() === expected).toBe(true);
  });

  test('or throws: nothing is lost silently', () => {
    const out = new LineWriter(8);
    expect(() => {
      for (let i = 0; i < 100; i++) out.uint(-1);
    }).toThrow(RangeError);
  });
});
