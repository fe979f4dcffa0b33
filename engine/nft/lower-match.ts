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
import { constant, constantOf, type Info, numberOf } from './eval-scope.ts';
import { type Loaded, placeOf } from './lower-bits.ts';
import { constantBytes, NO_NUMBER, namesInterfaces, swaps, wildcardBytes } from './lower-bytes.ts';
import { pushFib } from './lower-host.ts';
import { load } from './lower-key.ts';
import { mapSet } from './lower-set.ts';
import type { Out } from './lower-table.ts';
import { IFNAME } from './type-datatype.ts';
import { toBytes } from './type-value.ts';

const CMP: Readonly<Record<string, number>> = {
  '==': NFT_CMP_EQ,
  '!=': NFT_CMP_NEQ,
  '<': NFT_CMP_LT,
  '>': NFT_CMP_GT,
  '<=': NFT_CMP_LTE,
  '>=': NFT_CMP_GTE,
};
const NAME_KEYS: Readonly<Record<string, string>> = { iif: 'iifname', oif: 'oifname', sdif: 'sdifname' };
const REG = 1;
const NAME: Info = { type: IFNAME, bits: 128, order: 'host' };

/** Lowers `left op right`. */
export function lowerMatch(out: Out, stmt: MatchStmt): void {
  const { match } = stmt;
  const { left, right } = byName(match.left, match.right);
  const { op } = match;
  if ('fib' in left && 'constant' in right && right.constant.type.base === 'integer' && isBoolean(right)) {
    pushFib(out, left, REG, true);
    out.exprs.push(new CmpExpr(REG, CMP[op]!, toBytes(numberOf(right) ?? 0n, 8, 'host')));
  } else if ('set' in right || 'setref' in right) lookup(out, left, right, op === '!=');
  else if ('prefix' in right) prefix(out, left, right, op);
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
  const lowered = mapSet(out, left, right);
  load(out, left, 0, lowered.swapped);
  out.exprs.push(new LookupExpr(lowered.set, REG, null, invert));
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

/**
 * Interfaces by number where rules name them: `iif "eth0"` compares the name instead, since which number an interface
 * has is only known where the packets are. `lo` is number 1 everywhere.
 */
export function byName(left: ExprNode, right: ExprNode): { left: ExprNode; right: ExprNode } {
  if ('concat' in left) return partsByName(left.concat, right) ?? { left, right };
  const named = nameKey(left);
  if (named === null || !namesInterfaces(right)) return { left, right };
  return { left: named, right: nameValues(right) };
}

/** The same part by part of a concatenation; null if there is nothing to do. */
function partsByName(
  parts: readonly ExprNode[],
  right: ExprNode,
): { left: ExprNode; right: ExprNode } | null {
  const keys = parts.map((part, i) => (namesInterfaces(right, i) ? nameKey(part) : null));
  if (keys.every((key) => key === null)) return null;
  const left = { concat: parts.map((part, i) => keys[i] ?? part) };
  const values = (node: ExprNode): ExprNode =>
    'concat' in node
      ? { concat: node.concat.map((part, i) => (keys[i] === null ? part : nameValues(part))) }
      : node;
  return { left, right: mapValues(right, values) };
}

function nameKey(left: ExprNode): ExprNode | null {
  if ('meta' in left) {
    const name = NAME_KEYS[left.meta.key];
    return name === undefined ? null : { meta: { key: name } };
  }
  return 'fib' in left && left.fib.result === 'oif' ? { fib: { ...left.fib, result: 'oifname' } } : null;
}

/** A value changed, or those of a set's elements, with all that belongs to them. */
function mapValues(node: ExprNode, change: (value: ExprNode) => ExprNode): ExprNode {
  if ('set' in node) return { set: node.set.map((one) => mapValues(one, change)) };
  if ('pair' in node) return { pair: [mapValues(node.pair[0], change), node.pair[1]] };
  return 'elem' in node ? { elem: { ...node.elem, val: change(node.elem.val) } } : change(node);
}

function nameValues(node: ExprNode): ExprNode {
  return mapValues(node, nameValue);
}

function nameValue(node: ExprNode): ExprNode {
  const value = constantOf(node);
  if (value === 1n) return constant(NAME, 'lo');
  // A number of another interface has no name here; no interface is called so.
  return constant(NAME, typeof value === 'string' ? value.replaceAll('*', '\\*') : `#${value}`);
}

/** What cannot be lowered at all. */
export function unknown(out: Out, why: string): void {
  out.exprs.push(new UnknownExpr(why));
}
