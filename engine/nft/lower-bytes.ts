import { encodeUtf8 } from '../base/utf8.ts';
import type { ExprNode } from './ast-expr.ts';
import { intervalOf, isWildcard } from './eval-interval.ts';
import { constantOf, type Info, partsOf, registerBytes } from './eval-scope.ts';
import type { ByteOrder, Datatype } from './type-datatype.ts';
import { toBytes, type Value } from './type-value.ts';

/** The only interface whose number is the same everywhere. */
const LOOPBACK = 1n;

/** Why a test is unknown. */
export const NO_NUMBER = 'the numbers of interfaces are not known, only that of lo';

/**
 * Whether a value, or that of an element, is the name of an interface whose number is not known.
 * @param part where it is looked for in concatenations
 */
export function namesInterfaces(node: ExprNode, part: number = 0): boolean {
  if ('pair' in node) return namesInterfaces(node.pair[0], part);
  if ('elem' in node) return namesInterfaces(node.elem.val, part);
  if ('concat' in node) return part < node.concat.length && namesInterfaces(node.concat[part]!);
  if (!('constant' in node) || node.constant.type.notation !== 'interface') return false;
  return typeof node.constant.value === 'string' && node.constant.value !== 'lo';
}

/** Whether elements of a set have keys that hold such names. */
export function haveNames(elements: Iterable<ExprNode>, key: Info): boolean {
  const places = partsOf(key).flatMap(({ type }, part) => (type.notation === 'interface' ? [part] : []));
  if (places.length === 0) return false;
  for (const element of elements) if (places.some((part) => namesInterfaces(element, part))) return true;
  return false;
}

/** A value's number: that of `lo` for its name. */
function plainValue(type: Datatype, value: Value): Value {
  if (type.notation === 'interface' && value === 'lo') return LOOPBACK;
  if (type.base !== 'string' || typeof value !== 'string') return value;
  return value.endsWith('\\*') ? `${value.slice(0, -2)}*` : value;
}

/**
 * The bytes of a constant as a register holds it.
 * @param order overrides the type's, where the register was turned round
 * @param shift bits that the value stands left of the last byte's end (of fields smaller than bytes)
 * @param len bytes, 0 for the type's own
 */
export function constantBytes(
  node: ExprNode,
  info: Info,
  order: ByteOrder = info.order,
  shift = 0,
  len = 0,
): Uint8Array {
  const value = plainValue(info.type, constantOf(node) ?? 0n);
  const bits = len === 0 ? info.bits : len * 8;
  if (typeof value === 'string') return toBytes(value, bits, order);
  return toBytes(value << BigInt(shift), bits, order);
}

/** The letters of `eth*` without the star. */
export function wildcardBytes(node: ExprNode): Uint8Array {
  return encodeUtf8(String(constantOf(node)).slice(0, -1));
}

/** The first and the last key of an element; `end` is null for a single value. */
export interface KeyBytes {
  readonly key: Uint8Array;
  readonly end: Uint8Array | null;
}

/**
 * The bytes of a set's key.
 * @param swapped numbers in this machine's order stand the other way round
 * @param shift as in {@link constantBytes}, for keys that are fields smaller than bytes
 * @param len bytes of such a field, 0 otherwise
 */
export function keyBytes(node: ExprNode, info: Info, swapped: boolean, shift = 0, len = 0): KeyBytes {
  if (info.parts === undefined) return partBytes(node, info, swapped, shift, len);
  const nodes = 'concat' in node ? node.concat : [node];
  const { parts } = info;
  const key = new Uint8Array(info.bits >> 3);
  let end: Uint8Array | null = null;
  for (let i = 0, at = 0; i < parts.length; at += registerBytes(parts[i]!.bits), i++) {
    const one = partBytes(nodes[i]!, parts[i]!, swapped, 0, 0);
    key.set(one.key, at);
    // What came before are single values.
    if (one.end !== null) end ??= key.slice();
    end?.set(one.end ?? one.key, at);
  }
  return { key, end };
}

function partBytes(node: ExprNode, info: Info, swapped: boolean, shift: number, len: number): KeyBytes {
  const order: ByteOrder = swapped ? 'big' : info.order;
  if (isWildcard(node)) {
    const bytes = wildcardBytes(node);
    const key = new Uint8Array(info.bits >> 3);
    key.set(bytes);
    const end = key.slice().fill(0xff, bytes.length);
    return { key, end };
  }
  const interval = 'constant' in node ? null : intervalOf(node, info.bits);
  if (interval === null) return { key: constantBytes(node, info, order, shift, len), end: null };
  const bits = len === 0 ? info.bits : len * 8;
  const key = toBytes(interval.low << BigInt(shift), bits, order);
  if (interval.low === interval.high) return { key, end: null };
  return { key, end: toBytes(interval.high << BigInt(shift), bits, order) };
}

/** Whether fields of a type are turned round where they are compared with ranges. */
export function swaps(info: Info): boolean {
  return info.order === 'host' && info.type.base !== 'string' && info.bits > 8;
}
