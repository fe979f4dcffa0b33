import type { SetElement } from '../rules/set-element.ts';
import type { StatefulExpr } from '../rules/stateful.ts';
import type { ExprNode } from './ast-expr.ts';
import type { StmtNode } from './ast-stmt.ts';
import { elementKey, shapeOf } from './eval-elements.ts';
import { constant, type Info, registerBytes } from './eval-scope.ts';
import type { LoweredSet } from './lower-table.ts';
import type { NftSet } from './ruleset-state.ts';
import { fromBytes } from './type-value.ts';

/** A named set as it runs. */
export interface RunningSet {
  readonly lowered: LoweredSet;
  /** The elements of the tree that were put into it. */
  given: ReadonlySet<ExprNode>;
  /** The running set's version when it held just what the tree holds. */
  version: number;
}

/**
 * The elements that a set has now, as nodes: those of the tree with what they have counted and the time they have
 * left, and those that packets added.
 * @param now virtual time (ms); undefined: when a packet last changed the set
 * @param statementOf a statement that stands as an expression does
 */
export function elementsNow(
  source: NftSet,
  { lowered, given, version }: RunningSet,
  now: number | undefined,
  statementOf: (expr: StatefulExpr) => StmtNode,
): Iterable<ExprNode> {
  const { set } = lowered;
  const { store } = set;
  // Nothing of it can have changed.
  if (set.version === version && store.expires === null && store.exprs.length === 0)
    return source.elements.values();
  const at = now ?? set.changed;
  // Of a set that merges its intervals several nodes run as one element, which is none of them.
  if (shapeOf(source).merge) {
    const values = [...source.elements.values()];
    if (values.length !== given.size || !values.every((node) => given.has(node))) return values;
    return set.elements(at).map((one) => nodeNow(one.tag as ExprNode, one, at, statementOf));
  }
  const living = new Map<unknown, SetElement>();
  const added: SetElement[] = [];
  for (const element of set.elements(at)) {
    if (element.tag === undefined) added.push(element);
    else living.set(element.tag, element);
  }
  const out: ExprNode[] = [];
  const keys = new Set<string>();
  for (const [key, node] of source.elements) {
    keys.add(key);
    const element = living.get(node);
    if (element !== undefined) out.push(nodeNow(node, element, at, statementOf));
    else if (!given.has(node)) out.push(node);
  }
  for (const element of added) {
    const node = nodeOf(element, lowered);
    if (!keys.has(elementKey(node, source))) out.push(nodeNow(node, element, at, statementOf));
  }
  return out;
}

/** Has the tree hold what the running set holds. Intervals are never changed by packets. */
export function settleSet(source: NftSet, running: RunningSet): void {
  const { set } = running.lowered;
  if (set.version === running.version || shapeOf(source).interval) return;
  const given = new Set(running.given);
  const living = new Set<unknown>();
  for (const row of set.rows(set.changed)) {
    let tag = set.store.tags[row] as ExprNode | undefined;
    if (tag === undefined) {
      const element = set.read(row);
      tag = nodeOf(element, running.lowered);
      if (element.timeout > 0) tag = withParts(tag, { timeout: element.timeout });
      set.store.tags[row] = tag;
      source.elements.set(elementKey(tag, source), tag);
      given.add(tag);
    }
    living.add(tag);
  }
  for (const [key, node] of source.elements)
    if (given.has(node) && !living.has(node)) source.elements.delete(key);
  running.given = given;
  running.version = set.version;
}

interface Parts {
  readonly timeout?: number;
  readonly expires?: number;
  readonly stmts?: readonly StmtNode[];
}

function withParts(node: ExprNode, parts: Parts): ExprNode {
  if ('pair' in node) return { pair: [withParts(node.pair[0], parts), node.pair[1]] };
  return { elem: { ...('elem' in node ? node.elem : { val: node }), ...parts } };
}

function nodeNow(
  node: ExprNode,
  { timeout, expires, exprs }: SetElement,
  now: number,
  statementOf: (expr: StatefulExpr) => StmtNode,
): ExprNode {
  const head = 'pair' in node ? node.pair[0] : node;
  // Statements of its own are looked up where they are listed.
  const own = 'elem' in head && (head.elem.stmts ?? []).length > 0;
  const stmts = own ? [] : exprs.map(statementOf);
  const timed = timeout > 0 && !Number.isNaN(expires);
  if (!timed && stmts.length === 0) return node;
  return withParts(node, {
    // Times of packets may have fractions; whole milliseconds are listed, and no element that is there has none left.
    ...(timed ? { timeout, expires: Math.ceil(expires - now) } : {}),
    ...(stmts.length > 0 ? { stmts } : {}),
  });
}

/** An element that a packet added. */
function nodeOf({ key, data }: SetElement, { shape, key: held, swapped }: LoweredSet): ExprNode {
  const node = valueNode(key, shape.key, swapped, held);
  if (data === null || shape.data === null || shape.data === 'verdict' || 'object' in shape.data) return node;
  return { pair: [node, valueNode(data, shape.data, false)] };
}

/** @param held how the bytes hold it, if not as `info` says */
function valueNode(bytes: Uint8Array, info: Info, swapped: boolean, held: Info = info): ExprNode {
  if (info.parts === undefined) return partNode(bytes, info, swapped, held);
  let at = 0;
  const parts = info.parts.map((part, i) => {
    const { [i]: as = part } = held.parts ?? [];
    const node = partNode(bytes.subarray(at, at + ((as.bits + 7) >> 3)), part, swapped, as);
    at += registerBytes(as.bits);
    return node;
  });
  return { concat: parts };
}

function partNode(bytes: Uint8Array, info: Info, swapped: boolean, held: Info): ExprNode {
  if (held.type.base !== 'string') return constant(info, fromBytes(bytes, swapped ? 'big' : info.order));
  const end = bytes.indexOf(0);
  const text = String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end));
  // A star at the end would stand for any letters.
  return constant(info, text.endsWith('*') ? `${text.slice(0, -1)}\\*` : text);
}
