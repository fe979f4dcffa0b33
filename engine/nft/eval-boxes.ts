import type { ExprNode } from './ast-expr.ts';
import { intervalOf } from './eval-interval.ts';
import { type Info, partsOf, type Scope } from './eval-scope.ts';

/** More elements than these are not compared with each other. */
const MOST = 500;

/** The lowest and the highest value of each part of a concatenation. */
interface Box {
  readonly at: number | undefined;
  readonly low: readonly bigint[];
  readonly high: readonly bigint[];
}

/**
 * Refuses elements of a set of ranged concatenations as the kernel does: one whose first or last values lie in
 * another that came before it.
 */
export function refuseBoxes(scope: Scope, elements: readonly ExprNode[], key: Info): void {
  if (elements.length > MOST) return;
  const boxes: Box[] = [];
  for (const node of elements) {
    const value = 'pair' in node ? node.pair[0] : node;
    const box = boxOf('elem' in value ? value.elem.val : value, partsOf(key));
    if (box === null) continue;
    const clash = boxes.some((other) => contains(other, box.low) || contains(other, box.high));
    if (clash) scope.refuse('this element overlaps another', box.at ?? node.at);
    boxes.push(box);
  }
}

function boxOf(node: ExprNode, parts: readonly Info[]): Box | null {
  if (!('concat' in node)) return null;
  const low: bigint[] = [];
  const high: bigint[] = [];
  for (const [i, part] of node.concat.entries()) {
    const interval = intervalOf(part, parts[i]!.bits);
    if (interval === null) return null;
    low.push(interval.low);
    high.push(interval.high);
  }
  return { at: node.at, low, high };
}

function contains(box: Box, point: readonly bigint[]): boolean {
  return point.every((value, i) => value >= box.low[i]! && value <= box.high[i]!);
}
