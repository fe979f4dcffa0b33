import type { ElemExpr, ExprNode, ExthdrExpr, IpsecExpr, JumpTarget, RangeExpr } from './ast-expr.ts';
import type { StmtNode } from './ast-stmt.ts';
import type { Json } from './json-write-text.ts';
import { type ListContext, nodeKey } from './list-expr.ts';
import { jsonConstant } from './type-print.ts';
import type { ConstantExpr } from './type-value.ts';

/** What JSON depends on besides a node. */
export interface JsonContext extends ListContext {
  /** A statement's JSON, for elements that have some. */
  readonly statementJson: (node: StmtNode, context: JsonContext) => Json;
}

type Writer<T> = (node: T, context: JsonContext) => Json;

function list(nodes: readonly ExprNode[], context: JsonContext): Json[] {
  return nodes.map((node) => exprJson(node, context));
}

/** Seconds of a span in ms. */
export function secondsJson(ms: number | bigint | undefined): Json | undefined {
  return ms === undefined ? undefined : Number(BigInt(ms) / 1000n);
}

const elem: Writer<ElemExpr> = ({ elem: parts }, context) => {
  const members = {
    val: exprJson(parts.val, context),
    timeout: secondsJson(parts.timeout),
    expires: secondsJson(parts.expires),
    comment: parts.comment,
  };
  // Of several statements nft 1.0.6 shows the first only (measured).
  const [first] = parts.stmts ?? [];
  const state = first === undefined ? {} : (context.statementJson(first, context) as object);
  return { elem: { ...members, ...state } };
};

const exthdr: Writer<ExthdrExpr> = ({ exthdr: { name, field, offset } }) => {
  const header = name === 'rt4' ? 'srh' : name;
  return { exthdr: { name: header, field, offset } };
};

const ipsec: Writer<IpsecExpr> = ({ ipsec: { key, dir, family, spnum } }) => ({
  ipsec: { key, family, dir, spnum: spnum ?? 0 },
});

function jump({ target }: JumpTarget): Json {
  return { target };
}

function sought(kind: string, { name, field }: { name: string; field?: string | undefined }): Json {
  return { [kind]: { name: name === 'sack0' ? 'sack' : name, field } };
}

/** Types whose ranges are numbers whatever the options (measured); ports are, too. */
const NUMBERS_IN_RANGES: ReadonlySet<string> = new Set([
  'inet_proto',
  'ct_state',
  'ct_status',
  'fib_addrtype',
]);

function rangeContext({ range: [low] }: RangeExpr, context: JsonContext): JsonContext {
  const numeric =
    context.options.numeric === true || ('constant' in low && NUMBERS_IN_RANGES.has(low.constant.type.name));
  return { ...context, options: { ...context.options, numeric, services: false } };
}

type KeysOf<T> = T extends unknown ? Exclude<keyof T, 'at' | 'quoted'> : never;
type NodeOf<K> = Extract<ExprNode | ConstantExpr, { readonly [P in K & string]: unknown }>;

/** All kinds of expressions, by the key that names a node. */
const WRITERS: { readonly [K in KeysOf<ExprNode | ConstantExpr>]: Writer<NodeOf<K>> } = {
  symbol: (node) => node.symbol,
  number: (node) => node.number,
  boolean: (node) => node.boolean,
  constant: (node, { options }) => jsonConstant(node.constant, options),
  wildcard: () => '*',
  setref: (node) => `@${node.setref}`,
  list: (node, context) => list(node.list, context),
  concat: (node, context) => ({ concat: list(node.concat, context) }),
  set: (node, context) => ({ set: list(node.set, context) }),
  pair: (node, context) => list(node.pair, context),
  elem,
  map: ({ map }, context) => ({
    map: { key: exprJson(map.key, context), data: exprJson(map.data, context) },
  }),
  prefix: ({ prefix }, context) => ({ prefix: { addr: exprJson(prefix.addr, context), len: prefix.len } }),
  range: (node, context) => ({ range: list(node.range, rangeContext(node, context)) }),
  binop: ({ binop }, context) => ({ [binop.op]: list([binop.left, binop.right], context) }),
  payload: ({ payload: { protocol, field } }) => ({
    payload: { protocol, field: field === 'param-problem' ? 'parameter-problem' : field },
  }),
  rawPayload: ({ rawPayload: { base, offset, len } }) => ({ payload: { base, offset, len } }),
  exthdr,
  'tcp option': (node) => sought('tcp option', node['tcp option']),
  'ip option': (node) => sought('ip option', node['ip option']),
  rawTcpOption: ({ rawTcpOption: { base, offset, len } }) => ({ 'tcp option': { base, offset, len } }),
  'sctp chunk': (node) => sought('sctp chunk', node['sctp chunk']),
  meta: (node) => ({ meta: { key: node.meta.key } }),
  rt: ({ rt: { key, family } }, context) => {
    const known = key === 'nexthop' ? (family ?? (context.family === 'ip6' ? 'ip6' : 'ip')) : undefined;
    return { rt: { key, family: known } };
  },
  ct: ({ ct: { key, family, dir, isImplied } }) => ({
    ct: { key: family === undefined || isImplied === true ? key : `${family} ${key}`, dir },
  }),
  numgen: ({ numgen: { mode, mod, offset } }) => ({ numgen: { mode, mod, offset: offset ?? 0 } }),
  jhash: ({ jhash: { mod, seed, offset, expr } }, context) => ({
    jhash: { mod, seed, offset: offset === 0 ? undefined : offset, expr: exprJson(expr, context) },
  }),
  symhash: ({ symhash: { mod, offset } }) => ({
    symhash: { mod, offset: offset === 0 ? undefined : offset },
  }),
  fib: ({ fib: { result, flags } }) => ({ fib: { result, flags } }),
  socket: ({ socket: { key } }) => ({ socket: { key } }),
  osf: ({ osf: { key, ttl } }) => ({ osf: { key, ttl } }),
  ipsec,
  accept: () => ({ accept: null }),
  drop: () => ({ drop: null }),
  continue: () => ({ continue: null }),
  return: () => ({ return: null }),
  jump: (node) => ({ jump: jump(node.jump) }),
  goto: (node) => ({ goto: jump(node.goto) }),
};

/** An expression of an evaluated tree as `nft -j list ruleset` writes it. */
export function exprJson(node: ExprNode | ConstantExpr, context: JsonContext): Json {
  const write = WRITERS[nodeKey(node) as keyof typeof WRITERS] as Writer<unknown>;
  return write(node, context);
}
