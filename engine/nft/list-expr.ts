import type { Family } from './ast.ts';
import type {
  BinopExpr,
  CtExpr,
  ElemExpr,
  ExprNode,
  ExthdrExpr,
  IpsecExpr,
  JhashExpr,
  NumgenExpr,
  RangeExpr,
} from './ast-expr.ts';
import { metaKey } from './key-meta.ts';
import type { ListOptions } from './ruleset-state.ts';
import type { Running } from './running.ts';
import { durationText, printConstant } from './type-print.ts';
import type { ConstantExpr } from './type-value.ts';

/** What the text of an expression or a statement depends on besides itself. */
export interface ListContext {
  readonly options: ListOptions;
  /** The table's: `ct original saddr` is listed with it. */
  readonly family: Family;
  /** What packets have made of the ruleset; without it, it is listed as it was loaded. */
  readonly running?: Running | undefined;
  /** Statements, for elements that have some; given here so that this file needs none of the statements' own. */
  readonly statement: (node: import('./ast-stmt.ts').StmtNode, context: ListContext) => string;
}

type Printer<T> = (node: T, context: ListContext) => string;

// As C's, but for shifts, which are the tightest.
const PRECEDENCE: { readonly [op: string]: number } = { '<<': 1, '>>': 1, '&': 2, '^': 3, '|': 4 };

/** A binary operation's operand: in parentheses where it binds looser. */
function operandText(op: string, operand: ExprNode, context: ListContext): string {
  const text = exprText(operand, context);
  if (!('binop' in operand)) return text;
  return PRECEDENCE[op]! < PRECEDENCE[operand.binop.op]! ? `(${text})` : text;
}

const binop: Printer<BinopExpr> = ({ binop: { op, left, right } }, context) =>
  `${operandText(op, left, context)} ${op} ${operandText(op, right, context)}`;

// Both ends are numbers, whatever the options (nft prints ranges with all names off).
const range: Printer<RangeExpr> = ({ range: [low, high] }, context) => {
  const numeric = {
    ...context,
    options: { ...context.options, numeric: true, services: false, guid: false },
  };
  return `${exprText(low, numeric)}-${exprText(high, numeric)}`;
};

function durationOption(ms: number | bigint, { options }: ListContext): string {
  const value = BigInt(ms);
  return options.numeric === true || options.numericTime === true ? `${value / 1000n}s` : durationText(value);
}

/** An element with what belongs to it: its statements stand before its times, its comment last. */
const elem: Printer<ElemExpr> = ({ elem: parts }, context) => {
  const stateless = context.options.stateless === true;
  let text = exprText(parts.val, context);
  for (const statement of parts.stmts ?? []) text += ` ${context.statement(statement, context)}`;
  if (parts.timeout !== undefined) text += ` timeout ${durationOption(parts.timeout, context)}`;
  if (parts.expires !== undefined && !stateless) text += ` expires ${durationOption(parts.expires, context)}`;
  if (parts.comment !== undefined) text += ` comment "${parts.comment}"`;
  return text;
};

const exthdr: Printer<ExthdrExpr> = ({ exthdr: { name, field, offset } }) => {
  const header = name === 'rt4' ? 'srh' : name;
  if (field === undefined) return `exthdr ${header}`;
  return offset === undefined || field.includes('[') ? `${header} ${field}` : `${header} ${field}[${offset}]`;
};

/** A header that may be asked for its existence only. */
function soughtText(kind: string, { name, field }: { name: string; field?: string | undefined }): string {
  // nft's own name of the first SACK block.
  const known = name === 'sack0' ? 'sack' : name;
  return field === undefined ? `${kind} ${known}` : `${kind} ${known} ${field}`;
}

const ct: Printer<CtExpr> = ({ ct: { key, dir, family } }, context) => {
  const words = ['ct'];
  if (dir !== undefined) words.push(dir);
  if (key === 'saddr' || key === 'daddr') words.push(family ?? (context.family === 'ip6' ? 'ip6' : 'ip'));
  words.push(key);
  return words.join(' ');
};

const numgen: Printer<NumgenExpr> = ({ numgen: { mode, mod, offset } }) =>
  `numgen ${mode} mod ${mod}${offsetText(offset)}`;

const jhash: Printer<JhashExpr> = ({ jhash: { expr, mod, seed, offset } }, context) => {
  const seedText = seed === undefined ? '' : ` seed 0x${seed.toString(16)}`;
  return `jhash ${exprText(expr, context)} mod ${mod}${seedText}${offsetText(offset)}`;
};

function offsetText(offset: number | undefined): string {
  return offset === undefined || offset === 0 ? '' : ` offset ${offset}`;
}

const ipsec: Printer<IpsecExpr> = ({ ipsec: { key, dir, family, spnum } }) => {
  const number = spnum === undefined || spnum === 0 ? '' : ` spnum ${spnum}`;
  return `ipsec ${dir}${number}${family === undefined ? '' : ` ${family}`} ${key}`;
};

/** Joins with commas or dots. */
function joined(nodes: readonly ExprNode[], separator: string, context: ListContext): string {
  return nodes.map((node) => exprText(node, context)).join(separator);
}

/** A header's field; nft lists one by another name than it reads. */
function payloadText(protocol: string, field: string): string {
  return `${protocol} ${field === 'param-problem' ? 'parameter-problem' : field}`;
}

/** All kinds of expressions, by the key that names a node. */
const PRINTERS: { readonly [K in KeysOf<ExprNode | ConstantExpr>]: Printer<NodeOf<K>> } = {
  symbol: (node) => (node.quoted === true ? `"${node.symbol}"` : node.symbol),
  number: (node) => String(node.number),
  boolean: (node) => (node.boolean ? 'exists' : 'missing'),
  constant: (node, { options }) => printConstant(node.constant, options),
  wildcard: () => '*',
  setref: (node) => `@${node.setref}`,
  list: (node, context) => joined(node.list, ',', context),
  concat: (node, context) => joined(node.concat, ' . ', context),
  set: (node, context) => `{ ${joined(node.set, ', ', context)} }`,
  pair: (node, context) => joined(node.pair, ' : ', context),
  elem,
  map: (node, context) => `${exprText(node.map.key, context)} map ${exprText(node.map.data, context)}`,
  prefix: (node, context) => `${exprText(node.prefix.addr, context)}/${node.prefix.len}`,
  range,
  binop,
  payload: (node) => payloadText(node.payload.protocol, node.payload.field),
  rawPayload: ({ rawPayload: raw }) => `@${raw.base},${raw.offset},${raw.len}`,
  exthdr,
  'tcp option': (node) => soughtText('tcp option', node['tcp option']),
  'ip option': (node) => soughtText('ip option', node['ip option']),
  rawTcpOption: ({ rawTcpOption: raw }) =>
    raw.offset === 0 && raw.len === 8
      ? `tcp option ${raw.base}`
      : `tcp option @${raw.base},${raw.offset},${raw.len}`,
  'sctp chunk': (node) => soughtText('sctp chunk', node['sctp chunk']),
  meta: (node) => (metaKey(node.meta.key)?.bare === true ? node.meta.key : `meta ${node.meta.key}`),
  rt: ({ rt: { key, family } }, context) =>
    key === 'nexthop' ? `rt ${family ?? (context.family === 'ip6' ? 'ip6' : 'ip')} nexthop` : `rt ${key}`,
  ct,
  numgen,
  jhash,
  symhash: ({ symhash: { mod, offset } }) => `symhash mod ${mod}${offsetText(offset)}`,
  fib: ({ fib: { flags, result } }) => `fib ${flags.join(' . ')} ${result}`,
  socket: ({ socket: { key, level } }) =>
    level === undefined ? `socket ${key}` : `socket ${key} level ${level}`,
  osf: ({ osf: { key, ttl } }) => (ttl === undefined ? `osf ${key}` : `osf ttl ${ttl} ${key}`),
  ipsec,
  accept: () => 'accept',
  drop: () => 'drop',
  continue: () => 'continue',
  return: () => 'return',
  jump: (node) => `jump ${node.jump.target}`,
  goto: (node) => `goto ${node.goto.target}`,
};

type KeysOf<T> = T extends unknown ? Exclude<keyof T, 'at' | 'quoted'> : never;
type NodeOf<K> = Extract<ExprNode | ConstantExpr, { readonly [P in K & string]: unknown }>;

/** An expression of an evaluated tree as `nft list ruleset` writes it. */
export function exprText(node: ExprNode | ConstantExpr, context: ListContext): string {
  const key = nodeKey(node);
  const print = PRINTERS[key as keyof typeof PRINTERS] as Printer<unknown>;
  return print(node, context);
}

/** The key that names a node: its first. */
export function nodeKey(node: object): string {
  for (const key in node) return key;
  return '';
}
