import type { ExprNode } from './ast-expr.ts';
import type { MatchStmt } from './ast-stmt.ts';
import { infoOf, isPort, SHIFT } from './eval-key.ts';
import { fieldInfo } from './eval-proto.ts';
import { constant, type Headers, type Info, numberOf } from './eval-scope.ts';
import { type Place, placeOf } from './lower-bits.ts';
import type { HeaderField } from './proto-header.ts';
import { findField, findProtocol, vlanOffset } from './proto-table.ts';
import { INTEGER, RAW_INTEGER } from './type-datatype.ts';

const LAYERS = ['ll', 'nh', 'th'] as const;
const BASE_NAMES = ['ll', 'nh', 'th', 'ih'] as const;

/** The header that is known at a layer; ports are known of any transport. */
function headerAt(headers: Headers, base: number): string | null {
  const layer = LAYERS[base];
  if (layer === undefined) return null;
  const name = headers[layer];
  if (name !== null && findProtocol(name) !== null) return name;
  return layer === 'th' ? 'th' : null;
}

/** A field, or its first bits. */
interface Piece {
  readonly field: HeaderField;
  readonly bits: number;
}

/** The fields of a header that a place is, in order, the last one perhaps not whole; null if it begins within one. */
function piecesAt(header: string, place: Place, headers: Headers): Piece[] | null {
  const start = header === 'vlan' ? vlanOffset(headers.vlans) : 0;
  const out: Piece[] = [];
  let at = place.offset - start;
  const end = at + place.bits;
  for (const field of findProtocol(header)!.fields.values()) {
    if (field.offset !== at || !isThere(field, headers)) continue;
    const bits = Math.min(field.bits, end - at);
    out.push({ field, bits });
    at += bits;
    if (at === end) return out;
  }
  return null;
}

/** Whether a field belongs to the ICMP messages that a rule tests for; any other field does. */
function isThere(field: HeaderField, headers: Headers): boolean {
  return field.types === undefined || (headers.icmpType !== null && field.types.includes(headers.icmpType));
}

/** A payload expression by the name that the header has that is known there: `@th,16,16`, `th dport`. */
export function namedPayload(expr: ExprNode, headers: Headers): ExprNode {
  const place = placeOf(expr);
  if (place === null) return expr;
  const header = headerAt(headers, place.base);
  if ('payload' in expr && isKnown(expr.payload, header, headers)) return expr;
  const [piece, ...more] = header === null ? [] : (piecesAt(header, place, headers) ?? []);
  if (piece !== undefined && more.length === 0 && piece.bits === piece.field.bits)
    return { payload: { protocol: header!, field: piece.field.name }, at: expr.at };
  return 'payload' in expr && expr.payload.protocol !== 'th' ? rawOf(place) : expr;
}

function isKnown(
  { protocol, field }: { readonly protocol: string; readonly field: string },
  header: string | null,
  headers: Headers,
): boolean {
  // Ethernet's fields stand before a VLAN's header too.
  if (protocol !== header && !(protocol === 'ether' && header === 'vlan')) return false;
  return isThere(findField(protocol, field)!, headers);
}

/** A place without a name. */
function rawOf(place: Place): ExprNode {
  return { rawPayload: { base: BASE_NAMES[place.base]!, offset: place.offset, len: place.bits } };
}

/**
 * A test of bytes for equality as tests of the fields that they are.
 * @param value the bytes as one number
 */
export function fieldTests(place: Place, value: bigint, headers: Headers, op: '==' | '!='): MatchStmt[] {
  const header = headerAt(headers, place.base);
  const found = header === null ? null : piecesAt(header, place, headers);
  const exact = found?.length === 1 && found[0]!.bits === found[0]!.field.bits;
  if (found === null || header === null || (!exact && header === 'th')) return [rawTest(place, value, op)];
  let rest = BigInt(place.bits);
  return found.map(({ field, bits }) => {
    rest -= BigInt(bits);
    const part = (value >> rest) & ((1n << BigInt(bits)) - 1n);
    const left = { payload: { protocol: header, field: field.name } };
    const whole = constant(fieldInfo(field), part << BigInt(field.bits - bits));
    const right: ExprNode = bits === field.bits ? whole : { prefix: { addr: whole, len: bits } };
    return { match: { op, left, right } };
  });
}

function rawTest(place: Place, value: bigint, op: '==' | '!='): MatchStmt {
  return { match: { op, left: rawOf(place), right: constant(rawInfo(place.bits), value) } };
}

function rawInfo(bits: number): Info {
  return { type: RAW_INTEGER, bits, order: 'big' };
}

/** Whether what was written as raw bytes, perhaps with operations on them, is listed as a field. */
export function isNamed(before: ExprNode, after: ExprNode): boolean {
  return 'rawPayload' in innermost(before) && 'payload' in innermost(after);
}

function innermost(node: ExprNode): ExprNode {
  return 'binop' in node ? innermost(node.binop.left) : node;
}

/**
 * Values that were written for raw bytes, as values of the field that the bytes turned out to be.
 * @param before the expression that they were compared with as written, `after` as it is listed
 */
export function retyped(node: ExprNode, before: ExprNode, after: ExprNode): ExprNode {
  if ('set' in node) return { set: node.set.map((one) => element(one, before, after)), at: node.at };
  if (before === after || 'concat' in after || ('binop' in after && !isNamed(before, after))) return node;
  return typedAs(node, infoOf(after));
}

/** An element of a set in braces. */
function element(node: ExprNode, before: ExprNode, after: ExprNode, mapped = false): ExprNode {
  if ('pair' in node)
    return { pair: [element(node.pair[0], before, after, true), node.pair[1]], at: node.at };
  if ('elem' in node)
    return { elem: { ...node.elem, val: element(node.elem.val, before, after, mapped) }, at: node.at };
  if ('concat' in node && 'concat' in before && 'concat' in after) {
    const parts = node.concat.map((one, i) => element(one, before.concat[i]!, after.concat[i]!));
    return { concat: parts, at: node.at };
  }
  const info = isNamedValue(node) && 'binop' in before ? null : elementInfo(before, after, mapped);
  return info === null ? node : typedAs(node, info);
}

/**
 * The type that elements are listed with; null if it is the one that they have. Of raw bytes they stay plain numbers
 * whatever field the bytes are, in hex only where nothing is done with the bytes (measured); `@th,0,16` and `@th,16,16`
 * are ports to nft from the beginning.
 */
function elementInfo(before: ExprNode, after: ExprNode, mapped: boolean): Info | null {
  const raw = innermost(before);
  if (!('rawPayload' in raw)) return before === after || 'binop' in after ? null : infoOf(after);
  if ('concat' in after) return null;
  const place = placeOf(raw)!;
  if (isPort(raw.rawPayload)) return null;
  return before === raw && !mapped && isWholeBytes(place) ? null : plainInfo(place.bits);
}

function plainInfo(bits: number): Info {
  return { type: INTEGER, bits, order: 'big' };
}

function isWholeBytes({ offset, bits }: Place): boolean {
  return offset % 8 === 0 && bits % 8 === 0;
}

/** Constants with another type. */
function typedAs(node: ExprNode, info: Info): ExprNode {
  if ('constant' in node) return constant(info, node.constant.value, node.at);
  if ('range' in node)
    return { range: [typedAs(node.range[0], info), typedAs(node.range[1], info)], at: node.at };
  return 'prefix' in node ? { prefix: { ...node.prefix, addr: typedAs(node.prefix.addr, info) } } : node;
}

/** What some bits of raw bytes are as nft lists them. */
export interface RawTarget {
  /** What is tested instead. */
  readonly key: ExprNode;
  /** Where that is, if it is one or more whole fields. */
  readonly fields: Place | null;
  /** How many bits values move to the left; to the right if negative. */
  readonly shift: number;
  /** Bits that single values are too short by; they come back as prefixes. */
  readonly lost?: number | undefined;
}

/**
 * A test of some bits of raw bytes, `@nh,64,32 & 0xffff`, `@th,4,12`: bits that are whole fields are tested as such,
 * others as whole bytes with a mask (measured).
 * @returns null if the bytes are tested as they are written
 */
export function rawTarget(left: ExprNode, headers: Headers): RawTarget | null {
  const inner = innermost(left);
  const place = placeOf(inner);
  if (place === null || (isWholeBytes(place) && !('rawPayload' in inner))) return null;
  if (left === inner) return 'rawPayload' in inner ? unmasked(place, headers) : null;
  const masked = 'binop' in left && left.binop.left === inner && left.binop.op === '&' ? left.binop : null;
  const mask = masked === null ? undefined : numberOf(masked.right);
  if (isWholeBytes(place)) return mask === undefined ? null : targetOf(place, mask, 0, headers);
  const { bytes, own, shift } = bytesOf(place);
  if (shift > 0) return shifted(left, place);
  return mask === undefined ? null : targetOf(bytes, mask & own, 0, headers);
}

/** Raw bits with nothing done to them. */
function unmasked(place: Place, headers: Headers): RawTarget | null {
  if (isWholeBytes(place) || isField(place, headers)) return null;
  const { bytes, own, shift } = bytesOf(place);
  return targetOf(bytes, own, shift, headers);
}

/** Operations on bits that others follow: they are moved to the end of their bytes first. */
function shifted(left: ExprNode, place: Place): RawTarget {
  const { bytes, own, shift } = bytesOf(place);
  const info = rawInfo(bytes.bits);
  const masked: ExprNode = { binop: { op: '&', left: rawOf(bytes), right: constant(info, own) } };
  const moved: ExprNode = { binop: { op: '>>', left: masked, right: constant(SHIFT, BigInt(shift)) } };
  // nft makes the constants as long as the bits are, and reads them as the first of the bytes that they are in.
  const lost = bytes.bits - ((place.bits + 7) & ~7);
  return { key: onto(left, moved, info), fields: null, shift: 0, lost };
}

/** The same operations on something else. */
function onto(node: ExprNode, inner: ExprNode, info: Info): ExprNode {
  if (!('binop' in node)) return inner;
  const { op, left, right } = node.binop;
  return { binop: { op, left: onto(left, inner, info), right: typedAs(right, info) } };
}

function isField(place: Place, headers: Headers): boolean {
  const header = headerAt(headers, place.base);
  const found = header === null ? null : piecesAt(header, place, headers);
  return found?.length === 1 && found[0]!.bits === found[0]!.field.bits;
}

/** The whole bytes around some bits, the mask of the bits in them, and how many bits come behind. */
function bytesOf({ base, offset, bits }: Place): { bytes: Place; own: bigint; shift: number } {
  const first = offset & ~7;
  const all = ((offset + bits + 7) & ~7) - first;
  const shift = first + all - offset - bits;
  const own = ((1n << BigInt(bits)) - 1n) << BigInt(shift);
  return { bytes: { base, offset: first, bits: all }, own, shift };
}

/** What is assigned, as nft lists it: a field that is no whole bytes as the bytes that it is read from (measured). */
export function assignedBytes(node: ExprNode): ExprNode {
  if ('binop' in node) {
    const { op, left, right } = node.binop;
    return { binop: { op, left: assignedBytes(left), right }, at: node.at };
  }
  const place = 'payload' in node ? placeOf(node) : null;
  if (place === null || isWholeBytes(place)) return node;
  const { bytes, own, shift } = bytesOf(place);
  const masked: ExprNode = {
    binop: { op: '&', left: rawOf(bytes), right: constant(rawInfo(bytes.bits), own) },
  };
  if (shift === 0) return masked;
  return { binop: { op: '>>', left: masked, right: constant(SHIFT, BigInt(shift)) } };
}

function targetOf(place: Place, mask: bigint, shift: number, headers: Headers): RawTarget {
  const bytes = rawOf(place);
  const masked: ExprNode = { binop: { op: '&', left: bytes, right: constant(rawInfo(place.bits), mask) } };
  const as = { key: masked, fields: null, shift };
  // A mask of all bits is none.
  if (mask === (1n << BigInt(place.bits)) - 1n && isWholeBytes(place))
    return { key: isField(place, headers) ? namedPayload(bytes, headers) : bytes, fields: place, shift };
  if (mask === 0n) return as;
  let low = 0;
  while (((mask >> BigInt(low)) & 1n) === 0n) low++;
  const run = (mask >> BigInt(low)).toString(2);
  const header = headerAt(headers, place.base);
  if (run.includes('0') || header === null) return as;
  const end = place.offset + place.bits - low;
  const inner = { base: place.base, offset: end - run.length, bits: run.length };
  const found = header === 'th' ? null : piecesAt(header, inner, headers);
  if (found === null || found.some((piece) => piece.bits !== piece.field.bits)) return as;
  const [only, ...more] = found;
  const field: ExprNode = { payload: { protocol: header, field: only!.field.name } };
  return { key: more.length > 0 ? rawOf(inner) : field, fields: inner, shift: shift - low };
}

/** Values for {@link RawTarget.key}. */
export function movedValues(node: ExprNode, { key, shift, lost = 0 }: RawTarget): ExprNode {
  if ('set' in node) {
    const bytes = innermost(key);
    if (shift === 0 && 'rawPayload' in bytes && isPort(bytes.rawPayload) && isOfPorts(node)) return node;
    const one = (child: ExprNode): ExprNode => {
      if ('pair' in child) return { pair: [one(child.pair[0]), child.pair[1]], at: child.at };
      if ('elem' in child) return { elem: { ...child.elem, val: one(child.elem.val) }, at: child.at };
      return isNamedValue(child) ? child : moved(child, plainInfo(infoOf(key).bits), shift);
    };
    return { set: node.set.map(one), at: node.at };
  }
  if (lost === 0 || !('constant' in node)) return moved(node, infoOf(key), shift);
  const addr = moved(node, infoOf(key), lost);
  return { prefix: { addr, len: infoOf(key).bits - lost }, at: node.at };
}

/** Elements that were written for a field with a name keep its type. */
function isNamedValue(node: ExprNode): boolean {
  const value = 'range' in node ? node.range[0] : node;
  return 'constant' in value && value.constant.type !== RAW_INTEGER && value.constant.type.symbols !== null;
}

/** Whether a set's elements have been ports from the beginning. */
function isOfPorts({ set }: { readonly set: readonly ExprNode[] }): boolean {
  const first = set[0]!;
  const key = 'pair' in first ? first.pair[0] : first;
  const value = 'elem' in key ? key.elem.val : key;
  const low = 'range' in value ? value.range[0] : value;
  return 'constant' in low && low.constant.type.notation === 'service';
}

function moved(node: ExprNode, info: Info, shift: number): ExprNode {
  if ('range' in node)
    return { range: [moved(node.range[0], info, shift), moved(node.range[1], info, shift)], at: node.at };
  const value = numberOf(node);
  if (value === undefined) return node;
  return constant(info, shift < 0 ? value >> BigInt(-shift) : value << BigInt(shift), node.at);
}
