import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ipv4Text, ipv6Text } from '../packet/address.ts';
import { viewOf } from '../packet/build-bytes.ts';
import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import { bytesOf } from './payload.ts';
import {
  addressBytes,
  hostPortBytes,
  newEnd,
  readAddress,
  readBareAddress,
  readHostPort,
} from './sip-address.ts';
import { SipText } from './sip-text.ts';

function text(letters: string): SipText {
  const bytes = bytesOf(letters);
  return new SipText(viewOf(bytes), 0, bytes.length);
}

function addressText(address: readonly number[]): string {
  const [a, b, c, d] = address;
  return address.length === 1 ? ipv4Text(a!) : ipv6Text(a!, b!, c!, d!);
}

/** What is read of a text: the address and what follows it. */
function bare(letters: string, family: number): string | null {
  const out = newEnd();
  return readBareAddress(text(letters), 0, family, out)
    ? `${addressText(out.address)}|${letters.slice(out.end)}`
    : null;
}

test.each([
  ['10.0.0.1', '10.0.0.1|'],
  ['010.000.00000.001', '10.0.0.1|'],
  ['10.0.0.1x', '10.0.0.1|x'],
  ['10.0.0.1:5', '10.0.0.1|:5'],
  ['10.0.0.1a', null],
  ['10.0.0.1.', null],
  ['10.0.0', null],
  ['10..0.1', null],
  ['256.0.0.1', null],
  [' 10.0.0.1', null],
  ['', null],
])('IPv4 address in %j', (letters, found) => {
  expect(bare(letters, AF_INET)).toBe(found);
});

test.each([
  ['::', '::|'],
  ['::1]', '::1|]'],
  ['fd00::7 x', 'fd00::7| x'],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8|'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0|'],
  ['0001:00002::', '1:2::|'],
  ['2001:db8::1.2.3.4:5', '2001:db8::102:304|:5'],
  ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304|'],
  ['1:2:3:4:5:6:7:8:', null],
  ['1:2:3:4:5:6:7:8::', null],
  ['1:2:3:4:5:6:7:1.2.3.4', null],
  ['1::2::3', null],
  [':::1', null],
  [':1', null],
  ['1:', null],
  ['1:2', null],
  ['12345::', null],
  ['::1:', null],
  ['::1.2.3', null],
  ['::1.', null],
  ['[::1]', null],
  ['', null],
])('IPv6 address in %j', (letters, found) => {
  expect(bare(letters, AF_INET6)).toBe(found);
});

test('brackets belong to an IPv6 address in a URI, and may in a parameter', () => {
  const length = (letters: string, isUri: boolean): number => {
    const out = newEnd();
    return readAddress(text(letters), 0, AF_INET6, isUri, out) ? out.end : -1;
  };
  expect([length('[::1]', true), length('::1', true), length('[::1', true)]).toEqual([5, -1, -1]);
  expect([length('[::1]', false), length('::1', false), length('[::1', false)]).toEqual([5, 3, 4]);
});

test.each([
  ['10.0.0.1>', 5060],
  ['10.0.0.1:1024>', 1024],
  ['10.0.0.1:65535>', 65535],
  ['10.0.0.1:05060>', 5060],
  ['10.0.0.1:5060x', 5060],
  ['10.0.0.1:005060>', null],
  ['10.0.0.1:1023>', null],
  ['10.0.0.1:65536>', null],
  ['10.0.0.1:>', null],
  ['10.0.0.1:x>', null],
  ['10.0.0.1:5060', null],
  ['10.0.0.1', null],
])('the port of %j is %s', (letters, port) => {
  const out = newEnd();
  expect(readHostPort(text(letters), 0, AF_INET, out) ? out.port : null).toBe(port);
});

test.each([
  [[0x20010db8, 0x00010000, 0x00005efe, 0x01020304], '2001:db8:1::5efe:1.2.3.4'],
  [[0x20010db8, 0x00010000, 0x02005efe, 0x01020304], '2001:db8:1:0:200:5efe:1.2.3.4'],
  [[0, 0, 0, 0x01020304], '::102:304'],
  [[0, 0, 0xffff, 0x01020304], '::ffff:1.2.3.4'],
  [[0, 0, 0, 2], '::2'],
  [[0x20010db8, 0, 0x00000001, 0], '2001:db8::1:0:0'],
])('%j is written as %s', (address, letters) => {
  expect(String.fromCharCode(...addressBytes(address, false))).toBe(letters);
});

test('what is written is read again, whatever the address', () => {
  const word = fc.oneof(fc.constantFrom(0, 1, -1, 0xffff, 0xffff0000 | 0), fc.integer());
  const address = fc.oneof(fc.tuple(word), fc.tuple(word, word, word, word));
  fc.assert(
    fc.property(address, fc.integer({ min: 1024, max: 65535 }), (words, port) => {
      const family = words.length === 1 ? AF_INET : AF_INET6;
      const out = newEnd();
      const host = String.fromCharCode(...hostPortBytes(words, port));
      expect(readHostPort(text(`${host}>`), 0, family, out)).toBe(true);
      expect([out.address, out.port, out.end]).toEqual([words, port, host.length]);
      const plain = String.fromCharCode(...addressBytes(words, false));
      expect(readBareAddress(text(plain), 0, family, out)).toBe(true);
      expect([out.address, out.end]).toEqual([words, plain.length]);
    }),
  );
});

test('no text is read beyond its end', () => {
  const letters = fc.string({ unit: fc.constantFrom(...'0123456789abf.:[]') });
  fc.assert(
    fc.property(letters, fc.boolean(), (one, isUri) => {
      for (const family of [AF_INET, AF_INET6]) {
        const out = newEnd();
        const t = text(one);
        if (readAddress(t, 0, family, isUri, out)) expect(out.end).toBeLessThanOrEqual(one.length);
        if (readHostPort(t, 0, family, out)) expect(out.end).toBeLessThan(one.length);
      }
    }),
  );
});
