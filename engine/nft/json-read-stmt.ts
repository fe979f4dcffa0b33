import type { ExprNode } from './ast-expr.ts';
import type {
  LimitSpec,
  MatchOp,
  NatSpec,
  ObjectKind,
  QuotaSpec,
  StmtNode,
  SynproxySpec,
} from './ast-stmt.ts';
import type { JsonObject, JsonReader } from './json-read-cursor.ts';
import { readExpr, VERDICT_READERS } from './json-read-expr.ts';
import type { JsonNode } from './json-read-text.ts';

const FAMILIES = ['ip', 'ip6'] as const;
const BYTES = ['bytes', 'kbytes', 'mbytes'] as const;
const RATES = ['packets', ...BYTES] as const;
const PERIODS = ['second', 'minute', 'hour', 'day', 'week'] as const;
const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug', 'audit'];
const LOG_FLAGS = ['tcp sequence', 'tcp options', 'ip options', 'skuid', 'ether', 'all'];
const OPS: readonly MatchOp[] = ['==', '!=', '<', '>', '<=', '>=', 'in', '!'];

type ReadStmt = (r: JsonReader, node: JsonNode) => StmtNode;

function expr(r: JsonReader, o: JsonObject, key: string): ExprNode | undefined {
  const node = o.get(key);
  return node === undefined ? undefined : readExpr(r, node);
}

function match(r: JsonReader, node: JsonNode): StmtNode {
  const o = r.object(node, 'match');
  const opNode = o.need('op');
  const op = OPS.find((one) => opNode.kind === 'string' && one === opNode.value);
  if (op === undefined) {
    r.fail('unknown operator of match', opNode.at, `known are ${OPS.join(' ')}`);
  }
  return {
    match: { op, left: readExpr(r, o.need('left')), right: readExpr(r, o.need('right')) },
  };
}

function vmap(r: JsonReader, node: JsonNode): StmtNode {
  const o = r.object(node, 'vmap');
  return { vmap: { key: readExpr(r, o.need('key')), data: readExpr(r, o.need('data')) } };
}

function mangle(r: JsonReader, node: JsonNode): StmtNode {
  const o = r.object(node, 'mangle');
  return { mangle: { key: readExpr(r, o.need('key')), value: readExpr(r, o.need('value')) } };
}

/** The rate, period and burst of a limit. */
export function readLimit(o: JsonObject): LimitSpec {
  o.need('rate');
  const rate_unit = o.oneOf('rate_unit', RATES) ?? o.oneOf('unit', RATES) ?? 'packets';
  const burst = o.u64('burst');
  const unit = o.oneOf('burst_unit', RATES) ?? (rate_unit === 'packets' ? 'packets' : 'bytes');
  const noBurst = burst === undefined || (rate_unit !== 'packets' && burst === 0);
  return {
    rate: o.u64('rate')!,
    rate_unit,
    per: o.oneOf('per', PERIODS) ?? 'second',
    burst: noBurst ? undefined : burst,
    burst_unit: noBurst ? undefined : unit,
    inv: o.boolean('inv'),
  };
}

function quota(o: JsonObject): QuotaSpec {
  o.need('val');
  return {
    val: o.u64('val')!,
    val_unit: o.oneOf('val_unit', BYTES) ?? 'bytes',
    used: o.u64('used'),
    used_unit: o.oneOf('used_unit', BYTES) ?? (o.get('used') === undefined ? undefined : 'bytes'),
    inv: o.boolean('inv'),
  };
}

/** mss, wscale and flags of synproxy. */
export function readSynproxy(o: JsonObject): SynproxySpec {
  return {
    mss: o.number('mss'),
    wscale: o.number('wscale'),
    flags: o.someOf('flags', ['timestamp', 'sack-perm']) ?? [],
  };
}

/** A stateful statement, or the name of an object (a string, or a map to names) in its place. */
function orObject(type: ObjectKind, read: (r: JsonReader, node: JsonNode) => StmtNode): ReadStmt {
  return (r, node) => {
    const named = node.kind === 'string' || (node.kind === 'object' && node.members.has('map'));
    return named ? { objref: { type, name: readExpr(r, node) } } : read(r, node);
  };
}

/** What has nothing to say is null. */
function optionalObject(r: JsonReader, node: JsonNode, what: string): JsonObject | null {
  return node.kind === 'null' ? null : r.object(node, what);
}

function counter(r: JsonReader, node: JsonNode): StmtNode {
  const o = optionalObject(r, node, 'counter');
  if (o === null) {
    return { counter: null };
  }
  const values = { packets: o.u64('packets') ?? 0, bytes: o.u64('bytes') ?? 0 };
  return { counter: values };
}

function limit(r: JsonReader, node: JsonNode): StmtNode {
  const o = r.object(node, 'limit');
  const spec = readLimit(o);
  return { limit: spec };
}

function quotaStmt(r: JsonReader, node: JsonNode): StmtNode {
  const o = r.object(node, 'quota');
  const spec = quota(o);
  return { quota: spec };
}

function synproxy(r: JsonReader, node: JsonNode): StmtNode {
  const o = optionalObject(r, node, 'synproxy');
  const spec = o === null ? { flags: [] } : readSynproxy(o);
  return { synproxy: spec };
}

function ctCount(r: JsonReader, node: JsonNode): StmtNode {
  const o = r.object(node, 'ct count');
  o.need('val');
  return { 'ct count': { val: o.number('val')!, inv: o.boolean('inv') } };
}

function log(r: JsonReader, node: JsonNode): StmtNode {
  const o = optionalObject(r, node, 'log');
  if (o === null) {
    return { log: {} };
  }
  return {
    log: {
      prefix: o.text('prefix'),
      group: o.number('group'),
      snaplen: o.number('snaplen'),
      'queue-threshold': o.number('queue-threshold'),
      level: o.oneOf('level', LEVELS),
      flags: o.someOf('flags', LOG_FLAGS),
    },
  };
}

function reject(r: JsonReader, node: JsonNode): StmtNode {
  const o = optionalObject(r, node, 'reject');
  if (o === null) {
    return { reject: {} };
  }
  const type = o.oneOf('type', ['tcp reset', 'icmpx', 'icmp', 'icmpv6']);
  return { reject: { type, expr: expr(r, o, 'expr') } };
}

const NAT_FLAGS = ['random', 'fully-random', 'persistent', 'netmap'] as const;

function nat(r: JsonReader, node: JsonNode, what: string): NatSpec {
  const o = optionalObject(r, node, what);
  if (o === null) {
    return { flags: [], type_flags: [] };
  }
  const flags = o.someOf('flags', NAT_FLAGS) ?? [];
  const types = o.someOf('type_flags', ['interval', 'prefix', 'concat']) ?? [];
  const spec: NatSpec = {
    family: o.oneOf('family', FAMILIES),
    addr: expr(r, o, 'addr'),
    port: expr(r, o, 'port'),
    flags: flags.filter((flag) => flag !== 'netmap'),
    type_flags: flags.includes('netmap') && !types.includes('prefix') ? [...types, 'prefix'] : types,
  };
  return spec;
}

function tproxy(r: JsonReader, node: JsonNode): StmtNode {
  const o = r.object(node, 'tproxy');
  return {
    tproxy: { family: o.oneOf('family', FAMILIES), addr: expr(r, o, 'addr'), port: expr(r, o, 'port') },
  };
}

function queue(r: JsonReader, node: JsonNode): StmtNode {
  const o = optionalObject(r, node, 'queue');
  if (o === null) {
    return { queue: { flags: [] } };
  }
  return {
    queue: { num: expr(r, o, 'num'), flags: o.someOf('flags', ['bypass', 'fanout']) ?? [] },
  };
}

function dup(r: JsonReader, node: JsonNode): StmtNode {
  const o = r.object(node, 'dup');
  return { dup: { addr: readExpr(r, o.need('addr')), dev: expr(r, o, 'dev') } };
}

function fwd(r: JsonReader, node: JsonNode): StmtNode {
  const o = r.object(node, 'fwd');
  return {
    fwd: { dev: readExpr(r, o.need('dev')), family: o.oneOf('family', FAMILIES), addr: expr(r, o, 'addr') },
  };
}

/** The name behind `@`. */
function setName(r: JsonReader, node: JsonNode): string {
  const text = r.text(node, 'set');
  return text.startsWith('@') ? text.slice(1) : r.fail('the name of a set begins with @', node.at);
}

function flow(r: JsonReader, node: JsonNode): StmtNode {
  const o = r.object(node, 'flow');
  o.oneOf('op', ['add']);
  return { flow: { op: 'add', flowtable: setName(r, o.need('flowtable')) } };
}

function dynamic(r: JsonReader, node: JsonNode): StmtNode {
  const o = r.object(node, 'set');
  const op = o.oneOf('op', ['add', 'update', 'delete']) ?? 'add';
  const list = o.get('stmt');
  const stmt = list === undefined ? undefined : r.items(list).map((one) => readStmt(r, one));
  const elem = readExpr(r, o.need('elem'));
  const data = expr(r, o, 'data');
  const name = setName(r, o.get('map') ?? o.need('set'));
  return data === undefined
    ? { set: { op, elem, set: name, stmt } }
    : { map: { op, elem, data, map: name, stmt } };
}

function meter(r: JsonReader, node: JsonNode): StmtNode {
  const o = r.object(node, 'meter');
  return {
    meter: {
      name: r.text(o.need('name'), 'name'),
      key: readExpr(r, o.need('key')),
      stmt: readStmt(r, o.need('stmt')),
      size: o.number('size'),
    },
  };
}

function xt(r: JsonReader, node: JsonNode): StmtNode {
  const o = r.object(node, 'xt');
  o.need('type');
  const type = o.oneOf('type', ['match', 'target', 'watcher'])!;
  return { xt: { type, name: r.text(o.need('name'), 'name') } };
}

function objref(type: ObjectKind): ReadStmt {
  return (r, node) => ({ objref: { type, name: readExpr(r, node) } });
}

const STATEMENTS: ReadonlyMap<string, ReadStmt> = new Map<string, ReadStmt>([
  ...VERDICT_READERS,
  ['match', match],
  ['vmap', vmap],
  ['mangle', mangle],
  ['counter', orObject('counter', counter)],
  ['limit', orObject('limit', limit)],
  ['quota', orObject('quota', quotaStmt)],
  ['synproxy', orObject('synproxy', synproxy)],
  ['ct count', ctCount],
  ['last', () => ({ last: null })],
  ['log', log],
  ['reject', reject],
  ['notrack', () => ({ notrack: null })],
  ['snat', (r, node) => ({ snat: nat(r, node, 'snat') })],
  ['dnat', (r, node) => ({ dnat: nat(r, node, 'dnat') })],
  ['masquerade', (r, node) => ({ masquerade: nat(r, node, 'masquerade') })],
  ['redirect', (r, node) => ({ redirect: nat(r, node, 'redirect') })],
  ['tproxy', tproxy],
  ['queue', queue],
  ['dup', dup],
  ['fwd', fwd],
  ['flow', flow],
  ['set', dynamic],
  ['map', dynamic],
  ['meter', meter],
  ['reset', (r, node) => ({ reset: readExpr(r, node) })],
  ['xt', xt],
  ['ct helper', objref('ct helper')],
  ['ct timeout', objref('ct timeout')],
  ['ct expectation', objref('ct expectation')],
  ['secmark', objref('secmark')],
]);

/** A statement by its name. */
export function readNamedStmt(r: JsonReader, key: string, node: JsonNode): StmtNode {
  const read = STATEMENTS.get(key);
  if (read === undefined) {
    return r.unknown('statement', key, [...STATEMENTS.keys()], node.at);
  }
  return { ...read(r, node), at: node.at };
}

/** A statement. */
export function readStmt(r: JsonReader, node: JsonNode): StmtNode {
  const [key, value] = r.only(node, 'a statement');
  return readNamedStmt(r, key, value);
}
