import type { ExprNode } from './ast-expr.ts';
import { type Interval, intervalOf } from './eval-interval.ts';
import type { NftSet } from './ruleset-state.ts';

/** Intervals of one piece of the list; a piece of twice as many is cut in two. */
const PIECE = 256;

interface Entry extends Interval {
  readonly element: ExprNode;
}

/** The intervals of a set's elements in their order. They do not overlap. */
class Neighbours {
  /** How many elements were taken in, those without an interval included. */
  size = 0;
  readonly #bits: number;
  /** None is empty but the only one. */
  readonly #pieces: Entry[][] = [[]];

  /** @param bits of a value */
  constructor(bits: number) {
    this.#bits = bits;
  }

  /** @param value the element's, without what else it has */
  add(element: ExprNode, value: ExprNode): void {
    this.size++;
    const interval = this.#intervalOf(value);
    if (interval === null) return;
    const at = this.#pieceOf(interval.low);
    const piece = this.#pieces[at]!;
    const { low, high } = interval;
    piece.splice(countUpTo(piece, low), 0, { low, high, element });
    if (piece.length > PIECE * 2) this.#pieces.splice(at + 1, 0, piece.splice(PIECE));
  }

  delete(value: ExprNode): void {
    this.size--;
    const interval = this.#intervalOf(value);
    if (interval === null) return;
    const at = this.#pieceOf(interval.low);
    const piece = this.#pieces[at]!;
    const place = countUpTo(piece, interval.low) - 1;
    if (place >= 0 && piece[place]!.low === interval.low) piece.splice(place, 1);
    if (piece.length === 0 && this.#pieces.length > 1) this.#pieces.splice(at, 1);
  }

  /** The elements before and behind the place where a value begins: one that begins there is before it. */
  beside(value: ExprNode): ExprNode[] {
    const interval = this.#intervalOf(value);
    if (interval === null) return [];
    const at = this.#pieceOf(interval.low);
    const piece = this.#pieces[at]!;
    const place = countUpTo(piece, interval.low);
    const found = [piece[place - 1], piece[place] ?? this.#pieces[at + 1]?.[0]];
    return found.flatMap((entry) => (entry === undefined ? [] : [entry.element]));
  }

  #intervalOf(value: ExprNode): Interval | null {
    return 'wildcard' in value ? null : intervalOf(value, this.#bits);
  }

  /** The last piece that begins at or before a number, or the first. */
  #pieceOf(low: bigint): number {
    let first = 0;
    let end = this.#pieces.length;
    while (end - first > 1) {
      const middle = (first + end) >> 1;
      if (this.#pieces[middle]![0]!.low <= low) first = middle;
      else end = middle;
    }
    return first;
  }
}

/** How many entries begin at or before a number. */
function countUpTo(piece: readonly Entry[], low: bigint): number {
  let first = 0;
  let end = piece.length;
  while (first < end) {
    const middle = (first + end) >> 1;
    if (piece[middle]!.low <= low) first = middle + 1;
    else end = middle;
  }
  return first;
}

/** By set; kept up with its elements, so that one more of very many is looked at beside two of them only. */
const neighboursOf: WeakMap<NftSet, Neighbours> = new WeakMap();

/**
 * The elements of a set of intervals that may be in the way of new ones: those before and behind them.
 * @param values of the new ones
 * @param bits of a value
 * @param keyOf an element's
 */
export function besideThem(
  set: NftSet,
  values: readonly ExprNode[],
  bits: number,
  keyOf: (element: ExprNode) => ExprNode,
): ReadonlySet<ExprNode> {
  let known = neighboursOf.get(set);
  if (known?.size !== set.elements.size) {
    known = new Neighbours(bits);
    for (const element of set.elements.values()) known.add(element, keyOf(element));
    neighboursOf.set(set, known);
  }
  const found = new Set<ExprNode>();
  for (const value of values) for (const element of known.beside(value)) found.add(element);
  return found;
}

/** Takes note of an element that a set has now. @param value the element's */
export function noteAdded(set: NftSet, element: ExprNode, value: ExprNode): void {
  neighboursOf.get(set)?.add(element, value);
}

/** Takes note of an element that a set no longer has. @param value the element's */
export function noteDeleted(set: NftSet, value: ExprNode): void {
  neighboursOf.get(set)?.delete(value);
}

/** A set's elements changed in some other way. */
export function forgetNeighbours(set: NftSet): void {
  neighboursOf.delete(set);
}
