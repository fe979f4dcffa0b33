import { BitwiseExpr } from '../rules/expr-bitwise.ts';
import type { ExprNode } from './ast-expr.ts';
import type { Out } from './lower-table.ts';
import { findField, findProtocol, vlanOffset } from './proto-table.ts';
import { toBytes } from './type-value.ts';

/** Where a header's field stands. */
export interface Place {
  /** NFT_PAYLOAD_*. */
  readonly base: number;
  /** Bits from the base. */
  readonly offset: number;
  readonly bits: number;
}

const BASES: Readonly<Record<string, number>> = { ll: 0, nh: 1, th: 2, ih: 3 };

/** Where a payload expression reads. */
export function placeOf(expr: ExprNode): Place | null {
  if ('rawPayload' in expr) {
    const { base, offset, len } = expr.rawPayload;
    return { base: BASES[base]!, offset, bits: len };
  }
  if (!('payload' in expr)) return null;
  const { protocol, field } = expr.payload;
  const desc = findProtocol(protocol)!;
  const found = findField(protocol, field)!;
  const offset = found.offset + (protocol === 'vlan' ? vlanOffset(0) : 0);
  return { base: BASES[desc.base]!, offset, bits: found.bits };
}

/** How a value stands in its register after loading. */
export interface Loaded {
  /** Bytes that were loaded. */
  readonly len: number;
  /** Bits right of the value in its last byte. */
  readonly shift: number;
}

/** Clears the bits around a field whose bytes are in a register. */
export function maskBits(out: Out, offset: number, bits: number, len: number, reg: number): Loaded {
  const shift = len * 8 - (offset & 7) - bits;
  if (bits === len * 8) return { len, shift: 0 };
  const mask = toBytes(((1n << BigInt(bits)) - 1n) << BigInt(shift), len * 8, 'big');
  out.exprs.push(new BitwiseExpr(reg, reg, len, mask, new Uint8Array(len)));
  return { len, shift };
}
