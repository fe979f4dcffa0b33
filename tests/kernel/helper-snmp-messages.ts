/** SNMP messages of a test, right and wrong ones (RFC 3416, X.690). */
import { addressBytes } from './dialogue-tcp.ts';
import type { Chance } from './helper-scene.ts';

const SEQUENCE = 0x30;
const CONSTRUCTED = 0x20;

/** A value with its tag and length, mostly encoded as one does. */
function value(chance: Chance, tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  const usual = length < 128 ? [length] : [0x81, length];
  const isZeroEnded = (tag & CONSTRUCTED) !== 0 && chance.below(12) === 0;
  const other = chance.of([usual, usual, usual, usual, usual, [0x81, length], [0x82, 0, length]]);
  const rare = chance.below(40) === 0 ? [0x83, 0, 0, length] : other;
  const shown = chance.below(40) === 0 ? tag ^ CONSTRUCTED : tag;
  const head = Buffer.from([shown, ...(isZeroEnded ? [0x80] : rare)]);
  return Buffer.concat([head, body, ...(isZeroEnded ? [Buffer.alloc(2)] : [])]);
}

function variable(chance: Chance, addresses: readonly string[]): Buffer {
  const four = Buffer.of(1, 2, 3, 4);
  switch (chance.below(12)) {
    case 0:
      return value(chance, 2, Buffer.of(5));
    case 1:
      return value(chance, 4, addressBytes(addresses[0]!));
    case 2:
      return value(chance, 6, Buffer.of(0x2b, 6));
    case 3:
      return value(chance, 5);
    case 4:
      return value(chance, chance.of([0x41, 0x42, 0x43, 0x44, 0x45, 0x46]), four);
    case 5:
      return value(chance, chance.of([0x80, 0x81, 0x82, 0x83]));
    case 6:
      return value(chance, chance.of([0x40, 0x40, 0x60, 1, 0x30]), four.subarray(0, chance.of([4, 4, 3])));
    default:
      return value(chance, 0x40, addressBytes(chance.of(addresses)));
  }
}

function binding(chance: Chance, addresses: readonly string[]): Buffer {
  // Odd and even lengths: an address may stand at any place.
  const name = value(chance, 6, Buffer.alloc(2 + chance.below(3), 0x2b));
  const more = chance.below(10) === 0 ? [variable(chance, addresses)] : [];
  const values = chance.below(30) === 0 ? [] : [variable(chance, addresses), ...more];
  return value(chance, SEQUENCE, name, ...values);
}

function pdu(chance: Chance, addresses: readonly string[]): Buffer {
  const count = chance.of([0, 1, 1, 1, 2, 2, 3]);
  const bindings = Array.from({ length: count }, () => binding(chance, addresses));
  const numbers = [7, 0, 0].map((n) => value(chance, 2, Buffer.alloc(chance.of([1, 1, 1, 2]), n)));
  const tag = chance.of([0xa0, 0xa1, 0xa2, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa7, 0xa8]);
  return value(chance, tag, ...numbers, value(chance, SEQUENCE, ...bindings));
}

/** A message, sometimes damaged. @param addresses what its variables are bound to */
export function snmpMessage(chance: Chance, addresses: readonly string[]): Uint8Array {
  const version = chance.of([[0], [1], [1], [1], [1], [2], [0, 1], []]);
  const more = chance.below(12) === 0 ? [pdu(chance, addresses)] : [];
  const parts = [
    value(chance, 2, Buffer.from(version)),
    value(chance, 4, Buffer.alloc(chance.below(8), 0x70)),
  ];
  const message = value(chance, SEQUENCE, ...parts, pdu(chance, addresses), ...more);
  const tail = Buffer.alloc(chance.below(10) === 0 ? 1 + chance.below(3) : 0, 1);
  const whole = Buffer.concat([message, tail]);
  return chance.below(4) === 0 ? chance.damage(whole, 1 + chance.below(2)) : whole;
}
