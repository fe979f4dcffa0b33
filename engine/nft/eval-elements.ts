import type { At, ElemExpr, ExprNode } from './ast-expr.ts';
import type { StmtNode } from './ast-stmt.ts';
import { Boxes } from './eval-boxes.ts';
import { intervalOf, isInterval, isWildcard, normalValue } from './eval-interval.ts';
import { besideThem } from './eval-neighbours.ts';
import { normalElement } from './eval-normal.ts';
import { constantOf, type Info, partsOf, type Scope } from './eval-scope.ts';
import { elementAt, elementValue, mergeElements, refuseOverlaps, sortElements } from './eval-sorted.ts';
import { evalValue } from './eval-value.ts';
import { evalVerdict, isVerdict } from './eval-verdict.ts';
import { statefulTrouble } from './limit-range.ts';
import { keptTime } from './ruleset-declared.ts';
import type { NftSet } from './ruleset-state.ts';

/** How many times as many elements as are added a set has, for these not to be sorted among all of them. */
const FEW = 4;

/** The types of a set's or map's elements. */
export interface SetShape {
  readonly key: Info;
  /** A map's values; null for a set. */
  readonly data: Info | 'verdict' | { readonly object: string } | null;
  /** Its elements may be ranges. */
  readonly interval: boolean;
  /** Ranges that touch become one. */
  readonly merge: boolean;
  /** A map's values may be ranges. */
  readonly dataInterval: boolean;
  /** It has a name, and may be changed later. */
  readonly named: boolean;
  /** Its elements may have a timeout. */
  readonly expires: boolean;
  /** What the declaration says that every element has; null where an element may have what it likes. */
  readonly stmts: readonly StmtNode[] | null;
  /** What an element without one of its own has (ms). */
  readonly timeout: number | bigint | undefined;
}

/** Evaluates one element as written: a value, an `elem` or a pair. */
function evalElement(scope: Scope, node: ExprNode, shape: SetShape): ExprNode {
  if ('pair' in node) {
    if (shape.data === null) scope.refuse('mapping outside of map context', node.at);
    const key = evalBareElement(scope, node.pair[0], shape);
    return { pair: [key, evalData(scope, node.pair[1], shape, elementAt(node))], at: node.at };
  }
  if (shape.data !== null && !shape.named)
    return scope.refuse('expected a mapping: key : value', elementValue(node).at ?? node.at);
  return evalBareElement(scope, node, shape);
}

/** Evaluates an element without a value behind it. */
function evalBareElement(scope: Scope, node: ExprNode, shape: SetShape): ExprNode {
  if ('pair' in node) return scope.refuse('mapping outside of map context', node.at);
  if (!('elem' in node)) return evalElementKey(scope, node, shape);
  refuseOptions(scope, node, shape);
  const { timeout, expires, comment, stmts } = node.elem;
  const times = { timeout: keptTime(timeout), expires: keptTime(expires) };
  return {
    elem: { val: evalElementKey(scope, node.elem.val, shape), ...times, comment, stmts },
    at: node.at,
  };
}

function refuseOptions(scope: Scope, node: ElemExpr, shape: SetShape): void {
  const { timeout, expires, stmts = [] } = node.elem;
  const { at } = node.elem.val;
  if (!shape.expires && (timeout !== undefined || expires !== undefined))
    scope.refuse('elements of this set have no timeout', at ?? node.at, "add 'flags timeout' to the set");
  if (expires !== undefined) {
    const lasts = BigInt(timeout ?? 0) || BigInt(shape.timeout ?? 0);
    if (lasts === 0n) scope.refuse('Operation not supported', at, 'what has no timeout does not expire');
    if (BigInt(expires) > lasts)
      scope.refuse('Numerical result out of range', at, 'it expires later than its timeout says');
  }
  if (stmts.length > 0 && shape.data !== null && !shape.named)
    scope.refuse(
      'missing statement in map declaration',
      stmts[0]!.at ?? at,
      'give the map a name and declare it there',
    );
  if (stmts.length > 0 && shape.stmts !== null) refuseStatements(scope, stmts, shape.stmts, at ?? node.at);
  for (const stmt of stmts) {
    const trouble = statefulTrouble(stmt);
    if (trouble !== null) scope.refuse(trouble, stmt.at);
  }
}

/** An element's statements are those of the declaration, of the same kinds in the same order (measured). */
function refuseStatements(
  scope: Scope,
  stmts: readonly StmtNode[],
  declared: readonly StmtNode[],
  at: At | undefined,
): void {
  if (declared.length === 0)
    scope.refuse(
      'missing statement in set declaration',
      stmts[0]!.at ?? at,
      "add 'counter' or the like to the set",
    );
  if (declared.length !== stmts.length)
    scope.refuse(
      `number of statements mismatch, set expects ${declared.length} but element has ${stmts.length}`,
      at,
    );
  stmts.forEach((stmt, i) => {
    const kind = Object.keys(stmt)[0]!;
    const expected = Object.keys(declared[i]!)[0]!;
    if (kind !== expected)
      scope.refuse(
        `statement mismatch, element expects ${kind}, but set has type ${expected}`,
        stmt.at ?? at,
      );
  });
}

function evalElementKey(scope: Scope, node: ExprNode, shape: SetShape): ExprNode {
  if ('wildcard' in node || ('symbol' in node && node.symbol === '*' && node.quoted !== true))
    return { wildcard: true, at: node.at };
  if ('setref' in node) return scope.refuse('a set cannot hold another set', node.at);
  const value = evalValue(scope, node, shape.key);
  if (shape.named && !shape.interval && isInterval(value)) {
    const what = 'prefix' in value ? 'prefix' : 'range';
    scope.refuse(
      `this set has no intervals: it cannot hold a ${what}`,
      node.at,
      "add 'flags interval' to the set",
    );
  }
  return normalValue(value, shape.key);
}

/** @param keyAt where the element stands, for what only the kernel refuses */
function evalData(scope: Scope, node: ExprNode, shape: SetShape, keyAt: At | undefined): ExprNode {
  const { data } = shape;
  if (data === 'verdict') return evalVerdict(scope, node);
  if (isVerdict(node)) return scope.refuse('a verdict is no value of this map', node.at);
  if (data === null) return node;
  if (!('object' in data)) {
    const value = evalValue(scope, node, data);
    if (shape.named && !shape.dataInterval && isInterval(value) && data.type.base !== 'string')
      scope.refuse('a value of this map is a single one', node.at, "declare the map's values as 'interval'");
    if (shape.named && shape.dataInterval && constantOf(value) !== undefined && !isWildcard(value))
      scope.refuse('Invalid argument', keyAt, 'this map has ranges for values: write a range or a prefix');
    return normalValue(value, data);
  }
  const name = objectName(node);
  if (name === null) return scope.refuse(`expected the name of a ${data.object}`, node.at);
  if (!scope.table.objects.has(`${data.object} ${name}`))
    return scope.refuse(`no such ${data.object}: ${name}`, keyAt);
  return { symbol: name, quoted: true, at: node.at };
}

/** The name that stands where an object is meant. */
export function objectName(node: ExprNode): string | null {
  if ('symbol' in node) return node.symbol;
  if ('number' in node) return String(node.number);
  const value = constantOf(node);
  return typeof value === 'string' ? value : null;
}

/** What tells elements of a set apart. */
export function elementKey(element: ExprNode, set: NftSet): string {
  return keyText(elementValue(element), shapeOf(set).key);
}

/** What tells values apart. */
export function keyText(value: ExprNode, info: Info): string {
  if ('wildcard' in value) return '*';
  if ('concat' in value)
    return value.concat.map((part, i) => keyText(part, info.parts?.[i] ?? info)).join(' . ');
  const interval = intervalOf(value, info.bits);
  if (interval === null) return `"${String(constantOf(value))}`;
  return interval.low === interval.high ? String(interval.low) : `${interval.low}-${interval.high}`;
}

/** What the evaluation keeps of a named set. */
export function shapeOf(set: NftSet): SetShape {
  return set.plan as SetShape;
}

/** Elements of a named set (its own by default) as nft lists them: sorted, joined where the set does so, flags as `a | b`. */
export function sortedElements(set: NftSet, from?: Iterable<ExprNode>): readonly ExprNode[] {
  const elements = plainElements(set, from);
  return partsOf(shapeOf(set).key).some(({ type }) => type.base === 'bitmask')
    ? elements.map(normalElement)
    : elements;
}

/** The same with every value as one constant. */
export function plainElements(
  set: NftSet,
  from: Iterable<ExprNode> = set.elements.values(),
): readonly ExprNode[] {
  const shape = shapeOf(set);
  const sorted = sortElements([...from], shape.key, shape.interval);
  return shape.merge && shape.key.parts === undefined ? mergeElements(sorted, shape.key) : sorted;
}

/** The types of a set that a rule writes in braces. */
export function anonymousShape(key: Info, data: SetShape['data'], interval: boolean = true): SetShape {
  return {
    key,
    data,
    interval,
    merge: data === null,
    dataInterval: true,
    named: false,
    expires: false,
    stmts: null,
    timeout: undefined,
  };
}

/** Evaluates the elements of a set in braces: typed, sorted, joined where nft joins them. */
export function evalAnonymous(scope: Scope, nodes: readonly ExprNode[], shape: SetShape): ExprNode[] {
  const { key } = shape;
  const all: ExprNode[] = [];
  for (const node of nodes) {
    if ('set' in node && shape.data === null) all.push(...evalAnonymous(scope, node.set, shape));
    else all.push(evalElement(scope, node, shape));
  }
  refuseMixedValues(scope, nodes, all);
  const ranged = all.some((node) => isInterval(elementValue(node)));
  const sorted = sortElements(distinct(scope, all, key), key, ranged);
  if (ranged && key.parts !== undefined) refuseBoxes(scope, sorted, key);
  if (!ranged || key.parts !== undefined) return sorted;
  if (shape.merge) return mergeElements(sorted, key);
  refuseOverlaps(scope, sorted, key);
  return sorted;
}

/**
 * Where one value of a map in braces is a range all are: the kernel takes no others then (measured). What was written as
 * a range is one, be it of one address.
 */
function refuseMixedValues(scope: Scope, written: readonly ExprNode[], elements: readonly ExprNode[]): void {
  const isRange = (value: ExprNode): boolean =>
    'concat' in value ? value.concat.some(isRange) : 'range' in value || 'prefix' in value;
  const ranges = elements.map((node, i) => {
    const before = written[i]!;
    return 'pair' in node && (isInterval(node.pair[1]) || ('pair' in before && isRange(before.pair[1])));
  });
  if (!ranges.includes(true) || !ranges.includes(false)) return;
  scope.refuse(
    'Invalid argument',
    elementAt(elements[ranges.indexOf(false)]!),
    'other values of this map are ranges: write a range or a prefix',
  );
}

function distinct(scope: Scope, nodes: readonly ExprNode[], key: Info): ExprNode[] {
  const seen = new Map<string, ExprNode>();
  for (const node of nodes) {
    const text = keyText(elementValue(node), key);
    const first = seen.get(text);
    if (first === undefined) seen.set(text, node);
    else if (valueText(node) !== valueText(first))
      scope.refuse('this key has another value already', node.at ?? elementValue(node).at);
  }
  return [...seen.values()];
}

/** What tells a map's values apart: what they say, wherever it stands. */
export function valueText(element: ExprNode): string {
  if (!('pair' in element)) return '';
  return JSON.stringify(element.pair[1], (name, value: unknown) => {
    // All values of a map are of its type, which would be long.
    if (name === 'at' || name === 'targetAt' || name === 'type') return undefined;
    return typeof value === 'bigint' ? String(value) : value;
  });
}

/**
 * Elements about to be added to or deleted from a named set.
 * @param added not to be deleted: a map's then need values
 */
export function evalNamed(scope: Scope, nodes: readonly ExprNode[], set: NftSet, added: boolean): ExprNode[] {
  const shape = shapeOf(set);
  const out = nodes.map((node) => {
    if (added && shape.data !== null && !('pair' in node))
      scope.refuse('an element of a map needs a value: key : value', elementValue(node).at ?? node.at);
    return evalElement(scope, node, shape);
  });
  const checks = added && shape.interval && !shape.merge && shape.key.parts === undefined;
  if (checks) {
    const others = inTheirWay(set, out, shape.key);
    refuseOverlaps(scope, sortElements([...others, ...out], shape.key, true), shape.key, out);
  }
  return out;
}

/** Of elements that are many more than the new ones only those beside them can be in their way. */
function inTheirWay(set: NftSet, added: readonly ExprNode[], key: Info): Iterable<ExprNode> {
  // Flags are sorted otherwise, and text is not kept by its neighbours.
  const isPlain = key.type.base !== 'bitmask' && key.type.base !== 'string';
  const isFew = isPlain && added.length * FEW < set.elements.size;
  return isFew ? besideThem(set, added.map(elementValue), key.bits, elementValue) : set.elements.values();
}

/** Refuses an element that lies in another that came before it. */
function refuseBoxes(scope: Scope, elements: readonly ExprNode[], key: Info): void {
  const boxes = new Boxes(key);
  for (const node of elements) {
    if (boxes.add(node, () => true) !== null)
      scope.refuse('this element overlaps another', elementValue(node).at ?? node.at);
  }
}

const boxesOf: WeakMap<NftSet, Boxes> = new WeakMap();

/** The elements of a named set that may lie in each other; null if the set is of another kind. */
export function setBoxes(set: NftSet): Boxes | null {
  const shape = set.plan === null ? null : shapeOf(set);
  if (shape === null || !shape.interval || shape.key.parts === undefined) return null;
  const boxes = boxesOf.get(set) ?? new Boxes(shape.key);
  boxesOf.set(set, boxes);
  return boxes;
}
