import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ipv4Text, ipv6FullText, ipv6Text, parseAddress } from './address.ts';

const word = fc.oneof(fc.constantFrom(0, 1, 0xffff, 0x10000, -1), fc.integer());
const text6 = (text: string): string => {
  const [a, b, c, d] = parseAddress(text)!;
  return ipv6Text(a!, b!, c!, d!);
};

describe('IPv4 addresses', () => {
  test('print the same from a signed and an unsigned word', () => {
    expect(ipv4Text(0xc0a80001)).toBe('192.168.0.1');
    expect(ipv4Text(0xc0a80001 | 0)).toBe('192.168.0.1');
    expect(ipv4Text(-1)).toBe('255.255.255.255');
  });

  test('come back from their text', () => {
    fc.assert(fc.property(fc.integer(), (w) => parseAddress(ipv4Text(w))?.[0] === w));
  });

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.-4',
    ' 1.2.3.4',
    '1.2.3.4 ',
    '1..3.4',
    '0x1.2.3.4',
  ])('are not %j', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

describe('IPv6 addresses', () => {
  // RFC 5952, sections 4 and 5, and what inet_ntop(3) of glibc prints.
  test.each([
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1', 'without leading zeros'],
    ['2001:DB8::A', '2001:db8::a', 'in lower case'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1', 'with the zeros shortened as far as they go'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1', 'with a single zero group spelled out'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1', 'with the longest run shortened'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1', 'with the first of two equal runs shortened'],
    ['0:0:0:0:0:0:0:0', '::', 'of zeros only'],
    ['0:0:0:0:0:0:0:1', '::1', 'that begin with zeros'],
    ['1:0:0:0:0:0:0:0', '1::', 'that end in zeros'],
    ['::ffff:c000:0201', '::ffff:192.0.2.1', 'mapped from IPv4, dotted'],
    ['::ffff:0:0', '::ffff:0.0.0.0', 'mapped from 0.0.0.0, dotted'],
    ['::c000:0201', '::192.0.2.1', 'compatible with IPv4, dotted'],
    ['::1:0', '::0.1.0.0', 'with six zero groups, dotted'],
    ['::ffff:0:c000:201', '::ffff:0:c000:201', 'translated from IPv4, not dotted'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201', 'of the well-known prefix, not dotted'],
    ['ff02::1:ff00:1', 'ff02::1:ff00:1', 'of multicast'],
  ])('%s print as %s: %s', (given, printed) => {
    expect(text6(given)).toBe(printed);
  });

  test('come back from their short and from their full text', () => {
    fc.assert(
      fc.property(word, word, word, word, (a, b, c, d) => {
        const words = [a, b, c, d].map((w) => w | 0);
        expect(parseAddress(ipv6Text(a, b, c, d))).toEqual(words);
        expect(parseAddress(ipv6FullText(a, b, c, d))).toEqual(words);
      }),
    );
  });

  test('print in full with eight groups of four digits', () => {
    expect(ipv6FullText(0xfd000001, 0, 0, 2)).toBe('fd00:0001:0000:0000:0000:0000:0000:0002');
    expect(ipv6FullText(-1, -1, -1, -1)).toBe('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff');
  });

  test.each([
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    '::1%eth0',
    '1.2.3.4::',
    '::1.2.3.4:5',
    '::1.2.3',
    ':1:2:3:4:5:6:7:8',
  ])('are not %j', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

test('parseAddress takes exactly what Node takes for an address', () => {
  const piece = fc.constantFrom('0', '1', 'ff', '1234', '::', ':', '.', '255', '256', '00', '1.2.3.4', 'x');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('');
      const family = { 0: undefined, 4: 1, 6: 4 }[isIP(text)];
      return parseAddress(text)?.length === family;
    }),
    { numRuns: 20_000 },
  );
});
