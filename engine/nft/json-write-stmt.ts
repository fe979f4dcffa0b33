import type { ExprNode } from './ast-expr.ts';
import type { LimitSpec, LogStmt, NatSpec, QuotaSpec, SetStmt, StmtNode, SynproxySpec } from './ast-stmt.ts';
import { exprJson, type JsonContext } from './json-write-expr.ts';
import { flagsJson, type Json, objectOrNull } from './json-write-text.ts';
import { nodeKey } from './list-expr.ts';
import { listedLimit, quotaBytes } from './list-rate.ts';
import { stmtText } from './list-stmt.ts';
import { amount } from './units.ts';

type Writer<T> = (node: T, context: JsonContext) => Json;
type Members = { readonly [key: string]: Json | undefined };

function optional(node: ExprNode | undefined, context: JsonContext): Json | undefined {
  return node === undefined ? undefined : exprJson(node, context);
}

/** `inv` is there only if true. */
function onlyTrue(flag: boolean): true | undefined {
  return flag ? true : undefined;
}

function limitJson(spec: LimitSpec): Members {
  const { rate, burst, per, inv, rateUnit, burstUnit } = listedLimit(spec);
  return { rate, burst, per, inv: onlyTrue(inv), rate_unit: rateUnit, burst_unit: burstUnit };
}

function quotaJson(spec: QuotaSpec, stateless: boolean): Members {
  const { total, used } = quotaBytes(spec);
  const listed = amount(total);
  const spent = used === 0n || stateless ? undefined : amount(used);
  return {
    val: listed.count,
    val_unit: listed.unit,
    inv: onlyTrue(spec.inv),
    used: spent?.count,
    used_unit: spent?.unit,
  };
}

const LOG_FLAGS = ['tcp sequence', 'tcp options', 'ip options', 'skuid', 'ether'] as const;

function logJson({ log }: LogStmt): Json {
  const flags = log.flags ?? [];
  const all = flags.includes('all') || LOG_FLAGS.every((flag) => flags.includes(flag));
  return objectOrNull({
    prefix: log.prefix,
    group: log.group,
    snaplen: log.group === undefined ? undefined : log.snaplen,
    'queue-threshold': log.group === undefined ? undefined : log['queue-threshold'],
    level: log.group !== undefined || log.level === 'warn' ? undefined : log.level,
    flags: all ? 'all' : flagsJson(LOG_FLAGS.filter((flag) => flags.includes(flag))),
  });
}

function natJson(nat: NatSpec, context: JsonContext): Json {
  const prefix = nat.type_flags.includes('prefix');
  const order = ['random', 'fully-random', 'persistent'] as const;
  const flags: string[] = order.filter((flag) => nat.flags.includes(flag));
  return objectOrNull({
    family: nat.family,
    addr: optional(nat.addr, context),
    port: optional(nat.port, context),
    // What the kernel calls a translation of prefixes; nft has no word for it in the language.
    flags: flagsJson(prefix ? [...flags, 'netmap'] : flags),
    type_flags: prefix ? 'prefix' : undefined,
  });
}

function synproxyJson({ mss, wscale, flags }: SynproxySpec): Json {
  const order = ['timestamp', 'sack-perm'] as const;
  const set = order.filter((flag) => flags.includes(flag));
  return objectOrNull({ mss, wscale, flags: set.length === 0 ? undefined : set });
}

/** Statements that a set's elements get: JSON shows them as if nothing had been counted. */
export function templateJson(
  statements: readonly StmtNode[] | undefined,
  context: JsonContext,
): Json | undefined {
  if (statements === undefined || statements.length === 0) return undefined;
  const stateless = { ...context, options: { ...context.options, stateless: true } };
  return statements.map((node) => stmtJson(node, stateless));
}

function setJson({ set }: SetStmt, context: JsonContext): Json {
  const elem = exprJson(set.elem, context);
  return { set: { op: set.op, elem, set: `@${set.set}`, stmt: templateJson(set.stmt, context) } };
}

/** What nft 1.0.6 has no JSON for: its text, as a string. */
const asText: Writer<StmtNode> = (node, context) => stmtText(node, context);

type KeysOf<T> = T extends unknown ? Exclude<keyof T, 'at'> : never;
type NodeOf<K> = Extract<StmtNode, { readonly [P in K & string]: unknown }>;

/** All kinds of statements, by the key that names a node. */
const WRITERS: { readonly [K in KeysOf<StmtNode>]: Writer<NodeOf<K>> } = {
  accept: () => ({ accept: null }),
  drop: () => ({ drop: null }),
  continue: () => ({ continue: null }),
  return: () => ({ return: null }),
  jump: (node, context) =>
    node.jump.rules === undefined ? { jump: { target: node.jump.target } } : asText(node, context),
  goto: (node, context) =>
    node.goto.rules === undefined ? { goto: { target: node.goto.target } } : asText(node, context),
  match: ({ match: { op, left, right } }, context) => ({
    match: {
      op: op === 'implicit' ? '==' : op,
      left: exprJson(left, context),
      right: exprJson(right, context),
    },
  }),
  vmap: ({ vmap }, context) => ({
    vmap: { key: exprJson(vmap.key, context), data: exprJson(vmap.data, context) },
  }),
  counter: ({ counter }, { options }) => ({
    counter:
      options.stateless === true ? null : { packets: counter?.packets ?? 0, bytes: counter?.bytes ?? 0 },
  }),
  limit: ({ limit }) => ({ limit: limitJson(limit) }),
  quota: ({ quota }, { options }) => ({ quota: quotaJson(quota, options.stateless === true) }),
  'ct count': (node) => ({
    'ct count': { val: node['ct count'].val, inv: onlyTrue(node['ct count'].inv) },
  }),
  last: () => ({ last: null }),
  objref: ({ objref: { type, name } }, context) => ({ [type]: exprJson(name, context) }),
  log: (node) => ({ log: logJson(node) }),
  reject: ({ reject: { type, expr } }, context) => ({
    reject: objectOrNull({ type, expr: optional(expr, context) }),
  }),
  mangle: ({ mangle }, context) => ({
    mangle: { key: exprJson(mangle.key, context), value: exprJson(mangle.value, context) },
  }),
  notrack: () => ({ notrack: null }),
  snat: (node, context) => ({ snat: natJson(node.snat, context) }),
  dnat: (node, context) => ({ dnat: natJson(node.dnat, context) }),
  masquerade: (node, context) => ({ masquerade: natJson(node.masquerade, context) }),
  redirect: (node, context) => ({ redirect: natJson(node.redirect, context) }),
  tproxy: ({ tproxy: { family, addr, port } }, context) => ({
    tproxy: { family, addr: optional(addr, context), port: optional(port, context) },
  }),
  queue: ({ queue: { num, flags } }, context) => ({
    queue: { num: optional(num, context) ?? 0, flags: flagsJson(flags) },
  }),
  dup: ({ dup }, context) => ({
    dup: { addr: exprJson(dup.addr, context), dev: optional(dup.dev, context) },
  }),
  fwd: ({ fwd }, context) => ({
    fwd: {
      dev: exprJson(fwd.dev, context),
      family: fwd.addr === undefined ? undefined : (fwd.family ?? 'ip'),
      addr: optional(fwd.addr, context),
    },
  }),
  synproxy: ({ synproxy }) => ({ synproxy: synproxyJson(synproxy) }),
  flow: ({ flow }) => ({ flow: { op: flow.op, flowtable: `@${flow.flowtable}` } }),
  set: setJson,
  map: asText,
  meter: ({ meter }, context) => ({
    meter: {
      key: exprJson(meter.key, context),
      stmt: (templateJson([meter.stmt], context) as readonly Json[])[0],
      size: meter.size ?? 65535,
      name: meter.name,
    },
  }),
  reset: ({ reset }, context) => ({ reset: exprJson(reset, context) }),
  xt: ({ xt: { type, name } }) => ({ xt: { type, name } }),
};

/** A statement of an evaluated tree as `nft -j list ruleset` writes it. */
export function stmtJson(node: StmtNode, context: JsonContext): Json {
  const write = WRITERS[nodeKey(node) as keyof typeof WRITERS] as Writer<unknown>;
  return write(context.running?.statementNow(node) ?? node, context);
}
