import { ImmediateExpr } from '../rules/expr-immediate.ts';
import { RuleSet } from '../rules/set.ts';
import type { NewElement } from '../rules/set-element.ts';
import type { StatefulExpr } from '../rules/stateful.ts';
import type { ElemExpr, ExprNode } from './ast-expr.ts';
import type { ObjectKind } from './ast-stmt.ts';
import {
  anonymousShape,
  keyText,
  objectName,
  plainElements,
  type SetShape,
  shapeOf,
} from './eval-elements.ts';
import { isInterval } from './eval-interval.ts';
import { infoOf } from './eval-key.ts';
import { constantOf, type Info, partsOf } from './eval-scope.ts';
import { elementValue } from './eval-sorted.ts';
import { isVerdict } from './eval-verdict.ts';
import { type Loaded, placeOf } from './lower-bits.ts';
import { constantBytes, haveNames, type KeyBytes, keyBytes, swaps } from './lower-bytes.ts';
import { elementByName, keyByName } from './lower-names.ts';
import { stateful } from './lower-stateful.ts';
import type { LoweredSet, LowerTable, Out } from './lower-table.ts';
import { verdictExpr } from './lower-verdict.ts';
import type { NftSet } from './ruleset-state.ts';
import type { RunningSet } from './running-set.ts';

const WHOLE: Loaded = { len: 0, shift: 0 };
const NO_KEY: KeyBytes = { key: new Uint8Array(0), end: null };

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** How a field that is smaller than its bytes stands in the register where it alone is a set's key. */
export function keyPlace(expr: ExprNode): Loaded {
  const place = placeOf('binop' in expr ? innermost(expr) : expr);
  if (place === null) return WHOLE;
  const len = ((place.offset + place.bits + 7) >> 3) - (place.offset >> 3);
  if (place.bits === len * 8) return WHOLE;
  return { len, shift: len * 8 - (place.offset & 7) - place.bits };
}

function innermost(expr: ExprNode): ExprNode {
  return 'binop' in expr ? innermost(expr.binop.left) : expr;
}

/**
 * The set of a match or map: a named one, or one made of what stands in braces.
 * @param objects the kind of objects that a map leads to
 */
export function mapSet(out: Out, key: ExprNode, data: ExprNode, objects?: ObjectKind): LoweredSet {
  if ('setref' in data) return out.about.sets.get(data.setref)!;
  const nodes = 'set' in data ? data.set : [];
  const interval = nodes.some((node) => isInterval(elementValue(node)));
  const values = objects === undefined ? dataShape(nodes) : { object: objects };
  const shape = anonymousShape(infoOf(key), values, interval);
  const text = constantText(nodes, shape, keyPlace(key));
  const known = text === null ? undefined : out.about.constants.get(text);
  if (known !== undefined) return known;
  const name = anonymousName(out.about, shape);
  const made = buildSet(out.about, name, shape, nodes, keyPlace(key));
  if (text !== null) out.about.constants.set(text, made);
  return made;
}

/** More elements than these are not looked for among the sets that exist. */
const FEW = 64;

/** What tells sets of few plain values apart, null for any other set. */
function constantText(nodes: readonly ExprNode[], { key, data }: SetShape, place: Loaded): string | null {
  if (nodes.length > FEW || data !== null) return null;
  const types = partsOf(key).map((part) => `${part.type.name} ${part.bits} ${part.order}`);
  let text = `${types.join('.')} ${place.len} ${place.shift}:`;
  for (const node of nodes) {
    if ('elem' in node) return null;
    text += ` ${keyText(node, key)},`;
  }
  return text;
}

function dataShape(nodes: readonly ExprNode[]): SetShape['data'] {
  const first = nodes[0];
  if (first === undefined || !('pair' in first)) return null;
  const value = first.pair[1];
  return isVerdict(value) ? 'verdict' : infoOf(value);
}

function anonymousName(about: LowerTable, shape: SetShape): string {
  const { data } = shape;
  const isObject = data !== null && typeof data === 'object' && 'object' in data;
  const kind = data === null ? 'set' : isObject ? 'objmap' : 'map';
  return `__${kind}${about.anonymous++}`;
}

/** Options of a named set. */
export interface SetOptions {
  /** ms. */
  readonly timeout?: number | undefined;
  readonly size?: number | undefined;
  readonly exprs?: readonly StatefulExpr[] | undefined;
}

/** Makes a set and puts elements into it. */
export function buildSet(
  about: LowerTable,
  name: string,
  shape: SetShape,
  elements: readonly ExprNode[],
  place: Loaded = WHOLE,
  options: SetOptions = {},
): LoweredSet {
  const { data } = shape;
  const key = keyByName(shape.key, elements, shape.named);
  const dataRanged = shape.named ? shape.dataInterval : elements.some(hasRangedData);
  const swapped = shape.interval && partsOf(key).some(swaps);
  const keyLen = place.len > 0 ? place.len : keyLength(key);
  const set = new RuleSet({
    name,
    keyLen,
    fields: key.parts?.map((part) => (part.bits + 7) >> 3),
    interval: shape.interval,
    // A meter has no name in a ruleset either, but packets add to it: it alone says how large it may become.
    constant: !shape.named && options.size === undefined,
    map: data === null ? undefined : mapKind(data),
    dataLen: data === null ? undefined : dataLength(data) * (dataRanged ? 2 : 1),
    timeout: options.timeout,
    size: options.size,
    exprs: options.exprs,
  });
  const lowered = { set, swapped, shape, key, dataRanged };
  fill(about, lowered, elements, place);
  return lowered;
}

/** Adds elements; their time begins with the next packet. */
function fill(
  about: LowerTable,
  lowered: LoweredSet,
  elements: readonly ExprNode[],
  place: Loaded = WHOLE,
): void {
  lowered.set.addAll(
    elements.map((node) => element(about, node, lowered, place)),
    Number.NaN,
  );
}

function mapKind(data: Exclude<SetShape['data'], null>): 'data' | 'verdict' | 'object' {
  return data === 'verdict' ? 'verdict' : 'object' in data ? 'object' : 'data';
}

/** Bytes of a key in registers. */
export function keyLength(key: Info): number {
  return (key.bits + 7) >> 3;
}

/** Bytes of a map's value; none of a verdict or an object. */
function dataLength(data: Exclude<SetShape['data'], null>): number {
  return data === 'verdict' || 'object' in data ? 0 : keyLength(data);
}

function element(about: LowerTable, node: ExprNode, set: LoweredSet, place: Loaded): NewElement {
  const head = 'pair' in node ? node.pair[0] : node;
  const value = elementByName(elementValue(head), set.shape.key, set.key);
  const catchall = 'wildcard' in value;
  const bytes = catchall ? NO_KEY : keyBytes(value, set.key, set.swapped, place.shift, place.len);
  const out: Writable<NewElement> = {
    key: bytes.key,
    keyEnd: bytes.end,
    data: undefined,
    verdict: undefined,
    object: undefined,
    timeout: undefined,
    left: undefined,
    exprs: undefined,
    catchall,
    tag: node,
  };
  if ('elem' in head) writeOptions(about, head.elem, out);
  if ('pair' in node) writeData(about, node.pair[1], set, out);
  return out;
}

function writeOptions(about: LowerTable, elem: ElemExpr['elem'], out: Writable<NewElement>): void {
  const { timeout, expires, stmts } = elem;
  out.timeout = timeout === undefined ? undefined : Number(timeout);
  out.left = expires === undefined ? undefined : Number(expires);
  out.exprs = stmts?.map((stmt) => about.running.expr(stmt)).filter((expr) => expr !== null);
}

/** What belongs to an element of a map. */
type ElementData = Pick<NewElement, 'data' | 'verdict' | 'object'>;

function writeData(about: LowerTable, node: ExprNode, set: LoweredSet, out: Writable<ElementData>): void {
  const { data } = set.shape;
  if (data === null) return;
  if (isVerdict(node)) {
    out.verdict = verdictExpr(about, node);
    return;
  }
  if (typeof data === 'object' && 'object' in data)
    out.object = about.objects.get(`${data.object} ${objectName(node) ?? ''}`) ?? null;
  else if (data !== 'verdict') out.data = valueBytes(node, data, set.dataRanged);
}

function hasRangedData(node: ExprNode): boolean {
  return 'pair' in node && !isVerdict(node.pair[1]) && isInterval(node.pair[1]);
}

/** The bytes of a map's value, every part filled up to four; of ranges the first's and then the last's. */
function valueBytes(node: ExprNode, info: Info, ranged: boolean): Uint8Array {
  const { key, end } = keyBytes(node, info, false);
  if (!ranged) return key;
  const size = (key.length + 3) & ~3;
  const both = new Uint8Array(2 * size);
  both.set(key);
  both.set(end ?? key, size);
  return both;
}

/** A named set with its elements: the one that runs already, brought up to date, or a new one. */
export function lowerNamedSet(about: LowerTable, set: NftSet): LoweredSet {
  const running = about.running.set(set);
  if (running !== undefined && takesNames(running, set)) {
    update(about, set, running);
    return running.lowered;
  }
  const exprs = set.node.stmt?.map(stateful).filter((expr) => expr !== null);
  const options = { ...limitsOf(set), exprs };
  const lowered = buildSet(about, set.name, shapeOf(set), plainElements(set), WHOLE, options);
  about.running.keepSet(set, lowered);
  return lowered;
}

/** What may be changed of a set while it runs. */
function limitsOf({ node: { timeout, size } }: NftSet): Pick<SetOptions, 'timeout' | 'size'> {
  return { timeout: timeout === undefined ? undefined : Number(timeout), size };
}

/** Whether a running set has room for the names of interfaces, if it was given some since. */
function takesNames({ lowered: { key, shape } }: RunningSet, { elements }: NftSet): boolean {
  return key !== shape.key || !haveNames(elements.values(), key);
}

/** Has a running set hold what the tree says now. */
function update(about: LowerTable, source: NftSet, running: RunningSet): void {
  about.running.settle(source);
  const { lowered, given } = running;
  const { set } = lowered;
  const { timeout, size } = limitsOf(source);
  set.spec.timeout = timeout;
  set.spec.size = size;
  const wanted = new Set(source.elements.values());
  const gone = [...given].some((node) => !wanted.has(node));
  const fresh = [...wanted].filter((node) => !given.has(node));
  if (lowered.shape.merge && (gone || fresh.length > 0)) {
    // Merged intervals may merge anew, or come apart.
    set.flush();
    fill(about, lowered, plainElements(source));
  } else {
    if (gone) for (const row of set.rows(Number.NaN)) if (isGone(set.store.tags[row])) set.drop(row);
    fill(about, lowered, fresh);
  }
  renewTargets(about, lowered);
  about.running.keepSet(source, lowered);

  function isGone(tag: unknown): boolean {
    return tag !== undefined && !wanted.has(tag as ExprNode);
  }
}

/** Chains are made anew by every lowering, and objects where they were reset. */
function renewTargets(about: LowerTable, lowered: LoweredSet): void {
  const { set } = lowered;
  const { map } = set.spec;
  if (map !== 'verdict' && map !== 'object') return;
  for (const row of set.rows(Number.NaN)) {
    const node = set.store.tags[row] as ExprNode;
    if (!('pair' in node)) continue;
    const found: Writable<ElementData> = {};
    writeData(about, node.pair[1], lowered, found);
    set.store.verdicts[row] = found.verdict ?? null;
    set.store.objects[row] = found.object ?? null;
  }
  set.version++;
}

/** Puts a constant into a register. */
export function immediate(node: ExprNode, info: Info, reg: number): ImmediateExpr {
  if ('concat' in node) return new ImmediateExpr(reg, keyBytes(node, info, false).key);
  return new ImmediateExpr(reg, constantBytes(node, info));
}

/** Whether an expression is a constant that needs no packet. */
export function isConstant(node: ExprNode): boolean {
  if ('concat' in node) return node.concat.every(isConstant);
  return constantOf(node) !== undefined;
}
