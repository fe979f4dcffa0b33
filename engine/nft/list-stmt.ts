import type { RuleBody } from './ast.ts';
import type { ExprNode } from './ast-expr.ts';
import type {
  LogStmt,
  MatchStmt,
  NatSpec,
  ObjectKind,
  QueueStmt,
  RejectStmt,
  SetStmt,
  StmtNode,
  SynproxySpec,
} from './ast-stmt.ts';
import { isInterval } from './eval-interval.ts';
import { infoOf } from './eval-key.ts';
import { exprText, type ListContext, nodeKey } from './list-expr.ts';
import { limitText, quotaText } from './list-rate.ts';

/** Whether a constant is of a type whose values are masks, or a node is a mask of several. */
function isMask(node: ExprNode): boolean {
  return 'constant' in node && node.constant.type.base === 'bitmask';
}

/** `tcp flags syn / syn,ack`, as nft writes a comparison of masked flags whose mask is a list. */
function flagsText(left: ExprNode, right: ExprNode, op: string, context: ListContext): string | null {
  if (!('binop' in left) || left.binop.op !== '&' || !('list' in left.binop.right)) return null;
  if (op !== '==' && op !== '!=') return null;
  const not = op === '!=' ? '!= ' : '';
  const value = exprText(right, context);
  return `${exprText(left.binop.left, context)} ${not}${value} / ${exprText(left.binop.right, context)}`;
}

/** Numbers of the host are turned round to be compared with ranges, and nft leaves out the operator then (measured). */
function isConverted(left: ExprNode, right: ExprNode): boolean {
  const ranged = 'range' in right || ('set' in right && right.set.some((one) => isInterval(one)));
  if (!ranged) return false;
  const { order, bits } = infoOf(left);
  return order === 'host' && bits > 8;
}

function matchText({ match: { op, left, right } }: MatchStmt, context: ListContext): string {
  const flags = flagsText(left, right, op, context);
  if (flags !== null) return flags;
  const plain = !('binop' in left) || isConverted(left, right);
  const silent = op === 'in' || op === 'implicit' || (op === '==' && plain && !isMask(right));
  return `${exprText(left, context)} ${silent ? '' : `${op} `}${exprText(right, context)}`;
}

const LOG_FLAGS: readonly (readonly [string, string])[] = [
  ['ip options', 'ip options'],
  ['skuid', 'skuid'],
  ['ether', 'ether'],
];

function logFlagsText(flags: readonly string[]): string {
  const all = ['tcp sequence', 'tcp options', 'ip options', 'skuid', 'ether'];
  if (flags.includes('all') || all.every((flag) => flags.includes(flag))) return ' flags all';
  const tcp = ['sequence', 'options'].filter((flag) => flags.includes(`tcp ${flag}`));
  let text = tcp.length === 0 ? '' : ` flags tcp ${tcp.join(',')}`;
  for (const [flag, word] of LOG_FLAGS) if (flags.includes(flag)) text += ` flags ${word}`;
  return text;
}

function logText({ log }: LogStmt): string {
  let text = 'log';
  if (log.prefix !== undefined) text += ` prefix "${log.prefix}"`;
  if (log.group !== undefined) {
    text += ` group ${log.group}`;
    if (log.snaplen !== undefined) text += ` snaplen ${log.snaplen}`;
    if (log['queue-threshold'] !== undefined) text += ` queue-threshold ${log['queue-threshold']}`;
  } else if (log.level !== undefined && log.level !== 'warn') text += ` level ${log.level}`;
  return text + logFlagsText(log.flags ?? []);
}

/** What a family's plain `reject` sends; written out elsewhere. */
const PLAIN_REJECT: { readonly [family: string]: readonly [type: string, code: bigint] } = {
  ip: ['icmp', 3n],
  ip6: ['icmpv6', 4n],
  inet: ['icmpx', 1n],
  bridge: ['icmpx', 1n],
  netdev: ['icmpx', 1n],
};

function rejectText({ reject: { type, expr } }: RejectStmt, context: ListContext): string {
  if (type === undefined) return 'reject';
  if (expr === undefined) return `reject with ${type}`;
  const plain = PLAIN_REJECT[context.family];
  const code = 'constant' in expr ? expr.constant.value : undefined;
  if (plain !== undefined && plain[0] === type && plain[1] === code) return 'reject';
  return `reject with ${type} ${exprText(expr, context)}`;
}

/** Whether an address needs brackets in front of a port. */
function isIpv6(node: ExprNode): boolean {
  if ('constant' in node) return node.constant.type.notation === 'ipv6';
  return 'symbol' in node && node.symbol.includes(':');
}

/** `1.2.3.4`, `[fd00::1]-[fd00::2]`: brackets only where a port follows. */
function addressText(node: ExprNode, port: boolean, context: ListContext): string {
  if ('range' in node) return node.range.map((end) => addressText(end, port, context)).join('-');
  const text = exprText(node, context);
  return port && isIpv6(node) ? `[${text}]` : text;
}

/**
 * ` to 1.2.3.4:80`, or nothing where neither is given.
 * @param brackets whether IPv6 addresses have them without a port too, as those of tproxy (measured)
 */
function targetText(
  addr: ExprNode | undefined,
  port: ExprNode | undefined,
  context: ListContext,
  brackets: boolean = false,
): string {
  if (addr === undefined && port === undefined) return '';
  const address = addr === undefined ? '' : addressText(addr, brackets || port !== undefined, context);
  return ` to ${address}${port === undefined ? '' : `:${exprText(port, context)}`}`;
}

function natText(word: string, nat: NatSpec, context: ListContext): string {
  const family = nat.family === undefined ? '' : ` ${nat.family}`;
  const prefix = nat.type_flags.includes('prefix') ? ' prefix' : '';
  const order = ['random', 'fully-random', 'persistent'] as const;
  const flags = order.filter((flag) => nat.flags.includes(flag)).join(',');
  const target = targetText(nat.addr, nat.port, context);
  return `${word}${family}${prefix}${target}${flags === '' ? '' : ` ${flags}`}`;
}

function queueText({ queue: { num, flags } }: QueueStmt, context: ListContext): string {
  const words = (['bypass', 'fanout'] as const).filter((flag) => flags.includes(flag)).join(',');
  const to = num === undefined ? ' to 0' : ` to ${exprText(num, context)}`;
  return `queue${words === '' ? '' : ` flags ${words}`}${to}`;
}

/** `mss 1460 wscale 7 timestamp sack-perm` of a rule. */
function synproxyText({ mss, wscale, flags }: SynproxySpec): string {
  const sizes = mss === undefined && wscale === undefined ? '' : ` mss ${mss ?? 0} wscale ${wscale ?? 0}`;
  const timestamp = flags.includes('timestamp') ? ' timestamp' : '';
  return `synproxy${sizes}${timestamp}${flags.includes('sack-perm') ? ' sack-perm' : ''}`;
}

const OBJECT_WORDS: { readonly [kind in ObjectKind]: string } = {
  counter: 'counter name',
  quota: 'quota name',
  limit: 'limit name',
  synproxy: 'synproxy name',
  'ct helper': 'ct helper set',
  'ct timeout': 'ct timeout set',
  'ct expectation': 'ct expectation set',
  secmark: 'meta secmark set',
};

function objectText(kind: ObjectKind, name: ExprNode, context: ListContext): string {
  const text = 'symbol' in name ? `"${name.symbol}"` : exprText(name, context);
  return `${OBJECT_WORDS[kind]} ${text}`;
}

/** The statements that a set's elements get: what they have counted so far is not theirs to show. */
export function templateText(statements: readonly StmtNode[] | undefined, context: ListContext): string {
  const stateless = { ...context, options: { ...context.options, stateless: true } };
  return (statements ?? []).map((node) => ` ${stmtText(node, stateless)}`).join('');
}

function setText({ set }: SetStmt, context: ListContext): string {
  return `${set.op} @${set.set} { ${exprText(set.elem, context)}${templateText(set.stmt, context)} }`;
}

function chainText(word: string, rules: readonly RuleBody[], context: ListContext): string {
  const lines = rules.map((rule) => `\t\t\t${ruleText(rule, context)}\n`);
  return `${word} {\n${lines.join('')}\t\t}`;
}

/** A rule without its handle. */
export function ruleText(rule: RuleBody, context: ListContext): string {
  const text = rule.expr.map((node) => stmtText(node, context)).join(' ');
  if (rule.comment === undefined) return text;
  return `${text}${text === '' ? '' : ' '}comment "${rule.comment}"`;
}

type Printer<T> = (node: T, context: ListContext) => string;
type KeysOf<T> = T extends unknown ? Exclude<keyof T, 'at'> : never;
type NodeOf<K> = Extract<StmtNode, { readonly [P in K & string]: unknown }>;

/** All kinds of statements, by the key that names a node. */
const PRINTERS: { readonly [K in KeysOf<StmtNode>]: Printer<NodeOf<K>> } = {
  accept: () => 'accept',
  drop: () => 'drop',
  continue: () => 'continue',
  return: () => 'return',
  jump: ({ jump }, context) =>
    jump.rules === undefined ? `jump ${jump.target}` : chainText('jump', jump.rules, context),
  goto: ({ goto }, context) =>
    goto.rules === undefined ? `goto ${goto.target}` : chainText('goto', goto.rules, context),
  match: matchText,
  vmap: ({ vmap }, context) => `${exprText(vmap.key, context)} vmap ${exprText(vmap.data, context)}`,
  counter: ({ counter }, { options }) =>
    options.stateless === true
      ? 'counter'
      : `counter packets ${counter?.packets ?? 0} bytes ${counter?.bytes ?? 0}`,
  limit: ({ limit }) => `limit ${limitText(limit)}`,
  quota: ({ quota }, { options }) => `quota ${quotaText(quota, options.stateless === true)}`,
  'ct count': (node) => `ct count ${node['ct count'].inv ? 'over ' : ''}${node['ct count'].val}`,
  last: () => 'last',
  objref: ({ objref }, context) => objectText(objref.type, objref.name, context),
  log: logText,
  reject: rejectText,
  mangle: ({ mangle }, context) => `${exprText(mangle.key, context)} set ${exprText(mangle.value, context)}`,
  notrack: () => 'notrack',
  snat: (node, context) => natText('snat', node.snat, context),
  dnat: (node, context) => natText('dnat', node.dnat, context),
  masquerade: (node, context) => natText('masquerade', node.masquerade, context),
  redirect: (node, context) => natText('redirect', node.redirect, context),
  tproxy: ({ tproxy }, context) =>
    `tproxy${tproxy.family === undefined ? '' : ` ${tproxy.family}`}${targetText(tproxy.addr, tproxy.port, context, true)}`,
  queue: queueText,
  dup: ({ dup }, context) =>
    `dup to ${exprText(dup.addr, context)}${dup.dev === undefined ? '' : ` device ${exprText(dup.dev, context)}`}`,
  fwd: ({ fwd }, context) =>
    fwd.addr === undefined
      ? `fwd to ${exprText(fwd.dev, context)}`
      : `fwd ${fwd.family ?? 'ip'} to ${exprText(fwd.addr, context)} device ${exprText(fwd.dev, context)}`,
  synproxy: ({ synproxy }) => synproxyText(synproxy),
  flow: ({ flow }) => `flow ${flow.op} @${flow.flowtable}`,
  set: setText,
  map: ({ map }, context) =>
    `${map.op} @${map.map} { ${exprText(map.elem, context)}${templateText(map.stmt, context)} : ${exprText(map.data, context)} }`,
  meter: ({ meter }, context) =>
    `meter ${meter.name} size ${meter.size ?? 65535} { ${exprText(meter.key, context)}${templateText([meter.stmt], context)} }`,
  reset: ({ reset }, context) => `reset ${exprText(reset, context)}`,
  xt: ({ xt }) => `xt ${xt.type} ${xt.name}`,
};

/** A statement of an evaluated tree as `nft list ruleset` writes it. */
export function stmtText(node: StmtNode, context: ListContext): string {
  const print = PRINTERS[nodeKey(node) as keyof typeof PRINTERS] as Printer<unknown>;
  return print(context.running?.statementNow(node) ?? node, context);
}
