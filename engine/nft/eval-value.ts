import { didYouMean } from '../base/suggest.ts';
import { encodeUtf8 } from '../base/utf8.ts';
import type { At, ExprNode, SymbolExpr } from './ast-expr.ts';
import { constant, describeInfo, type Info, numberOf, partsOf, type Scope } from './eval-scope.ts';
import { TYPED_KEYWORDS } from './parse-keywords.ts';
import { BOOLEAN, type Datatype } from './type-datatype.ts';
import { numberValue, parseSymbol } from './type-parse.ts';
import { protocolNames } from './type-protocols.ts';
import type { Value } from './type-value.ts';

/** Bits of an interface name, with the zero at its end. */
const NAME_BITS = 128;

/**
 * Turns what was written where a value of a type is expected into a typed constant, range, prefix or concatenation.
 * Lists of flags become one constant. Sets are eval-elements.ts' work.
 */
export function evalValue(scope: Scope, node: ExprNode, info: Info): ExprNode {
  if ('constant' in node) return node;
  if (info.parts !== undefined) return evalConcat(scope, node, info);
  if ('symbol' in node) {
    if (isNoText(node, info))
      return scope.refuse(`datatype mismatch, expected ${describeInfo(info)}`, node.at);
    return symbolValue(scope, node.symbol, info, node.at);
  }
  if ('number' in node) return writtenNumber(scope, node.number, info, node.at);
  if ('boolean' in node) return existence(scope, node.boolean, info, node.at);
  if ('range' in node) return evalRange(scope, node, info);
  if ('prefix' in node) return evalPrefix(scope, node, info);
  if ('list' in node) return evalFlags(scope, node.list, info, node.at);
  if ('binop' in node) return foldBinop(scope, node, info);
  if ('concat' in node) return scope.refuse(`invalid data type, expected ${describeInfo(info)}`, node.at);
  return scope.refuse(`expected a constant ${describeInfo(info)} here`, node.at);
}

/** Keywords that are values of another type, where text is expected: quotes make them text. */
function isNoText({ symbol, quoted }: SymbolExpr, { type }: Info): boolean {
  return quoted !== true && type.base === 'string' && TYPED_KEYWORDS.has(symbol);
}

/** `exists` and `missing` are values of their own type only (measured). */
function existence(scope: Scope, exists: boolean, info: Info, at: At | undefined): ExprNode {
  if (info.type !== BOOLEAN)
    scope.refuse(
      `datatype mismatch, expected ${describeInfo(info)}, expression has type ${BOOLEAN.desc}`,
      at,
    );
  return constant(info, exists ? 1n : 0n, at);
}

function writtenNumber(scope: Scope, number: number | bigint, info: Info, at: At | undefined): ExprNode {
  const value = numberValue(info.type, number);
  if (value === null) return scope.refuse(`could not parse ${info.type.desc} '${number}'`, at);
  return checked(scope, value, info, at);
}

function evalConcat(scope: Scope, node: ExprNode, info: Info): ExprNode {
  const parts = partsOf(info);
  const values = 'concat' in node ? node.concat : [node];
  if (values.length !== parts.length)
    return scope.refuse(`invalid data type, expected ${describeInfo(info)}`, node.at);
  return { concat: values.map((value, i) => evalValue(scope, value, parts[i]!)), at: node.at };
}

function symbolValue(scope: Scope, text: string, info: Info, at: At | undefined): ExprNode {
  const { type } = info;
  if (type.notation === 'ipv4' && text === 'localhost') return constant(info, 0x7f000001n, at);
  if (type.notation === 'ipv6' && text === 'localhost') return constant(info, 1n, at);
  const value = parseSymbol(type, text);
  // A variable whose value could not be read.
  if (value === null && text === '') return scope.lacks(`could not parse ${type.desc} ''`, at);
  if (value === null) {
    const isProtocol = type.notation === 'protocol';
    const known = isProtocol ? protocolNames() : (type.symbols ?? []).map(([name]) => name);
    return scope.refuse(`could not parse ${type.desc} '${text}'`, at, didYouMean(text, known));
  }
  return checked(scope, value, info, at);
}

function checked(scope: Scope, value: Value, info: Info, at: At | undefined): ExprNode {
  if (typeof value === 'string') checkText(scope, value, info, at);
  else if (info.max !== undefined && value > info.max)
    scope.refuse(`value ${value} exceeds valid range 0-${info.max}`, at);
  else if (BigInt.asUintN(info.bits, value) !== value) {
    const service = info.type.notation === 'service';
    const range = `value ${value} exceeds valid range 0-${(1n << BigInt(info.bits)) - 1n}`;
    scope.refuse(service ? `service out of range: ${range}` : range, at);
  }
  // Number 1 is lo on every machine, and listed so.
  return constant(info, info.type.notation === 'interface' && value === 1n ? 'lo' : value, at);
}

function checkText(scope: Scope, value: string, info: Info, at: At | undefined): void {
  const { type } = info;
  if (type.base !== 'string' && type.notation !== 'interface') return;
  const bits = type.notation === 'interface' ? NAME_BITS : info.bits;
  if (value === '') scope.refuse(`empty ${type.desc}`, at);
  if (value === '*') scope.refuse('All-wildcard strings are not supported', at);
  // A zero belongs to it.
  if (encodeUtf8(value).length * 8 >= bits) scope.refuse(`string exceeds maximum length of ${bits / 8}`, at);
}

function evalRange(
  scope: Scope,
  node: ExprNode & { readonly range: readonly [ExprNode, ExprNode] },
  info: Info,
): ExprNode {
  const low = evalValue(scope, node.range[0], info);
  const high = evalValue(scope, node.range[1], info);
  const from = numberOf(low);
  const to = numberOf(high);
  if (from === undefined || to === undefined) return scope.refuse(`${info.type.desc} has no ranges`, node.at);
  if (from > to) scope.refuse('range has zero or negative size', node.at);
  return { range: [low, high], at: node.at };
}

function evalPrefix(
  scope: Scope,
  node: ExprNode & { readonly prefix: { readonly addr: ExprNode; readonly len: number } },
  info: Info,
): ExprNode {
  const { len } = node.prefix;
  if (info.type.base !== 'integer')
    return scope.refuse(`prefix expression is undefined for ${info.type.desc}`, node.at);
  if (len > info.bits)
    return scope.refuse(`prefix length ${len} is invalid for type of ${info.bits} bits width`, node.at);
  const addr = evalValue(scope, node.prefix.addr, info);
  const value = numberOf(addr);
  if (value === undefined) return scope.refuse(`prefix expression expected integer value`, node.at);
  const rest = BigInt(info.bits - len);
  return { prefix: { addr: constant(info, (value >> rest) << rest), len }, at: node.at };
}

function evalFlags(scope: Scope, list: readonly ExprNode[], info: Info, at: At | undefined): ExprNode {
  if (list.length === 1) return evalValue(scope, list[0]!, info);
  if (info.type.base !== 'bitmask')
    return scope.refuse(`a list of values needs braces: ${info.type.desc} is not made of flags`, at);
  let bits = 0n;
  for (const one of list) bits |= numberOf(evalValue(scope, one, info)) ?? 0n;
  return constant(info, bits, at);
}

/** The number that an operation on constants amounts to. */
export function fold(op: string, left: bigint, right: bigint, bits: number): bigint {
  const mask = (1n << BigInt(bits)) - 1n;
  switch (op) {
    case '&':
      return left & right;
    case '|':
      return left | right;
    case '^':
      return left ^ right;
    case '<<':
      return (left << right) & mask;
    default:
      return left >> right;
  }
}

/** What a chain of `&`, `|` and `^` does to bits: `(x & mask) ^ xor`. */
export interface Masking {
  mask: bigint;
  xor: bigint;
}

/**
 * Adds an operation to the end of a chain.
 * @param all as many ones as there are bits
 */
export function maskWith(chain: Masking, op: string, value: bigint, all: bigint): void {
  if (op === '&') {
    chain.mask &= value;
    chain.xor &= value;
  } else if (op === '|') {
    chain.mask &= all ^ value;
    chain.xor = (chain.xor & (all ^ value)) ^ value;
  } else chain.xor ^= value;
}

function foldBinop(
  scope: Scope,
  node: ExprNode & { readonly binop: { op: string; left: ExprNode; right: ExprNode } },
  info: Info,
): ExprNode {
  const { op, left, right } = node.binop;
  const a = numberOf(evalValue(scope, left, info));
  const shifts = op === '<<' || op === '>>';
  const b = shifts ? shiftWidth(right) : numberOf(evalValue(scope, right, info));
  if (shifts && b !== undefined && (b < 0n || b >= BigInt(info.bits)))
    scope.refuse(
      `${op === '<<' ? 'Left' : 'Right'} shift of ${b} bits is undefined for type of ${info.bits} bits width`,
      node.at,
    );
  if (a === undefined || b === undefined)
    return scope.refuse(`binary operation (${op}) needs numbers`, node.at);
  return constant(info, fold(op, a, b, info.bits), node.at);
}

/** How far a shift goes: a plain number. */
export function shiftWidth(node: ExprNode): bigint | undefined {
  return 'number' in node ? BigInt(node.number) : numberOf(node);
}

const WITH_PREFIXES: ReadonlySet<string> = new Set(['ipv4_addr', 'ipv6_addr', 'mark', 'realm', 'devgroup']);

/** Whether a type's ranges are listed as prefixes where they are one (DTYPE_F_PREFIX). */
export function hasPrefixes(type: Datatype): boolean {
  return WITH_PREFIXES.has(type.name);
}
