/** Aligned PER, value by value, as ITU-T X.691 has them encoded; and what Linux does otherwise (measured). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { viewOf } from '../packet/build-bytes.ts';
import { H323_USER_INFORMATION } from './h225-call.ts';
import { RAS_MESSAGE } from './h225-ras.ts';
import { H245_MESSAGE } from './h245.ts';
import {
  BOOLEAN,
  characters,
  choice,
  contained,
  integer,
  NULL,
  OBJECT_IDENTIFIER,
  OPEN,
  octets,
  optional,
  type PerType,
  STOP,
  sequence,
  sequenceOf,
} from './per.ts';
import { decode, PerReader, type PerValue } from './per-decode.ts';

/** Decodes a message given in hexadecimal digits. */
function read(type: PerType, hex: string): PerValue | null {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return decode(type, new PerReader(viewOf(bytes), 0, bytes.length));
}

const span = (at: number, length: number): PerValue => ({ at, length });

describe('a value of aligned PER', () => {
  test('a whole number takes as few bits as its range needs, or whole octets from 256 values on', () => {
    const pair = (type: PerType): PerType => sequence({ a: BOOLEAN, b: type });
    expect(read(pair(integer(1, 4)), 'e0')).toEqual({ a: true, b: 4 });
    expect(read(pair(integer(0, 255)), '80ff')).toEqual({ a: true, b: 255 });
    expect(read(pair(integer(1, 65535)), '000101')).toEqual({ a: false, b: 258 });
  });

  test('a number of more than two octets brings its length', () => {
    const type = sequence({ rate: integer(0, 4294967295), next: integer(0, 255) });
    expect(read(type, '40050007')).toMatchObject({ rate: 1280, next: 7 });
    expect(read(type, 'c00102030407')).toMatchObject({ rate: 0x01020304, next: 7 });
  });

  test('two octets of fixed length need not begin at a byte, more must', () => {
    expect(read(sequence({ a: BOOLEAN, b: octets(2, 2), c: BOOLEAN }), '810101')).toMatchObject({ c: false });
    expect(read(sequence({ a: BOOLEAN, b: octets(4, 4) }), '800a000001')).toMatchObject({ b: span(1, 4) });
  });

  test('letters of a small alphabet take four bits each', () => {
    const type = sequence({ a: characters(4, 1, 128), b: integer(0, 255) });
    expect(read(type, '04123007')).toMatchObject({ a: span(1, 2), b: 7 });
  });

  test('components that are left out have no bits but their mark', () => {
    const type = sequence({ a: optional(integer(0, 255)), b: optional(integer(0, 255)) });
    expect(read(type, '4007')).toEqual({ b: 7 });
    expect(read(type, '00')).toEqual({});
  });

  test('an addition stands behind its length, and is skipped if it is not known', () => {
    const type = sequence({ a: BOOLEAN }, { b: OPEN, c: integer(0, 255) });
    // extended, a, two additions, the second is there; then the same with both
    expect(read(type, 'c0 a0 01 07'.replaceAll(' ', ''))).toEqual({ a: true, c: 7 });
    expect(read(type, 'c0 e0 02 ff ff 01 07'.replaceAll(' ', ''))).toEqual({ a: true, c: 7 });
  });

  test('of an alternative that is not known nothing remains', () => {
    const type = sequence({ a: choice({ x: NULL, y: BOOLEAN }, {}), b: integer(0, 255) });
    expect(read(type, '60 07'.replaceAll(' ', ''))).toEqual({ a: { y: true }, b: 7 });
    expect(read(type, '82 02 ff ff 07'.replaceAll(' ', ''))).toEqual({ a: {}, b: 7 });
  });

  test('a message that ends too early is none', () => {
    const type = sequence({ a: octets(4, 4), b: sequenceOf(OBJECT_IDENTIFIER) });
    const whole = '0a000001020106020607';
    expect(read(type, whole)).toMatchObject({ b: [span(6, 1), span(8, 2)] });
    for (let end = 0; end < whole.length; end += 2) expect(read(type, whole.slice(0, end))).toBe(null);
  });
});

describe('where Linux does not follow X.691', () => {
  test('what follows a stop is not looked at', () => {
    const type = sequence({ a: integer(0, 255), stop: STOP, b: octets(16, 16) }, {});
    expect(read(type, '8007')).toEqual({ a: 7 });
  });

  test('a length of one octet at the very end is not read', () => {
    expect(read(sequenceOf(BOOLEAN), '00')).toBe(null);
    expect(read(sequenceOf(BOOLEAN), '0000')).toEqual([]);
  });

  test('an addition that is not known is skipped even where it is not there', () => {
    const type = sequence({ a: BOOLEAN }, { b: OPEN });
    const outer = sequence({ inner: type, next: integer(0, 255) });
    // two additions, neither is there: the octets of the second are taken from what comes next
    expect(read(outer, '80 40 01 ff 07'.replaceAll(' ', ''))).toMatchObject({ next: 7 });
  });

  test('no more than 32 additions are known of', () => {
    expect(read(sequence({}, {}), `9f${'00'.repeat(80)}`)).not.toBe(null);
    expect(read(sequence({}, {}), `a0${'00'.repeat(80)}`)).toBe(null);
  });

  test('a value may be longer than the octets that contain it', () => {
    const type = sequence({ a: contained(octets(4, 4)), b: integer(0, 255) });
    expect(read(type, '02010203040506')).toMatchObject({ a: span(1, 4), b: 3 });
  });
});

describe('hostile bytes', () => {
  const types = { H323_USER_INFORMATION, RAS_MESSAGE, H245_MESSAGE };
  test.each(Object.entries(types))('%s is read or not, and never beyond its end', (_, type) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(20), (bytes, tail) => {
        const end = Math.max(0, bytes.length - tail);
        const value = decode(type, new PerReader(viewOf(bytes), 0, end));
        const cut = decode(type, new PerReader(viewOf(bytes.slice(0, end)), 0, end));
        expect(value).toEqual(cut);
      }),
    );
  });

  test('contents that overlap are not read again and again', () => {
    // Each string says that it has one octet, which says that 16,129 more follow: half a billion values in all.
    const inner = sequenceOf(octets(1, 1));
    const bytes = Uint8Array.from({ length: 60000 }, (_, i) => (i % 2 === 0 ? 1 : 0xbf));
    bytes.set([0xbf, 0xff]);
    expect(decode(sequenceOf(contained(inner)), new PerReader(viewOf(bytes), 0, bytes.length))).toBe(null);
  });
});
