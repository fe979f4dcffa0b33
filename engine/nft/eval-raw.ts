import type { ExprNode } from './ast-expr.ts';
import type { MatchStmt } from './ast-stmt.ts';
import { infoOf } from './eval-key.ts';
import { fieldInfo } from './eval-proto.ts';
import { constant, type Headers, type Info, numberOf } from './eval-scope.ts';
import { type Place, placeOf } from './lower-bits.ts';
import type { HeaderField } from './proto-header.ts';
import { findField, findProtocol } from './proto-table.ts';
import { RAW_INTEGER } from './type-datatype.ts';

const LAYERS = ['ll', 'nh', 'th'] as const;
const BASE_NAMES = ['ll', 'nh', 'th', 'ih'] as const;
const ETHER_BITS = 112;
const VLAN_BITS = 32;

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
  const start = header === 'vlan' ? ETHER_BITS + VLAN_BITS * headers.vlans : 0;
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
  const aligned = place.offset % 8 === 0 && place.bits % 8 === 0;
  if (found === null || header === null || (!exact && (header === 'th' || !aligned)))
    return [rawTest(place, value, op)];
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
  if (place.offset % 8 === 0 && place.bits % 8 === 0)
    return { match: { op, left: rawOf(place), right: constant(rawInfo(place.bits), value) } };
  // Bits within bytes come back as the bytes and a mask (measured).
  const first = place.offset & ~7;
  const bits = ((place.offset + place.bits + 7) & ~7) - first;
  const info = rawInfo(bits);
  const shift = BigInt(first + bits - place.offset - place.bits);
  const mask = ((1n << BigInt(place.bits)) - 1n) << shift;
  const left = rawOf({ base: place.base, offset: first, bits });
  const binop: ExprNode = { binop: { op: '&', left, right: constant(info, mask) } };
  return { match: { op, left: binop, right: constant(info, value << shift) } };
}

function rawInfo(bits: number): Info {
  return { type: RAW_INTEGER, bits, order: 'big' };
}

/**
 * Values that were written for raw bytes, as values of the field that the bytes turned out to be.
 * @param before the expression that they were compared with as written, `after` as it is listed
 */
export function retyped(node: ExprNode, before: ExprNode, after: ExprNode): ExprNode {
  if (before === after) return node;
  if ('set' in node) return { set: node.set.map((one) => retyped(one, before, after)), at: node.at };
  if ('pair' in node) return { pair: [retyped(node.pair[0], before, after), node.pair[1]], at: node.at };
  if ('elem' in node)
    return { elem: { ...node.elem, val: retyped(node.elem.val, before, after) }, at: node.at };
  if ('concat' in node && 'concat' in before && 'concat' in after) {
    const parts = node.concat.map((one, i) => retyped(one, before.concat[i]!, after.concat[i]!));
    return { concat: parts, at: node.at };
  }
  if ('binop' in after || 'concat' in after) return node;
  const info = infoOf(after);
  const walk = (one: ExprNode): ExprNode => {
    if ('constant' in one) return constant(info, one.constant.value, one.at);
    if ('range' in one) return { range: [walk(one.range[0]), walk(one.range[1])], at: one.at };
    return 'prefix' in one ? { prefix: { ...one.prefix, addr: walk(one.prefix.addr) }, at: one.at } : one;
  };
  return walk(node);
}

/**
 * A test of some bits of raw bytes as one of the field that they are, if they are one.
 * @returns null if they are none
 */
export function maskedTest(stmt: MatchStmt, headers: Headers): MatchStmt[] | null {
  const { left, op, right } = stmt.match;
  if (!('binop' in left) || left.binop.op !== '&' || !('rawPayload' in left.binop.left)) return null;
  const mask = numberOf(left.binop.right) ?? 0n;
  const value = numberOf(right);
  const place = placeOf(left.binop.left)!;
  if ((op !== '==' && op !== '!=') || value === undefined || mask === 0n) return null;
  let low = 0;
  while (((mask >> BigInt(low)) & 1n) === 0n) low++;
  const bits = (mask >> BigInt(low)).toString(2);
  if (bits.includes('0')) return null;
  const end = place.offset + place.bits - low;
  const inner = { base: place.base, offset: end - bits.length, bits: bits.length };
  const tests = fieldTests(inner, value >> BigInt(low), headers, op);
  return tests.length === 1 && 'payload' in tests[0]!.match.left ? tests : null;
}
