import { didYouMean } from '../base/suggest.ts';
import { encodeUtf8 } from '../base/utf8.ts';
import type { At, ExprNode } from './ast-expr.ts';
import type {
  FlowStmt,
  LimitSpec,
  LogStmt,
  MangleStmt,
  MapStmt,
  MeterStmt,
  ObjectKind,
  QuotaSpec,
  SetStmt,
  StmtNode,
} from './ast-stmt.ts';
import { type SetShape, shapeOf } from './eval-elements.ts';
import { unsupportedStatement } from './eval-family.ts';
import { evalKey } from './eval-key.ts';
import {
  evalAssigned,
  evalMatch,
  evalObjectMap,
  evalVmap,
  findSet,
  requireAssignable,
} from './eval-match.ts';
import { evalDup, evalFwd, evalNat, evalTproxy } from './eval-nat.ts';
import { evalReject } from './eval-reject.ts';
import type { Info, Scope } from './eval-scope.ts';
import { evalValue } from './eval-value.ts';
import { evalVerdict, isTerminal, isVerdict } from './eval-verdict.ts';
import { ctKey } from './key-ct.ts';
import { metaKey } from './key-meta.ts';
import { cutLimit, limitTrouble, MOST_STATEMENTS, quotaTrouble } from './limit-range.ts';
import { placeOf } from './lower-bits.ts';
import { checksumOf, widened } from './lower-checksum.ts';
import type { NftSet } from './ruleset-state.ts';
import { INTEGER } from './type-datatype.ts';
import { amount, type ByteUnit, toUnits } from './units.ts';

/** Bytes. */
const LOG_PREFIX_MAX = 127;
const LOG_FLAGS = ['tcp sequence', 'tcp options', 'ip options', 'skuid', 'ether'];

/** Evaluates the statements of a rule one after the other into `scope.out`. */
export function evalStatements(scope: Scope, statements: readonly StmtNode[]): void {
  let ended = false;
  for (const stmt of statements) {
    if (ended) scope.refuse('statement after terminal statement has no effect', stmt.at);
    scope.last = stmt === statements.at(-1);
    evalStatement(scope, stmt);
    ended = ended || isTerminal(stmt) || ENDS.some((key) => key in stmt);
  }
}

/** Statements besides verdicts that nothing may follow. */
const ENDS = ['reject', 'snat', 'dnat', 'masquerade', 'redirect', 'queue', 'fwd'];

function evalStatement(scope: Scope, stmt: StmtNode): void {
  if ('match' in stmt) evalMatch(scope, stmt);
  else if ('vmap' in stmt) evalVmap(scope, stmt);
  else if (isVerdict(stmt)) scope.out.push(evalVerdict(scope, stmt));
  else if ('mangle' in stmt) evalMangle(scope, stmt);
  else if ('reject' in stmt) evalReject(scope, stmt);
  else if ('set' in stmt) evalSetStmt(scope, stmt);
  else if ('map' in stmt) evalMapStmt(scope, stmt);
  else if ('meter' in stmt) evalMeter(scope, stmt);
  else if ('objref' in stmt) evalObjref(scope, stmt);
  else if ('snat' in stmt || 'dnat' in stmt || 'masquerade' in stmt || 'redirect' in stmt)
    evalNat(scope, stmt);
  else if ('tproxy' in stmt) evalTproxy(scope, stmt);
  else if ('dup' in stmt) evalDup(scope, stmt);
  else if ('fwd' in stmt) evalFwd(scope, stmt);
  else if ('queue' in stmt) evalQueue(scope, stmt);
  else if ('flow' in stmt) evalFlow(scope, stmt);
  else if ('reset' in stmt) scope.out.push({ reset: evalKey(scope, stmt.reset).expr, at: stmt.at });
  else if ('synproxy' in stmt) {
    const wrong = unsupportedStatement('synproxy', scope.family);
    if (wrong !== null) scope.refuse(wrong, stmt.at);
    if (scope.th !== null && scope.th !== 'tcp') scope.refuse('synproxy is for tcp only', stmt.at);
    scope.out.push(stmt);
  } else scope.out.push(evalPlain(scope, stmt));
}

function evalFlow(scope: Scope, stmt: FlowStmt): void {
  const { flowtable } = stmt.flow;
  if (!scope.table.flowtables.has(flowtable))
    scope.lacks(`no flowtable ${flowtable} in table ${scope.table.name}`, stmt.at);
  scope.out.push(stmt);
}

/** Statements that need nothing of the packet; also those inside elements of sets. */
function evalPlain(scope: Scope, stmt: StmtNode): StmtNode {
  const wrong = 'ct count' in stmt ? unsupportedStatement('ct count', scope.family) : null;
  if (wrong !== null) scope.refuse(wrong, stmt.at);
  if ('limit' in stmt) return { limit: normalLimit(scope, stmt.limit, stmt.at), at: stmt.at };
  if ('xt' in stmt)
    return scope.refuse(
      'unsupported xtables compat expression',
      stmt.at,
      'use iptables-nft with this ruleset',
    );
  if ('quota' in stmt) {
    const trouble = quotaTrouble(stmt.quota);
    if (trouble !== null) scope.refuse(trouble, stmt.at);
    return { quota: normalQuota(stmt.quota), at: stmt.at };
  }
  if ('log' in stmt) return { log: normalLog(scope, stmt.log, stmt.at), at: stmt.at };
  if ('counter' in stmt) return { counter: stmt.counter ?? { packets: 0, bytes: 0 }, at: stmt.at };
  return stmt;
}

function inUnits(bytes: bigint): { value: number | bigint; unit: ByteUnit } {
  const { count, unit } = amount(bytes);
  return { value: Number.isSafeInteger(Number(count)) ? Number(count) : count, unit };
}

/** A limit as nft lists it: the largest unit that divides the rate, the burst always there. */
function normalLimit(scope: Scope, limit: LimitSpec, at: At | undefined): LimitSpec {
  if (limit.rate_unit === 'packets' && BigInt(limit.burst ?? 5) === 0n)
    scope.refuse('packet limit burst must be > 0', at);
  const cut = cutLimit(limit);
  const { rate, rate_unit: unit, per, inv } = cut;
  const trouble = limitTrouble(cut);
  if (trouble !== null) scope.refuse(trouble, at);
  if (unit === 'packets') return { rate, rate_unit: unit, per, burst: cut.burst ?? 5, inv };
  const best = inUnits(toUnits(rate, unit));
  const burst = inUnits(toUnits(cut.burst ?? 0, cut.burst_unit));
  return { rate: best.value, rate_unit: best.unit, per, burst: burst.value, burst_unit: burst.unit, inv };
}

/** A quota as nft lists it. */
function normalQuota(quota: QuotaSpec): QuotaSpec {
  const val = inUnits(toUnits(quota.val, quota.val_unit));
  const used = toUnits(quota.used ?? 0, quota.used_unit);
  const base = { val: val.value, val_unit: val.unit, inv: quota.inv };
  if (used === 0n) return base;
  const spent = inUnits(used);
  return { ...base, used: spent.value, used_unit: spent.unit };
}

function normalLog(scope: Scope, log: LogStmt['log'], at: At | undefined): LogStmt['log'] {
  const { prefix, group, level } = log;
  if (prefix !== undefined && encodeUtf8(prefix).length > LOG_PREFIX_MAX)
    scope.refuse(`log prefix is too long: at most ${LOG_PREFIX_MAX} bytes`, at);
  const others = [prefix, group, log.flags, log.snaplen, log['queue-threshold']];
  if (level === 'audit' && others.some((one) => one !== undefined))
    scope.refuse("log level audit doesn't support any further options", at);
  if (group !== undefined && log.flags !== undefined)
    scope.refuse('flags and group are mutually exclusive', at);
  if (group !== undefined && level !== undefined) scope.refuse('level and group are mutually exclusive', at);
  const all = log.flags?.includes('all') === true;
  const set = LOG_FLAGS.filter((flag) => all || log.flags?.includes(flag) === true);
  const flags = set.length === 0 ? undefined : set.length === LOG_FLAGS.length ? ['all'] : set;
  const threshold = (log['queue-threshold'] ?? 0) & 0xffff;
  return {
    prefix,
    // nft takes the lower 16 bits without a word (measured).
    group: group === undefined ? undefined : group & 0xffff,
    snaplen: group === undefined ? undefined : log.snaplen,
    'queue-threshold': group === undefined || threshold === 0 ? undefined : threshold,
    level: level === 'warn' ? undefined : level,
    flags,
  };
}

function evalMangle(scope: Scope, stmt: MangleStmt): void {
  const { key: node, value } = stmt.mangle;
  if ('meta' in node && metaKey(node.meta.key)?.settable === false)
    scope.refuse(`meta ${node.meta.key} cannot be set`, node.at ?? stmt.at);
  if ('ct' in node && ctKey(node.ct.key, node.ct.family)?.settable === false)
    scope.refuse(`ct ${node.ct.key} cannot be set`, node.at ?? stmt.at);
  const assignable =
    'meta' in node || 'ct' in node || 'payload' in node || 'rawPayload' in node || 'tcp option' in node;
  if (!assignable) scope.refuse('this cannot be set', node.at ?? stmt.at);
  const { expr: key, info } = evalKey(scope, node);
  if ('tcp option' in key && info.bits !== 16 && info.bits !== 32)
    scope.refuse('Operation not supported', stmt.at, 'only fields of two or four bytes can be set');
  if ('list' in value && 'ct' in key && key.ct.key === 'label')
    scope.refuse('expected one label', value.at ?? stmt.at, 'several are written 1 | 2');
  const assigned = evalAssigned(scope, value, info);
  if ('ct' in key && key.ct.key === 'secmark' && 'constant' in assigned)
    scope.refuse('ct secmark must not be set to constant value', value.at ?? stmt.at);
  if ('range' in assigned) scope.refuse('a range cannot be assigned', value.at ?? stmt.at);
  if ('prefix' in assigned) scope.refuse('a prefix cannot be assigned', value.at ?? stmt.at);
  const place = placeOf(key);
  if (place !== null && widened(place, checksumOf(key)) !== null && !('constant' in assigned))
    scope.refuse('a field that is no whole 16-bit word can only be set to a constant', value.at ?? stmt.at);
  scope.out.push({ mangle: { key, value: assigned }, at: stmt.at });
}

function evalObjref(scope: Scope, stmt: StmtNode & { objref: { type: ObjectKind; name: ExprNode } }): void {
  const { type, name } = stmt.objref;
  if ('map' in name) {
    scope.out.push({ objref: { type, name: evalObjectMap(scope, name, type) }, at: stmt.at });
    return;
  }
  const word = 'symbol' in name ? name.symbol : 'number' in name ? String(name.number) : '';
  if (!scope.table.objects.has(`${type} ${word}`)) {
    const known = [...scope.table.objects.values()].filter((one) => one.kind === type);
    const names = known.map((one) => one.name);
    const hint = didYouMean(word, names);
    scope.refuse(`no ${type} ${word} in table ${scope.table.name}`, name.at ?? stmt.at, hint);
  }
  scope.out.push({ objref: { type, name: { symbol: word, quoted: true } }, at: stmt.at });
}

function evalQueue(scope: Scope, stmt: StmtNode & { queue: { num?: ExprNode | undefined } }): void {
  const { num } = stmt.queue;
  const info: Info = { type: INTEGER, bits: 16, order: 'big' };
  const isKey = num !== undefined && ('numgen' in num || 'jhash' in num || 'symhash' in num || 'map' in num);
  const value =
    num === undefined ? undefined : isKey ? queueKey(scope, num, info) : evalValue(scope, num, info);
  const queue = { ...(stmt as { queue: { flags: readonly ('bypass' | 'fanout')[] } }).queue, num: value };
  scope.out.push({ queue, at: stmt.at });
}

function queueKey(scope: Scope, num: ExprNode, info: Info): ExprNode {
  return 'map' in num ? evalAssigned(scope, num, info) : evalKey(scope, num).expr;
}

function evalInner(
  scope: Scope,
  statements: readonly StmtNode[] | undefined,
): readonly StmtNode[] | undefined {
  return statements?.map((inner) => innerStatement(scope, inner));
}

/** A statement that every element of a set gets for itself: its counter begins at nothing. */
function innerStatement(scope: Scope, stmt: StmtNode): StmtNode {
  return 'counter' in stmt ? { counter: null } : evalPlain(scope, stmt);
}

function dynamicElement(scope: Scope, node: ExprNode, key: Info, at: At | undefined): ExprNode {
  const value = 'elem' in node ? node.elem.val : node;
  const got = evalKey(scope, value);
  requireAssignable(scope, key, got, value.at ?? at);
  if ('elem' in node && node.elem.comment !== undefined)
    scope.refuse('Key expression comments are not supported', node.at ?? at);
  if ('elem' in node && Number(node.elem.timeout ?? 0) === 0) return got.expr;
  return 'elem' in node ? { elem: { ...node.elem, val: got.expr }, at: node.at } : got.expr;
}

function refuseMany(scope: Scope, inner: readonly StmtNode[] | undefined, at: At | undefined): void {
  if ((inner ?? []).length > MOST_STATEMENTS)
    scope.refuse('Argument list too long', at, `elements have ${MOST_STATEMENTS} statements at most`);
}

function evalSetStmt(scope: Scope, stmt: SetStmt): void {
  const { op, elem, set: name, stmt: written } = stmt.set;
  const set = findSet(scope, name, stmt.at);
  const { expires, stmts: declared } = shapeOf(set);
  // What the set declares every element has, and is not listed here (measured).
  const inner = declared !== null && declared.length > 0 ? undefined : written;
  if (!expires && 'elem' in elem && elem.elem.timeout !== undefined)
    scope.refuse(`elements of ${name} have no timeout`, stmt.at, "add 'flags timeout' to the set");
  if (expires && written?.some((one) => 'ct count' in one) === true)
    scope.refuse('ct count does not work in a set whose elements expire', stmt.at);
  if (shapeOf(set).data !== null)
    scope.refuse('Invalid argument', stmt.at, `elements of the map ${name} need a value`);
  refuseInterval(scope, set, stmt.at);
  refuseMany(scope, inner, stmt.at);
  const evaluated = dynamicElement(scope, elem, shapeOf(set).key, stmt.at);
  scope.out.push({ set: { op, elem: evaluated, set: name, stmt: evalInner(scope, inner) }, at: stmt.at });
}

/** The kernel's sets of intervals cannot be changed by packets. */
function refuseInterval(scope: Scope, set: NftSet, at: At | undefined): void {
  if (shapeOf(set).interval) scope.refuse(`${set.name} has intervals: packets cannot add elements to it`, at);
}

function evalMapStmt(scope: Scope, stmt: MapStmt): void {
  const { op, elem, data, map: name, stmt: inner } = stmt.map;
  const set = findSet(scope, name, stmt.at);
  refuseInterval(scope, set, stmt.at);
  refuseMany(scope, inner, stmt.at);
  const shape = shapeOf(set);
  if (!shape.expires && 'elem' in elem && elem.elem.timeout !== undefined)
    scope.refuse(`elements of ${name} have no timeout`, stmt.at, "add 'flags timeout' to the map");
  const value = mapValue(scope, data, shape, stmt.at);
  const evaluated = dynamicElement(scope, elem, shape.key, stmt.at);
  const map = { op, elem: evaluated, data: value, map: name, stmt: evalInner(scope, inner) };
  scope.out.push({ map, at: stmt.at });
}

function mapValue(scope: Scope, node: ExprNode, shape: SetShape, at: At | undefined): ExprNode {
  const { data } = shape;
  if (data === null) return scope.refuse('this set is not a map', at);
  if (data === 'verdict' || 'object' in data)
    return scope.refuse('only maps to values can be changed by a packet', at);
  return evalAssigned(scope, node, data);
}

function evalMeter(scope: Scope, stmt: MeterStmt): void {
  const { name, key, stmt: inner, size } = stmt.meter;
  if (scope.table.sets.has(name)) scope.refuse('File exists', stmt.at, `there is a set '${name}' already`);
  if (scope.context.isUsed(scope.table, `meter ${name}`))
    scope.refuse(`meter ${name} is in use already`, stmt.at);
  const node = 'elem' in key ? key.elem.val : key;
  const got = evalKey(scope, node);
  const elem: ExprNode = 'elem' in key ? { elem: { ...key.elem, val: got.expr } } : got.expr;
  scope.out.push({
    meter: { name, key: elem, stmt: innerStatement(scope, inner), size: size || 65535 },
    at: stmt.at,
  });
}
