import { encodeUtf8 } from '../base/utf8.ts';
import type { ByteOrder, Datatype } from './type-datatype.ts';

/**
 * A constant's value: a number (of addresses the bytes in network order read as one number), or text for what is a
 * string: interface names and the like (a last `*` is a wildcard, `\*` a plain star), names of existing interfaces
 * where their index is meant, paths of cgroups.
 */
export type Value = bigint | string;

/** A constant whose type is known. */
export interface ConstantValue {
  readonly type: Datatype;
  /** Its length; the type's own where the type has one, else the expression's. */
  readonly bits: number;
  readonly value: Value;
}

/** A constant in an evaluated tree, in place of `symbol`, `number` and `boolean`. */
export interface ConstantExpr {
  readonly constant: ConstantValue;
  readonly at?: number | undefined;
}

/**
 * The bytes of a value as a register holds it.
 * @param value text is its UTF-8 bytes with zeros behind, whatever the order
 * @param bits length; bytes are rounded up
 * @param order of the bytes
 */
export function toBytes(value: Value, bits: number, order: ByteOrder): Uint8Array {
  const bytes = new Uint8Array((bits + 7) >> 3);
  if (typeof value === 'string') {
    bytes.set(encodeUtf8(value).subarray(0, bytes.length));
    return bytes;
  }
  const last = bytes.length - 1;
  // Four bytes at a time: every step of a bigint makes a new one.
  for (let i = 0, rest = value; i <= last; i += 4, rest >>= 32n) {
    let word = Number(BigInt.asUintN(32, rest));
    for (let j = i; j < i + 4 && j <= last; j++, word >>>= 8) bytes[order === 'big' ? last - j : j] = word;
  }
  return bytes;
}

/** The number that bytes of a register hold. */
export function fromBytes(bytes: Uint8Array, order: ByteOrder): bigint {
  const { length } = bytes;
  let value = 0n;
  let word = 0;
  for (let i = 0; i < length; i++) {
    word = ((word << 8) | bytes[order === 'big' ? i : length - 1 - i]!) >>> 0;
    const behind = length - 1 - i;
    if ((behind & 3) !== 0) continue;
    value = value === 0n ? BigInt(word) : (value << 32n) | BigInt(word);
    word = 0;
  }
  return value;
}
