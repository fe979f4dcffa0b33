import { UnknownExpr } from '../rules/expr.ts';
import { BitwiseExpr, NFT_BITWISE_LSHIFT, NFT_BITWISE_RSHIFT, ShiftExpr } from '../rules/expr-bitwise.ts';
import { ByteorderExpr, NFT_BYTEORDER_HTON, NFT_BYTEORDER_NTOH } from '../rules/expr-byteorder.ts';
import { CtExpr } from '../rules/expr-ct.ts';
import { JhashExpr, SymhashExpr } from '../rules/expr-hash.ts';
import { LookupExpr } from '../rules/expr-lookup.ts';
import { MetaExpr } from '../rules/expr-meta.ts';
import { NFT_NG_INCREMENTAL, NFT_NG_RANDOM, NumgenExpr } from '../rules/expr-numgen.ts';
import { PayloadExpr } from '../rules/expr-payload.ts';
import type { ExprNode } from './ast-expr.ts';
import type { ObjectKind } from './ast-stmt.ts';
import { infoOf, soughtField } from './eval-key.ts';
import { numberOf, registerBytes } from './eval-scope.ts';
import { type Masking, maskWith } from './eval-value.ts';
import { ctKey } from './key-ct.ts';
import { metaKey } from './key-meta.ts';
import { type Loaded, maskBits, type Place, placeOf } from './lower-bits.ts';
import { NO_NUMBER, swaps } from './lower-bytes.ts';
import { loadHost } from './lower-host.ts';
import { lookedUp } from './lower-names.ts';
import { mapSet } from './lower-set.ts';
import { type LoweredSet, type Out, registerAt } from './lower-table.ts';
import type { ByteOrder } from './type-datatype.ts';
import { toBytes } from './type-value.ts';

/**
 * Loads what an expression yields into registers.
 * @param byte where among the registers' bytes
 * @param swap whether numbers in this machine's order are turned round
 * @param whole whether the value itself is wanted, in concatenations and where it is assigned: a field smaller than
 *   bytes is shifted to its place, and what is to be shifted is a number of this machine's before
 */
export function load(out: Out, expr: ExprNode, byte: number, swap = false, whole = false): Loaded {
  const reg = registerAt(byte);
  const info = infoOf(expr);
  const len = (info.bits + 7) >> 3;
  if ('concat' in expr) return loadConcat(out, expr.concat, byte, swap);
  if ('binop' in expr) return loadBinop(out, expr, byte, swap, whole);
  const place = placeOf(expr);
  if (place !== null) return loadBits(out, place, reg, whole);
  if ('meta' in expr) out.exprs.push(new MetaExpr(reg, metaKey(expr.meta.key)!.id));
  else if ('ct' in expr) {
    const dir = expr.ct.dir === undefined ? -1 : expr.ct.dir === 'original' ? 0 : 1;
    out.exprs.push(new CtExpr(reg, ctKey(expr.ct.key, expr.ct.family)!.id, dir));
  } else if ('map' in expr) loadMap(out, expr, byte);
  else if ('numgen' in expr) {
    const { mode, mod, offset } = expr.numgen;
    const type = mode === 'inc' ? NFT_NG_INCREMENTAL : NFT_NG_RANDOM;
    out.exprs.push(new NumgenExpr(reg, type, mod, offset ?? 0));
  } else if ('symhash' in expr)
    out.exprs.push(new SymhashExpr(reg, expr.symhash.mod, expr.symhash.offset ?? 0));
  else if ('jhash' in expr) {
    // The key's registers come behind the one for the result (measured).
    const key = load(out, expr.jhash.expr, byte + 16);
    const { mod, seed, offset } = expr.jhash;
    out.exprs.push(new JhashExpr(registerAt(byte + 16), reg, key.len, mod, seed ?? null, offset ?? 0));
  } else {
    const field = soughtField(expr);
    const shift = loadHost(out, expr, field, reg);
    if (shift !== null) return shift;
  }
  if (swap && swaps(info)) turnNumbers(out, reg, true, len);
  return { len, shift: 0 };
}

/** Turns the numbers in a register to the packet's order or to this machine's. */
export function turnNumbers(out: Out, reg: number, toBig: boolean, len: number): void {
  const op = toBig ? NFT_BYTEORDER_HTON : NFT_BYTEORDER_NTOH;
  out.exprs.push(new ByteorderExpr(reg, reg, op, len, len > 4 ? 8 : len));
}

/** In which order a whole value stands in its register: a shift brings it to this machine's. */
export function orderOf(expr: ExprNode): ByteOrder {
  if (!('binop' in expr)) return infoOf(expr).order;
  const { op, left } = expr.binop;
  return op === '<<' || op === '>>' ? 'host' : orderOf(left);
}

function loadConcat(out: Out, nodes: readonly ExprNode[], byte: number, swap: boolean): Loaded {
  let at = byte;
  for (const node of nodes) {
    load(out, node, at, swap, true);
    at += registerBytes(infoOf(node).bits);
  }
  return { len: at - byte, shift: 0 };
}

/** Loads the bytes that a field stands in, and clears what is not its own. */
function loadBits(out: Out, place: Place, reg: number, whole: boolean): Loaded {
  const { base, offset, bits } = place;
  const first = offset >> 3;
  const len = ((offset + bits + 7) >> 3) - first;
  out.exprs.push(new PayloadExpr(reg, base, first, len));
  const masked = maskBits(out, offset, bits, len, reg);
  if (!whole || masked.shift === 0) return masked;
  out.exprs.push(new ShiftExpr(reg, reg, len, NFT_BITWISE_RSHIFT, masked.shift));
  return { len, shift: 0 };
}

/** What a part of a chain of operations does: a masking, or a shift. */
interface Step extends Masking {
  shift: { op: number; bits: number } | null;
}

function loadBinop(out: Out, expr: ExprNode, byte: number, swap: boolean, whole: boolean): Loaded {
  const steps: Step[] = [];
  let inner: ExprNode = expr;
  const info = infoOf(expr);
  const all = (1n << BigInt(info.bits)) - 1n;
  const chain: ExprNode[] = [];
  while ('binop' in inner) {
    chain.unshift(inner);
    inner = inner.binop.left;
  }
  for (const one of chain)
    if ('binop' in one) addStep(steps, one.binop.op, numberOf(one.binop.right) ?? 0n, all);
  const loaded = load(out, inner, byte, false, whole);
  const reg = registerAt(byte);
  let { order } = info;
  for (const step of steps) {
    if (step.shift !== null) {
      if (whole && order === 'big' && loaded.len > 1) turnNumbers(out, reg, false, loaded.len);
      if (whole) order = 'host';
      out.exprs.push(new ShiftExpr(reg, reg, loaded.len, step.shift.op, step.shift.bits));
    } else {
      const mask = toBytes(step.mask << BigInt(loaded.shift), loaded.len * 8, order);
      const xor = toBytes(step.xor << BigInt(loaded.shift), loaded.len * 8, order);
      out.exprs.push(new BitwiseExpr(reg, reg, loaded.len, mask, xor));
    }
  }
  if (swap && swaps(info)) turnNumbers(out, reg, true, loaded.len);
  return loaded;
}

function addStep(steps: Step[], op: string, value: bigint, all: bigint): void {
  if (op === '<<' || op === '>>') {
    const way = op === '<<' ? NFT_BITWISE_LSHIFT : NFT_BITWISE_RSHIFT;
    steps.push({ mask: all, xor: 0n, shift: { op: way, bits: Number(value) } });
    return;
  }
  let step = steps.at(-1);
  if (step === undefined || step.shift !== null) {
    step = { mask: all, xor: 0n, shift: null };
    steps.push(step);
  }
  maskWith(step, op, value, all);
}

function loadMap(out: Out, expr: ExprNode & { map: { key: ExprNode; data: ExprNode } }, byte: number): void {
  const { key, data } = expr.map;
  const { set } = loadSetKey(out, key, data, byte);
  out.exprs.push(new LookupExpr(set, registerAt(byte), registerAt(byte)));
}

/**
 * Loads what is looked up in the set of a match or map, and gives that set.
 * @param objects the kind of objects that a map leads to
 */
export function loadSetKey(
  out: Out,
  key: ExprNode,
  data: ExprNode,
  byte: number,
  objects?: ObjectKind,
): LoweredSet {
  const lowered = mapSet(out, key, data, objects);
  loadKeyOf(out, lowered, key, byte);
  return lowered;
}

/**
 * Loads a key of a set, as that set holds its keys.
 * @param whole as {@link load} takes it: for what is added
 */
export function loadKeyOf(
  out: Out,
  { key: info, swapped }: LoweredSet,
  key: ExprNode,
  byte: number,
  whole: boolean = false,
): void {
  const sought = lookedUp(key, info);
  if (sought === null) out.exprs.push(new UnknownExpr(NO_NUMBER));
  else load(out, sought, byte, swapped, whole);
}
