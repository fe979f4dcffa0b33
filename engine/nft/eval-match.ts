import { didYouMean } from '../base/suggest.ts';
import type { Family } from './ast.ts';
import type { At, ExprNode } from './ast-expr.ts';
import type { MatchOp, MatchStmt, VmapStmt } from './ast-stmt.ts';
import { anonymousShape, evalAnonymous, keyText, type SetShape, shapeOf } from './eval-elements.ts';
import { isWildcard } from './eval-interval.ts';
import { EXISTENCE, evalKey, isAssignable, type Key, sameType, setMapEvaluation } from './eval-key.ts';
import { learnHeaders } from './eval-proto.ts';
import { constant, describeInfo, type Info, numberOf, registerBytes, type Scope } from './eval-scope.ts';
import { elementValue } from './eval-sorted.ts';
import { evalValue, fold } from './eval-value.ts';
import type { NftSet } from './ruleset-state.ts';

/** Operators that compare with one value only. */
const ORDERED: ReadonlySet<string> = new Set(['<', '>', '<=', '>=']);

const OWN_PROTOCOL: Partial<Record<Family, bigint>> = { ip: 0x0800n, ip6: 0x86ddn };

/** Evaluates `left op right` and adds it to the rule. */
export function evalMatch(scope: Scope, stmt: MatchStmt): void {
  const { match } = stmt;
  if ('map' in match.left)
    scope.refuse(`Relational expression (${match.op}) has constant value`, match.left.at);
  let { expr: left, info } = evalKey(scope, match.left);
  if ('boolean' in match.right && 'fib' in left) {
    if (left.fib.result !== 'oif')
      scope.refuse('Invalid argument', stmt.at, 'only fib oif has exists and missing');
    info = EXISTENCE;
  }
  if ('binop' in left && (left.binop.op === '<<' || left.binop.op === '>>') && info.type.name !== 'integer')
    scope.refuse(`a shifted ${describeInfo(info)} is an integer and cannot be compared with one`, left.at);
  const turned = turnedRange(scope, stmt, left, info);
  let right = turned === null ? evalRight(scope, match.right, info) : turned.right;
  if ('set' in right || 'setref' in right) needFamily(scope, match.left);
  if (info.parts !== undefined && !('set' in right) && !('setref' in right))
    scope.refuse('use concatenations with sets and maps, not single values', stmt.at ?? match.right.at);
  const op = resolveOp(scope, turned?.op ?? match.op, left, right, info, stmt.at);
  if ((op === '==' || op === '!=') && 'binop' in left && left.binop.op === '^') {
    const mask = numberOf(left.binop.right);
    const value = numberOf(right);
    if (mask !== undefined && value !== undefined) {
      right = constant(info, fold('^', value, mask, info.bits), right.at);
      left = left.binop.left;
    }
  }
  refuseSetOnly(scope, left, right);
  if (op === '==' && isOwnProtocol(scope, left, right)) return;
  scope.out.push({ match: { op, left, right }, at: stmt.at });
  if (op !== '==' && op !== 'in') return;
  // The last of a set's elements as written counts (measured: { udp, tcp } and then udp is refused).
  const written = 'set' in match.right ? match.right.set : null;
  if (written === null || info.parts !== undefined) learnHeaders(scope, left, right);
  else learnHeaders(scope, left, { set: writtenValues(scope, written, info) });
}

const OPPOSITE: Partial<Record<MatchOp, MatchOp>> = { '==': '!=', '!=': '==', implicit: '!=', in: '!=' };

/** A range of hours or days that goes over midnight or the week's end is everything but the hours between (measured). */
function turnedRange(
  scope: Scope,
  { match }: MatchStmt,
  left: ExprNode,
  info: Info,
): { op: MatchOp; right: ExprNode } | null {
  const op = OPPOSITE[match.op];
  if (op === undefined || !('range' in match.right) || !('meta' in left)) return null;
  if (left.meta.key !== 'hour' && left.meta.key !== 'day') return null;
  const [low, high] = match.right.range.map((end) => evalValue(scope, end, info)) as [ExprNode, ExprNode];
  if (numberOf(low)! <= numberOf(high)!) return null;
  return { op, right: { range: [high, low], at: match.right.at } };
}

/** What a rule can set, but not compare with a value (measured). */
function refuseSetOnly(scope: Scope, node: ExprNode, right?: ExprNode): void {
  if ('concat' in node) for (const part of node.concat) refuseSetOnly(scope, part);
  if ('binop' in node) refuseSetOnly(scope, node.binop.left);
  const key = 'meta' in node ? node.meta.key : 'ct' in node ? node.ct.key : '';
  if (key === 'secmark' && right !== undefined && !('setref' in right))
    scope.refuse('secmark cannot be compared with a constant value', right.at);
  if (key === 'nftrace') scope.refuse('Operation not supported', node.at, 'meta nftrace can only be set');
  if (key === 'event') scope.refuse('Operation not supported', node.at, 'ct event can only be set');
}

/** `ct original saddr` alone is typed by the one address that it is compared with (measured). */
function needFamily(scope: Scope, node: ExprNode): void {
  if ('concat' in node) for (const part of node.concat) needFamily(scope, part);
  if (!('ct' in node) || node.ct.family !== undefined) return;
  if (node.ct.key === 'saddr' || node.ct.key === 'daddr')
    scope.refuse(
      'specify either ip or ip6 for address matching',
      node.at,
      `ct ${node.ct.dir} ip ${node.ct.key}`,
    );
}

/** A set's values in the order in which they were written first. */
function writtenValues(scope: Scope, nodes: readonly ExprNode[], info: Info): ExprNode[] {
  const out = new Map<string, ExprNode>();
  for (const node of nodes) {
    const written = 'elem' in node ? node.elem.val : node;
    const value = 'wildcard' in written || 'set' in written ? written : evalValue(scope, written, info);
    const key = 'set' in value ? '' : keyText(value, info);
    if (!out.has(key)) out.set(key, value);
  }
  return [...out.values()];
}

/** `meta protocol ip` in a table that has no other packets: nft leaves it out, unless it is the last (measured). */
function isOwnProtocol(scope: Scope, left: ExprNode, right: ExprNode): boolean {
  if (scope.last || !('meta' in left) || left.meta.key !== 'protocol') return false;
  const own = OWN_PROTOCOL[scope.family];
  return own !== undefined && numberOf(right) === own;
}

function evalRight(scope: Scope, node: ExprNode, info: Info): ExprNode {
  if ('setref' in node) {
    const set = findSet(scope, node.setref, node.at);
    requireType(scope, info, shapeOf(set).key, node.at);
    return node;
  }
  if (!('set' in node)) return evalValue(scope, node, info);
  const elements = evalAnonymous(scope, node.set, anonymousShape(info, null));
  if (elements.length === 0) scope.refuse('Set is empty', node.at);
  // One element in braces is no set for nft (measured), unless it is a concatenation or stands for everything.
  const only =
    node.set.length === 1 && elements.length === 1 && info.parts === undefined ? elements[0]! : null;
  const value = only === null ? null : elementValue(only);
  if (value === null || 'wildcard' in value) return { set: elements, at: node.at };
  // As written: a range stays one (measured), which in a set it does not.
  const written = elementValue(node.set[0]!);
  return 'set' in written ? value : evalValue(scope, written, info);
}

function resolveOp(
  scope: Scope,
  op: MatchOp,
  left: ExprNode,
  right: ExprNode,
  info: Info,
  at: At | undefined,
): MatchOp {
  const flags = info.type.base === 'bitmask' && 'constant' in right;
  if (op === 'implicit' || op === 'in') return flags && !('binop' in left) ? 'in' : '==';
  if (op === '!' && !flags) scope.refuse('the operator ! needs flags', at);
  if (!ORDERED.has(op)) return op;
  if ('constant' in right && !isWildcard(right)) return op;
  const what =
    'range' in right ? 'range' : 'prefix' in right ? 'prefix' : 'constant' in right ? 'text' : 'set';
  return scope.refuse(`relational expression (${op}) is undefined for ${what} expressions`, at ?? right.at);
}

/** The named set or map that a reference means. */
export function findSet(scope: Scope, name: string, at: At | undefined): NftSet {
  const found = scope.table.sets.get(name);
  if (found !== undefined) return found;
  return scope.lacks(`no set ${name} in table ${scope.table.name}`, at, () =>
    didYouMean(name, [...scope.table.sets.keys()]),
  );
}

/** Refuses types that do not fit together. */
export function requireType(scope: Scope, expected: Info, got: Info, at: At | undefined): void {
  if (!sameType(expected, got))
    scope.refuse(
      `datatype mismatch, expected ${describeInfo(expected)}, expression has type ${describeInfo(got)}`,
      at,
    );
}

/** `key vmap data`. */
export function evalVmap(scope: Scope, stmt: VmapStmt): void {
  const { key, data } = evalMapping(scope, stmt.vmap.key, stmt.vmap.data, 'verdict');
  scope.out.push({ vmap: { key: key.expr, data }, at: stmt.at });
}

/** The key and the data of a map; a literal's data are typed by what the map's values are for. */
function evalMapping(
  scope: Scope,
  keyNode: ExprNode,
  dataNode: ExprNode,
  data: Exclude<SetShape['data'], null> | null,
): { key: Key; data: ExprNode; shape: SetShape } {
  const key = evalKey(scope, keyNode);
  needFamily(scope, keyNode);
  refuseSetOnly(scope, key.expr);
  if ('setref' in dataNode) {
    const set = findSet(scope, dataNode.setref, dataNode.at);
    const shape = shapeOf(set);
    if (shape.data === null) return scope.refuse(`${dataNode.setref} is not a map`, dataNode.at);
    requireType(scope, key.info, shape.key, dataNode.at);
    if (data !== null) requireData(scope, data, shape.data, dataNode.at);
    return { key, data: dataNode, shape };
  }
  if (!('set' in dataNode) || data === null)
    return scope.refuse('expected a map in braces or its name', dataNode.at);
  // A map's keys are not held to the generator's range (measured).
  const { type, bits, order, parts } = key.info;
  const shape = anonymousShape({ type, bits, order, max: undefined, parts }, data);
  return { key, data: { set: evalAnonymous(scope, dataNode.set, shape), at: dataNode.at }, shape };
}

function requireData(
  scope: Scope,
  wanted: Exclude<SetShape['data'], null>,
  got: Exclude<SetShape['data'], null>,
  at: At | undefined,
): void {
  if (typeof wanted === 'object' && !('object' in wanted) && typeof got === 'object' && !('object' in got)) {
    if (!isAssignable(wanted, got)) requireType(scope, wanted, got, at);
    return;
  }
  const name = (data: typeof wanted): string =>
    data === 'verdict' ? 'netfilter verdict' : 'object' in data ? data.object : describeInfo(data);
  if (name(wanted) !== name(got))
    scope.refuse(`datatype mismatch: expected ${name(wanted)}, the map has ${name(got)}`, at);
}

/** Evaluates what a statement assigns: a constant, an expression or a map to values of a type. */
export function evalAssigned(scope: Scope, node: ExprNode, info: Info): ExprNode {
  if ('map' in node) {
    const { key, data } = evalMapping(scope, node.map.key, node.map.data, info);
    return { map: { key: key.expr, data }, at: node.at };
  }
  if (!readsPacket(node)) return evalValue(scope, node, info);
  const key = evalKey(scope, node);
  requireAssignable(scope, info, key, node.at);
  return key.expr;
}

/** Refuses to assign what is of another type, or has less than is wanted: the kernel reads no register that nobody wrote. */
export function requireAssignable(scope: Scope, wanted: Info, key: Key, at: At | undefined): void {
  const { info } = key;
  if (!isAssignable(wanted, info, key.expr))
    scope.refuse(
      `datatype mismatch: expected ${describeInfo(wanted)}, expression has type ${describeInfo(info)}`,
      at,
    );
  if (registerBytes(info.bits) < registerBytes(wanted.bits)) scope.refuse('No data available', at);
}

/** A map to the names of objects. */
export function evalObjectMap(
  scope: Scope,
  node: ExprNode & { map: { key: ExprNode; data: ExprNode } },
  object: string,
): ExprNode {
  const { key, data } = evalMapping(scope, node.map.key, node.map.data, { object });
  return { map: { key: key.expr, data }, at: node.at };
}

/** Whether an expression is read from the packet, rather than constant. */
function readsPacket(node: ExprNode): boolean {
  if ('binop' in node) return readsPacket(node.binop.left) || readsPacket(node.binop.right);
  if ('concat' in node) return node.concat.some(readsPacket);
  if ('list' in node || 'range' in node || 'prefix' in node) return false;
  return !('symbol' in node || 'number' in node || 'boolean' in node || 'constant' in node);
}

setMapEvaluation((scope, node) => {
  const { key, data, shape } = evalMapping(scope, node.map.key, node.map.data, null);
  if (shape.data === null || shape.data === 'verdict' || 'object' in shape.data)
    return scope.refuse('this map has no values that can be compared', node.at);
  return { expr: { map: { key: key.expr, data }, at: node.at }, info: shape.data };
});
