import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NFPROTO_IPV4, NFPROTO_IPV6 } from '../rules/family.ts';
import { addressMask, addressText, maskLength, maskText, prefixMask } from './address.ts';

function listed(text: string, family = NFPROTO_IPV4): string {
  const { addr, mask } = addressMask(text, family);
  return addressText(addr) + maskText(mask);
}

describe('an address of a rule', () => {
  test.each([
    ['10', '10.0.0.0/32'],
    ['10.1/16', '10.1.0.0/16'],
    ['10.1.2.3/255.255.0.0', '10.1.0.0/16'],
    ['10.1.2.3/255.0.255.0', '10.0.2.0/255.0.255.0'],
    ['010.1.2.3', '8.1.2.3/32'],
  ])('%s is listed as %s', (text, expected) => {
    expect(listed(text)).toBe(expected);
  });

  test('of IPv6 keeps a mask that is no prefix', () => {
    expect(listed('fe80::1/ffff::ffff', NFPROTO_IPV6)).toBe('fe80::1/ffff::ffff');
  });

  test.each([
    ['10.1.2.300', "host/network `10.1.2.300' not found"],
    ['10.0.0.0/33', "invalid mask `33' specified"],
    ['example.com', "host/network `example.com' not found"],
  ])('%s is refused', (text, message) => {
    expect(() => addressMask(text, NFPROTO_IPV4)).toThrow(message);
  });

  test('every length of a prefix is found again in its mask', () => {
    fc.assert(
      fc.property(fc.constantFrom(NFPROTO_IPV4, NFPROTO_IPV6), fc.nat(128), (family, n) => {
        const length = family === NFPROTO_IPV4 ? n % 33 : n;
        expect(maskLength([...prefixMask(length, family)])).toBe(length);
      }),
    );
  });
});
