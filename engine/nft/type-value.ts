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
    bytes.set(utf8(value).subarray(0, bytes.length));
    return bytes;
  }
  let rest = value;
  for (let i = 0; i < bytes.length; i++) {
    bytes[order === 'big' ? bytes.length - 1 - i : i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** The number that bytes of a register hold. */
export function fromBytes(bytes: Uint8Array, order: ByteOrder): bigint {
  let value = 0n;
  for (let i = 0; i < bytes.length; i++) {
    value = (value << 8n) | BigInt(bytes[order === 'big' ? i : bytes.length - 1 - i]!);
  }
  return value;
}

/** The UTF-8 bytes of a text (the engine has no TextEncoder). */
export function utf8(text: string): Uint8Array {
  const out: number[] = [];
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (code < 0x80) out.push(code);
    else if (code < 0x800) out.push(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
    else if (code < 0x10000) out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    else {
      out.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 0x3f));
      out.push(0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    }
  }
  return Uint8Array.from(out);
}
