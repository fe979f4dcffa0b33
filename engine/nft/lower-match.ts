import { UnknownExpr } from '../rules/expr.ts';
import { BitwiseExpr } from '../rules/expr-bitwise.ts';
import {
  CmpExpr,
  NFT_CMP_EQ,
  NFT_CMP_GT,
  NFT_CMP_GTE,
  NFT_CMP_LT,
  NFT_CMP_LTE,
  NFT_CMP_NEQ,
} from '../rules/expr-cmp.ts';
import { LookupExpr } from '../rules/expr-lookup.ts';
import { PayloadExpr } from '../rules/expr-payload.ts';
import { NFT_RANGE_NEQ, RangeExpr } from '../rules/expr-range.ts';
import type { ExprNode } from './ast-expr.ts';
import type { MatchOp, MatchStmt } from './ast-stmt.ts';
import { isWildcard } from './eval-interval.ts';
import { infoOf } from './eval-key.ts';
import { type Info, numberOf } from './eval-scope.ts';
import { type Loaded, placeOf } from './lower-bits.ts';
import { constantBytes, NO_NUMBER, namesInterfaces, swaps, wildcardBytes } from './lower-bytes.ts';
import { pushFib } from './lower-host.ts';
import { load, loadSetKey } from './lower-key.ts';
import { byName } from './lower-names.ts';
import type { Out } from './lower-table.ts';
import { toBytes } from './type-value.ts';

const CMP: Readonly<Record<string, number>> = {
  '==': NFT_CMP_EQ,
  '!=': NFT_CMP_NEQ,
  '<': NFT_CMP_LT,
  '>': NFT_CMP_GT,
  '<=': NFT_CMP_LTE,
  '>=': NFT_CMP_GTE,
};
const REG = 1;

/** Lowers `left op right`. */
export function lowerMatch(out: Out, stmt: MatchStmt): void {
  const { match } = stmt;
  const { op } = match;
  if ('set' in match.right || 'setref' in match.right) {
    lookup(out, match.left, match.right, op === '!=');
    return;
  }
  const { left, right } = byName(match.left, match.right);
  if ('fib' in left && 'constant' in right && right.constant.type.base === 'integer' && isBoolean(right)) {
    pushFib(out, left, REG, true);
    out.exprs.push(new CmpExpr(REG, CMP[op]!, toBytes(numberOf(right) ?? 0n, 8, 'host')));
  } else if ('prefix' in right) prefix(out, left, right, op);
  else if ('range' in right) range(out, left, right, op);
  else if (op === 'in' || op === '!') flags(out, left, right, op);
  else compare(out, left, right, op);
}

function isBoolean(node: ExprNode): boolean {
  return 'constant' in node && node.constant.type.notation === 'boolean';
}

/** Compares the bits that are a field's own with a value. */
function compare(out: Out, left: ExprNode, right: ExprNode, op: MatchOp): void {
  const info = infoOf(left);
  const ordered = op !== '==' && op !== '!=';
  const swap = ordered && swaps(info);
  if (namesInterfaces(right)) unknown(out, NO_NUMBER);
  const loaded = load(out, left, 0, swap);
  out.exprs.push(new CmpExpr(REG, CMP[op]!, valueBytes(right, info, loaded, swap)));
}

function valueBytes(node: ExprNode, info: Info, loaded: Loaded, swap: boolean): Uint8Array {
  if (isWildcard(node)) return wildcardBytes(node);
  return constantBytes(
    node,
    info,
    swap ? 'big' : info.order,
    loaded.shift,
    info.bits === loaded.len * 8 ? 0 : loaded.len,
  );
}

function lookup(out: Out, left: ExprNode, right: ExprNode, invert: boolean): void {
  const { set } = loadSetKey(out, left, right, 0);
  out.exprs.push(new LookupExpr(set, REG, null, invert));
}

function prefix(
  out: Out,
  left: ExprNode,
  right: ExprNode & { prefix: { addr: ExprNode; len: number } },
  op: MatchOp,
): void {
  const info = infoOf(left);
  const { addr, len } = right.prefix;
  const place = placeOf(left);
  const whole = info.order === 'big' && len > 0 && len % 8 === 0;
  if (len === info.bits) {
    compare(out, left, addr, op);
  } else if (whole && place !== null && place.offset % 8 === 0) {
    // Only the bytes that the prefix is about are read (measured).
    out.exprs.push(new PayloadExpr(REG, place.base, place.offset >> 3, len >> 3));
    out.exprs.push(new CmpExpr(REG, CMP[op]!, constantBytes(addr, info).subarray(0, len >> 3)));
  } else if (whole) {
    load(out, left, 0);
    out.exprs.push(new CmpExpr(REG, CMP[op]!, constantBytes(addr, info).subarray(0, len >> 3)));
  } else {
    const loaded = load(out, left, 0);
    const rest = BigInt(info.bits - len);
    const mask = (((1n << BigInt(len)) - 1n) << rest) << BigInt(loaded.shift);
    const bytes = toBytes(mask, loaded.len * 8, info.order);
    out.exprs.push(new BitwiseExpr(REG, REG, loaded.len, bytes, new Uint8Array(loaded.len)));
    out.exprs.push(new CmpExpr(REG, CMP[op]!, valueBytes(addr, info, loaded, false)));
  }
}

function range(
  out: Out,
  left: ExprNode,
  right: ExprNode & { range: readonly [ExprNode, ExprNode] },
  op: MatchOp,
): void {
  const info = infoOf(left);
  const swap = swaps(info);
  const loaded = load(out, left, 0, swap);
  const low = valueBytes(right.range[0], info, loaded, swap);
  const high = valueBytes(right.range[1], info, loaded, swap);
  if (op === '!=') out.exprs.push(new RangeExpr(REG, NFT_RANGE_NEQ, low, high));
  else out.exprs.push(new CmpExpr(REG, NFT_CMP_GTE, low), new CmpExpr(REG, NFT_CMP_LTE, high));
}

function flags(out: Out, left: ExprNode, right: ExprNode, op: 'in' | '!'): void {
  const info = infoOf(left);
  const loaded = load(out, left, 0);
  const mask = valueBytes(right, info, loaded, false);
  out.exprs.push(new BitwiseExpr(REG, REG, loaded.len, mask, new Uint8Array(loaded.len)));
  const cmp = op === 'in' ? NFT_CMP_NEQ : NFT_CMP_EQ;
  out.exprs.push(new CmpExpr(REG, cmp, new Uint8Array(loaded.len)));
}

/** What cannot be lowered at all. */
export function unknown(out: Out, why: string): void {
  out.exprs.push(new UnknownExpr(why));
}
