import type { ExprNode } from './ast-expr.ts';
import type { MatchStmt } from './ast-stmt.ts';
import { infoOf } from './eval-key.ts';
import { fieldInfo } from './eval-proto.ts';
import { constant, type Headers, type Info, numberOf } from './eval-scope.ts';
import { hasPrefixes } from './eval-value.ts';
import { type Place, placeOf } from './lower-bits.ts';
import type { HeaderField } from './proto-header.ts';
import { findProtocol } from './proto-table.ts';
import { RAW_INTEGER } from './type-datatype.ts';

const LAYERS = ['ll', 'nh', 'th'] as const;
const BASE_NAMES = ['ll', 'nh', 'th', 'ih'] as const;
const ETHER_BITS = 112;

/** The header that is known at a layer; ports are known of any transport. */
function headerAt(headers: Headers, base: number): string | null {
  const layer = LAYERS[base];
  if (layer === undefined) return null;
  const name = headers[layer];
  if (name !== null && findProtocol(name) !== null) return name;
  return layer === 'th' ? 'th' : null;
}

/** The fields of a header that cover a place exactly, in order; null if none do. */
function fieldsAt(header: string, place: Place): HeaderField[] | null {
  const start = header === 'vlan' ? ETHER_BITS : 0;
  const out: HeaderField[] = [];
  let at = place.offset - start;
  const end = at + place.bits;
  for (const field of findProtocol(header)!.fields.values()) {
    if (field.offset !== at || field.offset + field.bits > end) continue;
    out.push(field);
    at += field.bits;
    if (at === end) return out;
  }
  return null;
}

/** A payload expression by the name that its header has where the header is known: `@th,16,16`, `th dport`. */
export function namedPayload(expr: ExprNode, headers: Headers): ExprNode {
  const isPort = 'payload' in expr && expr.payload.protocol === 'th';
  if (!('rawPayload' in expr) && !isPort) return expr;
  const place = placeOf(expr);
  const header = place === null ? null : headerAt(headers, place.base);
  if (place === null || header === null) return expr;
  const found = fieldsAt(header, place);
  if (found?.length === 1) return { payload: { protocol: header, field: found[0]!.name }, at: expr.at };
  return isPort ? rawOf(place) : expr;
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
  const found = header === null ? null : fieldsAt(header, place);
  const begin = header === null || found !== null ? null : prefixTest(header, place, value, op);
  if (begin !== null) return [begin];
  if (found === null || header === null || (header === 'th' && found.length > 1))
    return [rawTest(place, value, op)];
  let rest = BigInt(place.bits);
  return found.map((field) => {
    rest -= BigInt(field.bits);
    const part = (value >> rest) & ((1n << BigInt(field.bits)) - 1n);
    const left = { payload: { protocol: header, field: field.name } };
    return { match: { op, left, right: constant(fieldInfo(field), part) } };
  });
}

/** The first bytes of an address are a prefix of it. */
function prefixTest(header: string, place: Place, value: bigint, op: '==' | '!='): MatchStmt | null {
  if (place.bits % 8 !== 0) return null;
  for (const field of findProtocol(header)!.fields.values()) {
    if (field.offset !== place.offset || field.bits <= place.bits || !hasPrefixes(field.type)) continue;
    const left = { payload: { protocol: header, field: field.name } };
    const addr = constant(fieldInfo(field), value << BigInt(field.bits - place.bits));
    return { match: { op, left, right: { prefix: { addr, len: place.bits } } } };
  }
  return null;
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

/** A match on raw bytes as nft lists it; the match itself where it is on something else. */
export function namedMatch(stmt: MatchStmt, headers: Headers): MatchStmt[] {
  const { left, op, right } = stmt.match;
  const value = numberOf(right);
  if ('rawPayload' in left && value !== undefined && (op === '==' || op === '!='))
    return fieldTests(placeOf(left)!, value, headers, op);
  const named = namedPayload(left, headers);
  if (named === left) return [stmt];
  return [{ match: { op, left: named, right: retyped(right, named) }, at: stmt.at }];
}

/** Values that were written for raw bytes, as values of the field that the bytes turned out to be. */
export function retyped(node: ExprNode, key: ExprNode): ExprNode {
  if (!('payload' in key)) return node;
  const info = infoOf(key);
  const walk = (one: ExprNode): ExprNode => {
    if ('constant' in one) return constant(info, one.constant.value, one.at);
    if ('set' in one) return { set: one.set.map(walk), at: one.at };
    if ('pair' in one) return { pair: [walk(one.pair[0]), one.pair[1]], at: one.at };
    if ('elem' in one) return { elem: { ...one.elem, val: walk(one.elem.val) }, at: one.at };
    if ('range' in one) return { range: [walk(one.range[0]), walk(one.range[1])], at: one.at };
    return one;
  };
  return walk(node);
}
