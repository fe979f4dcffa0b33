/** Elements of sets and maps in the order of listings, joined, and out of each other's way. */
import type { At, ElemExpr, ExprNode } from './ast-expr.ts';
import { coverOf, type Interval, intervalNode, sortKey } from './eval-interval.ts';
import { type Info, numberOf, type Scope } from './eval-scope.ts';

/** The value of an element without what else it has: the key of a map's. */
export function elementValue(node: ExprNode): ExprNode {
  if ('pair' in node) return elementValue(node.pair[0]);
  return 'elem' in node ? node.elem.val : node;
}

/** The same element with another value. */
export function withValue(node: ElemExpr, val: ExprNode): ElemExpr {
  // Not spread: V8 makes a class of its own for each object that is.
  const { timeout, expires, comment, stmts } = node.elem;
  return { elem: { val, timeout, expires, comment, stmts }, at: node.at };
}

/**
 * Sorts elements as nft lists them; the one for everything else comes last.
 * @param ranged whether the set has intervals: text is then sorted from its first letter on
 */
export function sortElements(elements: readonly ExprNode[], key: Info, ranged: boolean): ExprNode[] {
  // The kernel keeps ranged concatenations in the order in which they came, but what stands for all others.
  if (ranged && key.parts !== undefined) {
    const isLast = (node: ExprNode): boolean => 'wildcard' in elementValue(node);
    return [...elements.filter((node) => !isLast(node)), ...elements.filter(isLast)];
  }
  const order = ranged ? 'big' : 'host';
  const keyed = elements.map((node, index) => {
    const value = elementValue(node);
    const last = 'wildcard' in value;
    return { node, index, last, by: last ? 0n : sortKey(value, key, order) };
  });
  keyed.sort((a, b) => {
    if (a.last !== b.last) return a.last ? 1 : -1;
    if (a.by !== b.by) return a.by < b.by ? -1 : 1;
    return flagOrder(a.node, b.node) || a.index - b.index;
  });
  return keyed.map((one) => one.node);
}

/** Of flags with the same lowest one those with more come first. */
function flagOrder(a: ExprNode, b: ExprNode): number {
  const one = numberOf(elementValue(a));
  const other = numberOf(elementValue(b));
  if (one === undefined || other === undefined || one === other) return 0;
  return one > other ? -1 : 1;
}

/** A sorted set's intervals that overlap or touch become one, with what belonged to the first of them (measured). */
export function mergeElements(sorted: readonly ExprNode[], key: Info): ExprNode[] {
  const out: ExprNode[] = [];
  let last: Interval | null = null;
  for (const node of sorted) {
    const interval = coverOf(elementValue(node), key);
    // Names that only touch, `eth1*` and `eth2*`, stay apart: nft joins them to a range that it cannot list (measured).
    const touch = key.type.base === 'string' ? 0n : 1n;
    if (last === null || interval === null || interval.low > last.high + touch) {
      out.push(node);
      last = interval;
      continue;
    }
    if (key.type.base === 'string') {
      if (interval.high > last.high) {
        out[out.length - 1] = node;
        last = interval;
      }
      continue;
    }
    last = { low: last.low, high: interval.high > last.high ? interval.high : last.high };
    const joined = intervalNode(last, key, node.at);
    const first = out.pop()!;
    out.push('elem' in first ? withValue(first, joined) : joined);
  }
  return out;
}

/**
 * Refuses sorted elements of which two overlap without being the same.
 * @param added those that this text has: an error is shown at one of them
 */
export function refuseOverlaps(
  scope: Scope,
  sorted: readonly ExprNode[],
  key: Info,
  added: readonly ExprNode[] = sorted,
): void {
  let last: { interval: Interval; node: ExprNode } | null = null;
  for (const node of sorted) {
    const interval = coverOf(elementValue(node), key);
    if (interval === null) continue;
    if (last !== null && interval.low <= last.interval.high && !isSame(interval, last.interval)) {
      // As nft: at the one that begins later, or is shorter.
      const shorter = interval.low === last.interval.low && interval.high > last.interval.high;
      const [first, second] = shorter ? [last.node, node] : [node, last.node];
      scope.refuse('conflicting intervals specified', elementAt(added.includes(first) ? first : second));
    }
    last = { interval, node };
  }
}

function isSame(a: Interval, b: Interval): boolean {
  return a.low === b.low && a.high === b.high;
}

/** Where an element was written. */
export function elementAt(element: ExprNode): At | undefined {
  return positionOf(elementValue(element)) ?? element.at;
}

/** Where a value was written; what was made of several values, where the first of them was. */
function positionOf(value: ExprNode): At | undefined {
  if (value.at !== undefined) return value.at;
  if ('range' in value) return value.range[0].at;
  return 'prefix' in value ? value.prefix.addr.at : undefined;
}
