import type { ExprNode } from './ast-expr.ts';
import { type Interval, intervalOf, prefixLength } from './eval-interval.ts';
import { type Info, partsOf } from './eval-scope.ts';

/** Comparisons after which no more are made: sets of very many ranges that are no prefixes. */
const MOST_COMPARED = 5_000_000;

/** The values of each part of a concatenation. */
interface Box {
  readonly element: ExprNode;
  readonly parts: readonly Interval[];
}

/** Boxes whose parts have prefixes of the same lengths; -1 for a part that is no prefix. */
interface Group {
  readonly lengths: readonly number[];
  /** By the prefixes. */
  readonly boxes: Map<string, Box[]>;
}

/**
 * The elements of a set of ranged concatenations, to find those that a point lies in: the kernel takes no element whose
 * first or last values lie in one that came before it, though a larger one around it (measured).
 */
export class Boxes {
  readonly #key: Info;
  readonly #groups: Map<string, Group> = new Map();
  #compared = 0;

  /** @param key the set's */
  constructor(key: Info) {
    this.#key = key;
  }

  /**
   * Adds an element; one that is no concatenation of numbers is in nobody's way.
   * @param isThere whether an element that was added has not been deleted since
   * @returns the element that keeps it from being added, null if it was
   */
  add(element: ExprNode, isThere: (other: ExprNode) => boolean): ExprNode | null {
    const parts = this.#partsOf(element);
    if (parts === null) return null;
    const from = parts.map((part) => part.low);
    const isPoint = parts.every((part) => part.low === part.high);
    const clash =
      this.#at(from, isThere) ??
      (isPoint
        ? null
        : this.#at(
            parts.map((part) => part.high),
            isThere,
          ));
    if (clash !== null) return clash;
    const infos = partsOf(this.#key);
    const lengths = parts.map((part, i) => prefixLength(part, infos[i]!.bits));
    const name = lengths.join();
    const group = this.#groups.get(name) ?? { lengths, boxes: new Map<string, Box[]>() };
    this.#groups.set(name, group);
    const key = this.#prefixes(group, from);
    const boxes = group.boxes.get(key);
    if (boxes === undefined) group.boxes.set(key, [{ element, parts }]);
    else boxes.push({ element, parts });
    return null;
  }

  #at(point: readonly bigint[], isThere: (other: ExprNode) => boolean): ExprNode | null {
    for (const group of this.#groups.values()) {
      const boxes = group.boxes.get(this.#prefixes(group, point)) ?? [];
      this.#compared += boxes.length;
      if (this.#compared > MOST_COMPARED) return null;
      const box = boxes.find((one) => contains(one, point) && isThere(one.element));
      if (box !== undefined) return box.element;
    }
    return null;
  }

  #prefixes({ lengths }: Group, point: readonly bigint[]): string {
    const infos = partsOf(this.#key);
    let key = '';
    for (let i = 0; i < point.length; i++) {
      const length = lengths[i]!;
      const rest = infos[i]!.bits - length;
      if (length >= 0) key += rest === 0 ? point[i]! : point[i]! >> BigInt(rest);
      key += ',';
    }
    return key;
  }

  #partsOf(element: ExprNode): Interval[] | null {
    const node = 'pair' in element ? element.pair[0] : element;
    const value = 'elem' in node ? node.elem.val : node;
    if (!('concat' in value)) return null;
    const infos = partsOf(this.#key);
    const parts = value.concat.map((part, i) => intervalOf(part, infos[i]!.bits));
    return parts.every((part) => part !== null) ? parts : null;
  }
}

function contains({ parts }: Box, point: readonly bigint[]): boolean {
  return point.every((value, i) => value >= parts[i]!.low && value <= parts[i]!.high);
}
