import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8 } from './utf8.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

test('text is encoded as TextEncoder does it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(encodeUtf8(text)).toEqual(new TextEncoder().encode(text));
    }),
  );
  expect(encodeUtf8('\ud800x')).toEqual(new TextEncoder().encode('\ud800x'));
});

test('well-formed bytes are decoded as TextDecoder does it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const bytes = new TextEncoder().encode(text);
      expect(decodeUtf8(bytes, 0, bytes.length)).toBe(decoder.decode(bytes));
    }),
  );
});

test('other bytes become U+FFFD, exactly where TextDecoder sees them, too', () => {
  const byte = fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0x80, 0xbf, 0xc2, 0xe0, 0xed, 0xf0, 0xf4),
  );
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 20 }), (values) => {
      const bytes = new Uint8Array(values);
      const merged = (text: string): string => text.replaceAll(/\ufffd+/g, '\ufffd');
      expect(merged(decodeUtf8(bytes, 0, bytes.length))).toBe(merged(decoder.decode(bytes)));
    }),
    { numRuns: 5000 },
  );
});

test('only the given range is decoded', () => {
  const bytes = new TextEncoder().encode('aäb');
  expect(decodeUtf8(bytes, 1, 3)).toBe('ä');
  expect(decodeUtf8(bytes, 1, 2)).toBe('\ufffd');
});
