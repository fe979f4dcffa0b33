import type { BinopExpr, ExprNode, RawTcpOptionExpr } from './ast-expr.ts';
import type { MatchOp, MatchStmt } from './ast-stmt.ts';
import { prefixLength } from './eval-interval.ts';
import { infoOf, SHIFT } from './eval-key.ts';
import { isNamed, movedValues, namedPayload, rawTarget, retyped } from './eval-raw.ts';
import { constant, type Headers, type Info, numberOf } from './eval-scope.ts';
import { hasPrefixes, type Masking, maskWith } from './eval-value.ts';
import { tcpOptions } from './key-exthdr.ts';
import { keyPlace } from './lower-set.ts';
import { RAW_INTEGER } from './type-datatype.ts';

/** An expression that is read from the packet, as nft lists it. */
export function normalKey(expr: ExprNode, headers: Headers): ExprNode {
  if ('concat' in expr) {
    const parts = expr.concat.map((part) => concatPart(normalKey(part, headers)));
    return parts.every((part, i) => part === expr.concat[i]) ? expr : { concat: parts, at: expr.at };
  }
  if ('binop' in expr) return normalBinop(expr, headers);
  if ('map' in expr) {
    return { map: normalMapping(expr.map.key, expr.map.data, headers), at: expr.at };
  }
  if ('elem' in expr) return { elem: { ...expr.elem, val: normalKey(expr.elem.val, headers) }, at: expr.at };
  if ('jhash' in expr) return { jhash: { ...expr.jhash, expr: normalKey(expr.jhash.expr, headers) } };
  if ('ct' in expr) {
    const { key, family } = expr.ct;
    // The listing has no direction for these two (measured).
    return expr.ct.dir !== undefined && (key === 'protocol' || key === 'l3proto')
      ? { ct: { key, family }, at: expr.at }
      : expr;
  }
  if ('exthdr' in expr && expr.exthdr.name === 'rt0' && expr.exthdr.field !== undefined)
    return { exthdr: { ...expr.exthdr, name: 'srh', field: expr.exthdr.field.replace('addr', 'sid') } };
  if ('tcp option' in expr && expr['tcp option'].name === 'sack0')
    return { 'tcp option': { ...expr['tcp option'], name: 'sack' } };
  if ('rawTcpOption' in expr) return namedOption(expr);
  return namedPayload(expr, headers);
}

/** The key and the elements of a map as nft lists them. */
export function normalMapping(
  key: ExprNode,
  data: ExprNode,
  headers: Headers,
): { key: ExprNode; data: ExprNode } {
  const target = rawTarget(key, headers);
  const written = target?.key ?? key;
  const normal = normalKey(written, headers);
  const elements = normalSet(target === null ? data : movedValues(data, target));
  return { key: flagOperands(normal, infoOf(normal)), data: retyped(elements, written, normal) };
}

/** A part of a TCP option by its name. */
function namedOption(expr: RawTcpOptionExpr): ExprNode {
  const { base, offset, len } = expr.rawTcpOption;
  const option = tcpOptions().find((one) => one.id === base);
  for (const field of option?.fields.values() ?? [])
    if (field.offset === offset && field.bits === len)
      return { 'tcp option': { name: option!.name, field: field.name }, at: expr.at };
  return expr;
}

/** A field smaller than a byte is shifted to its place in a concatenation, and listed so (measured). */
export function concatPart(expr: ExprNode): ExprNode {
  if ('binop' in expr) return expr;
  const { len, shift } = keyPlace(expr);
  if (len !== 1 || shift === 0) return expr;
  return { binop: { op: '>>', left: expr, right: constant(SHIFT, BigInt(shift)) } };
}

/** What the kernel does with a chain of operations on bits, as nft writes it: one mask, one xor, one or. */
function normalBinop(expr: BinopExpr, headers: Headers): ExprNode {
  const chain: BinopExpr[] = [];
  let inner: ExprNode = expr;
  while ('binop' in inner) {
    chain.unshift(inner);
    inner = inner.binop.left;
  }
  let left = normalKey(inner, headers);
  // Raw bytes that turn out to be a field have masks of the field's type: `th sport & 4095` (measured).
  const info = infoOf('rawPayload' in inner ? left : expr);
  const all = (1n << BigInt(info.bits)) - 1n;
  let masking: Masking = { mask: all, xor: 0n };
  for (const one of chain) {
    const { op, right } = one.binop;
    if (op === '<<' || op === '>>') {
      left = { binop: { op, left: maskedBy(left, masking, all, info), right } };
      masking = { mask: all, xor: 0n };
    } else maskWith(masking, op, numberOf(right) ?? 0n, all);
  }
  return maskedBy(left, masking, all, info);
}

function maskedBy(left: ExprNode, { mask, xor }: Masking, all: bigint, info: Info): ExprNode {
  const or = xor & (all ^ mask);
  const flip = xor & mask;
  let out = left;
  if ((mask | or) !== all) out = { binop: { op: '&', left: out, right: constant(info, mask | or) } };
  if (flip !== 0n) out = { binop: { op: '^', left: out, right: constant(info, flip) } };
  if (or !== 0n) out = { binop: { op: '|', left: out, right: constant(info, or) } };
  return out;
}

/** The single bits of flags, lowest first. */
function bitsIn(value: bigint): bigint[] {
  const out: bigint[] = [];
  for (let bit = 1n; bit <= value; bit <<= 1n) if ((value & bit) !== 0n) out.push(bit);
  return out;
}

/** Whether each bit of a value has a name, or a number as those of labels have. */
function hasFlags({ type }: Info): boolean {
  return type.base === 'bitmask' && (type.symbols !== null || type.notation === 'label');
}

/** Flags as `a,b`; anything else stays. */
export function flagList(node: ExprNode): ExprNode {
  const info = infoOf(node);
  const value = numberOf(node);
  const bits = value === undefined || !hasFlags(info) ? [] : bitsIn(value);
  return bits.length < 2 ? node : { list: bits.map((bit) => constant(info, bit)) };
}

/** Flags as `a | b`. */
export function flagBinop(node: ExprNode, info: Info): ExprNode {
  const value = numberOf(node);
  const bits = value === undefined || !hasFlags(info) ? [] : bitsIn(value);
  if (bits.length < 2) return node;
  let out: ExprNode = constant(info, bits[0]!);
  for (const bit of bits.slice(1)) out = { binop: { op: '|', left: out, right: constant(info, bit) } };
  return out;
}

/** The elements of a set in braces as nft lists them. */
function normalSet(node: ExprNode): ExprNode {
  return 'set' in node ? { set: node.set.map(normalElement), at: node.at } : node;
}

/** An element as nft lists it: several flags as `a | b`. */
export function normalElement(node: ExprNode): ExprNode {
  if ('pair' in node)
    return { pair: [normalElement(node.pair[0]), normalElement(node.pair[1])], at: node.at };
  if ('elem' in node) return { elem: { ...node.elem, val: normalElement(node.elem.val) }, at: node.at };
  if ('concat' in node) return { concat: node.concat.map(normalElement), at: node.at };
  return 'constant' in node && node.constant.type.base === 'bitmask' ? flagBinop(node, infoOf(node)) : node;
}

/** A match as nft lists it, apart from the names of raw bytes. */
export function normalMatch(stmt: MatchStmt, headers: Headers): MatchStmt {
  const { op } = stmt.match;
  const left = normalKey(stmt.match.left, headers);
  const right = retyped(normalSet(stmt.match.right), stmt.match.left, left);
  const info = infoOf(isNamed(stmt.match.left, left) ? left : stmt.match.left);
  if (info.type.base === 'bitmask') return flagMatch(stmt, left, right, info);
  if ('prefix' in right) return prefixMatch(stmt, left, right, info);
  const masked = 'binop' in left && left.binop.op === '&' ? left.binop : null;
  const mask = masked === null ? undefined : numberOf(masked.right);
  const value = numberOf(right);
  if (masked !== null && mask !== undefined && value !== undefined && (op === '==' || op === '!=')) {
    const all = (1n << BigInt(info.bits)) - 1n;
    const len = hasPrefixes(info.type) ? maskLength(mask, all, info.bits) : -1;
    if (len >= 0) return rebuilt(stmt, op, masked.left, { prefix: { addr: right, len } });
  }
  return rebuilt(stmt, op, left, right);
}

/** The length of the prefix that a mask is for, -1 if for none. */
function maskLength(mask: bigint, all: bigint, bits: number): number {
  return mask === 0n ? 0 : prefixLength({ low: mask, high: all }, bits);
}

function rebuilt(stmt: MatchStmt, op: MatchOp, left: ExprNode, right: ExprNode): MatchStmt {
  return { match: { op, left, right }, at: stmt.at };
}

function prefixMatch(
  stmt: MatchStmt,
  left: ExprNode,
  right: ExprNode & { prefix: { addr: ExprNode; len: number } },
  info: Info,
): MatchStmt {
  const { op } = stmt.match;
  const { addr, len } = right.prefix;
  if (len === info.bits) return rebuilt(stmt, op, left, addr);
  // Of a prefix that ends with a byte only those bytes are tested, and it comes back as a prefix whatever the type.
  const bytes =
    ('payload' in left || ('binop' in left && info.type === RAW_INTEGER)) &&
    info.order === 'big' &&
    len > 0 &&
    len % 8 === 0;
  if (hasPrefixes(info.type) || bytes) return rebuilt(stmt, op, left, right);
  const mask = ((1n << BigInt(len)) - 1n) << BigInt(info.bits - len);
  return rebuilt(stmt, op, { binop: { op: '&', left, right: constant(info, mask) } }, addr);
}

/** Matches of flags: `x & a != 0` is `x a`, `x & (a | b) == a` is `x a / a,b`. */
function flagMatch(stmt: MatchStmt, left: ExprNode, right: ExprNode, info: Info): MatchStmt {
  const { op } = stmt.match;
  const value = numberOf(right);
  if (op === 'in' || op === '!') {
    // A mask of all bits is none.
    const all = value === (1n << BigInt(info.bits)) - 1n;
    if (all) return rebuilt(stmt, op === 'in' ? '!=' : '==', left, constant(info, 0n));
    return rebuilt(stmt, op, left, flagList(right));
  }
  const masked =
    'binop' in left && left.binop.op === '&' && !('binop' in left.binop.left) ? left.binop : null;
  if (masked === null || value === undefined) {
    const plain = 'payload' in left ? right : flagRange(right, info);
    return rebuilt(stmt, op, flagOperands(left, info), plain);
  }
  const equality = op === '==' || op === '!=';
  if (equality && value === 0n) {
    const mask = flagList(masked.right);
    return rebuilt(stmt, op === '==' ? '!' : 'in', masked.left, mask);
  }
  if (!equality) return rebuilt(stmt, op, flagOperands(left, info), flagBinop(right, info));
  const mask = flagList(masked.right);
  const both = { binop: { op: masked.op, left: masked.left, right: mask } };
  return rebuilt(stmt, op, both, flagList(right));
}

/** Flags as `a | b`, also at the ends of a range. */
function flagRange(node: ExprNode, info: Info): ExprNode {
  if (!('range' in node)) return flagBinop(node, info);
  return { range: [flagBinop(node.range[0], info), flagBinop(node.range[1], info)], at: node.at };
}

/** Operations on flags, with the flags as `a | b`. */
function flagOperands(left: ExprNode, info: Info): ExprNode {
  if (info.type.base !== 'bitmask') return left;
  if (!('binop' in left)) return left;
  const { op, left: inner, right } = left.binop;
  return { binop: { op, left: flagOperands(inner, info), right: flagBinop(right, info) } };
}
