import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reasonOf } from '../base/reason.ts';
import { Talk } from './testing.mts';

function tlv(tag: number, ...parts: readonly (readonly number[])[]): number[] {
  const body = parts.flat();
  return [tag, body.length, ...body];
}

const OWN = [10, 0, 0, 1];
const OUTER = [203, 0, 113, 1];

/** A version 2c message whose variables are bound to these values. */
function message(pdu: number, ...values: readonly (readonly number[])[]): Uint8Array {
  const bindings = values.map((value) => tlv(0x30, tlv(6, [0x2b, 6, 1]), value));
  const numbers = [tlv(2, [7]), tlv(2, [0]), tlv(2, [0])];
  const body = tlv(pdu, ...numbers, tlv(0x30, ...bindings));
  return Uint8Array.from(tlv(0x30, tlv(2, [1]), tlv(4, [0x70]), body));
}

const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

test('snmp: the client’s address in a message is that which the server sees', () => {
  const talk = new Talk('snmp_trap', 'udp', 162, { masqueraded: true });
  const address = (bytes: number[]): number[] => tlv(0x40, bytes);
  const sent = message(0xa7, address(OWN), address([10, 0, 0, 2]), tlv(4, OWN), address(OWN));
  const wanted = message(0xa7, address(OUTER), address([10, 0, 0, 2]), tlv(4, OWN), address(OUTER));
  expect(talk.up(sent).text).toBe(text(wanted));
});

test('snmp: without translation nothing is read', () => {
  const talk = new Talk('snmp', 'udp', 161);
  expect(talk.up('nonsense').text).toBe('nonsense');
});

test.each([
  ['nonsense', Uint8Array.of(1, 2, 3)],
  ['an SNMPv1 trap', message(0xa4, tlv(5))],
  ['an address of three bytes', message(0xa7, tlv(0x40, [1, 2, 3]))],
  ['no variables', message(0xa7)],
  ['a message cut short', message(0xa7, tlv(5)).subarray(0, -1)],
])('snmp: %s is dropped if it would have to be translated', (_, bytes) => {
  const talk = new Talk('snmp_trap', 'udp', 162, { masqueraded: true });
  const heard = talk.up(bytes);
  expect(heard.text).toBe(null);
  expect(reasonOf(heard.pkt.reason).name).toBe('helper-snmp');
});

test('snmp: whatever is translated keeps its length and a right checksum', () => {
  const value = fc.oneof(
    fc.constant(tlv(0x40, OWN)),
    fc.uint8Array({ maxLength: 6 }).map((b) => tlv(4, [...b])),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), (values) => {
      const talk = new Talk('snmp_trap', 'udp', 162, { masqueraded: true });
      const { bytes } = talk.up(message(0xa7, ...values));
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      let sum = 17 + bytes.length - 20;
      for (let at = 12; at < bytes.length; at++) sum += bytes[at]! << (at % 2 === 0 ? 8 : 0);
      expect(sum % 0xffff).toBe(0);
      expect(view.getUint16(24)).toBe(bytes.length - 20);
    }),
    { numRuns: 30 },
  );
});
