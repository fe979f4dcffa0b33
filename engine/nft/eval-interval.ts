import { encodeUtf8 } from '../base/utf8.ts';
import type { ExprNode } from './ast-expr.ts';
import { constant, constantOf, type Info, numberOf, partsOf, registerBytes } from './eval-scope.ts';
import { hasPrefixes } from './eval-value.ts';
import type { ByteOrder } from './type-datatype.ts';
import { fromBytes, toBytes } from './type-value.ts';

/** What an element covers: the numbers from `low` to `high`, both included. */
export interface Interval {
  readonly low: bigint;
  readonly high: bigint;
}

/** The interval of an evaluated constant, prefix or range; null for text and concatenations. */
export function intervalOf(node: ExprNode, bits: number): Interval | null {
  const value = numberOf(node);
  if (value !== undefined) return { low: value, high: value };
  if ('range' in node) {
    const low = numberOf(node.range[0]);
    const high = numberOf(node.range[1]);
    return low === undefined || high === undefined ? null : { low, high };
  }
  if (!('prefix' in node)) return null;
  const low = numberOf(node.prefix.addr);
  if (low === undefined) return null;
  return { low, high: low | ((1n << BigInt(bits - node.prefix.len)) - 1n) };
}

/** What an element of a set covers: {@link intervalOf}, and of text the names that begin so. */
export function coverOf(node: ExprNode, info: Info): Interval | null {
  const value = constantOf(node);
  if (typeof value !== 'string' || info.type.base !== 'string') return intervalOf(node, info.bits);
  const text = isWildcard(node) ? value.slice(0, -1) : value;
  const low = fromBytes(toBytes(text, info.bits, 'host'), 'big');
  if (text === value) return { low, high: low };
  return { low, high: low | ((1n << BigInt(info.bits - 8 * encodeUtf8(text).length)) - 1n) };
}

/** How many bits of an interval's numbers are the same and all there is: a prefix's length, or -1 if it is none. */
export function prefixLength(interval: Interval, bits: number): number {
  const size = interval.high - interval.low + 1n;
  if ((size & (size - 1n)) !== 0n || (interval.low & (size - 1n)) !== 0n) return -1;
  let rest = 0;
  for (let n = size; n > 1n; n >>= 1n) rest++;
  return bits - rest;
}

/** An interval as nft lists it: one value, a prefix where the type has prefixes, else a range. */
export function intervalNode(interval: Interval, info: Info, at: number | undefined): ExprNode {
  const low = constant(info, interval.low, at);
  if (interval.low === interval.high) return low;
  const len = hasPrefixes(info.type) ? prefixLength(interval, info.bits) : -1;
  if (len >= 0) return { prefix: { addr: low, len } };
  return { range: [low, constant(info, interval.high)] };
}

/** An element's value (a concatenation's part by part) as nft lists it after the kernel's round trip. */
export function normalValue(node: ExprNode, info: Info): ExprNode {
  if ('concat' in node) {
    const parts = partsOf(info);
    return { concat: node.concat.map((part, i) => normalValue(part, parts[i]!)), at: node.at };
  }
  if (!('range' in node) && !('prefix' in node)) return node;
  const interval = intervalOf(node, info.bits);
  return interval === null ? node : intervalNode(interval, info, node.at);
}

/** Whether an element is more than one value, so that its set is one of intervals. */
export function isInterval(node: ExprNode): boolean {
  if ('concat' in node) return node.concat.some(isInterval);
  if ('prefix' in node || 'range' in node) return true;
  return isWildcard(node);
}

/** Whether an evaluated constant is text that ends in a star: `eth*`. */
export function isWildcard(node: ExprNode): boolean {
  const value = constantOf(node);
  return (
    typeof value === 'string' &&
    'constant' in node &&
    node.constant.type.base === 'string' &&
    value.endsWith('*') &&
    !value.endsWith('\\*')
  );
}

/**
 * The number that nft sorts an element by: its value; of text and concatenations the bytes read from the last to the
 * first (measured).
 * @param order in which text is read: 'host' from its last letter, 'big' from its first
 */
export function sortKey(node: ExprNode, info: Info, order: ByteOrder): bigint {
  if ('concat' in node) return fromBytes(concatBytes(node.concat, partsOf(info)), 'host');
  const value = constantOf(lowEnd(node));
  if (info.type.notation === 'interface' && value === 'lo') return 1n;
  // Several flags count by the lowest of them, as the listing writes it first.
  if (typeof value === 'bigint') return info.type.base === 'bitmask' ? value & -value : value;
  return typeof value === 'string' ? fromBytes(toBytes(value, 128, 'host'), order) : 0n;
}

/** The first value that an element covers. */
function lowEnd(node: ExprNode): ExprNode {
  if ('range' in node) return node.range[0];
  return 'prefix' in node ? node.prefix.addr : node;
}

function concatBytes(nodes: readonly ExprNode[], infos: readonly Info[]): Uint8Array {
  let length = 0;
  for (let i = 0; i < nodes.length; i++) length += registerBytes(infos[i]!.bits);
  const all = new Uint8Array(length);
  for (let i = 0, at = 0; i < nodes.length; at += registerBytes(infos[i]!.bits), i++) {
    const { bits, order } = infos[i]!;
    all.set(toBytes(constantOf(lowEnd(nodes[i]!)) ?? 0n, bits, order), at);
  }
  return all;
}
