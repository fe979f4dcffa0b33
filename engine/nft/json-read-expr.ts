import type { ElemExpr, ExprNode, VerdictNode } from './ast-expr.ts';
import type { StmtNode } from './ast-stmt.ts';
import type { JsonObject, JsonReader } from './json-read-cursor.ts';
import type { JsonNode } from './json-read-text.ts';
import { ctKey } from './key-ct.ts';
import { exthdr, ipOption, sctpChunk, tcpOption } from './key-exthdr.ts';
import { metaKey, metaKeyNames } from './key-meta.ts';
import { findProtocol, protocolHeaderNames } from './proto-table.ts';

const FAMILIES = ['ip', 'ip6'] as const;
const VERDICTS = ['accept', 'drop', 'continue', 'return', 'jump', 'goto'] as const;
const BINOPS = ['|', '^', '&', '<<', '>>'] as const;

type ReadExpr = (r: JsonReader, node: JsonNode) => ExprNode;

/** The keys of an `elem` that are statements. */
const ELEMENT_STATEMENTS = ['counter', 'limit', 'quota', 'ct count', 'last'];

function immediate(node: JsonNode): ExprNode | null {
  const { at } = node;
  switch (node.kind) {
    case 'number':
      // nft writes a number of 64 bits whose first is set as if it had a sign.
      return { number: node.value < 0 ? BigInt.asUintN(64, BigInt(node.value)) : node.value, at };
    case 'boolean':
      return { boolean: node.value, at };
    case 'string':
      if (node.value === '*' || node.value === '\\*') {
        return { wildcard: true, at };
      }
      return node.value.startsWith('@')
        ? { setref: node.value.slice(1), at }
        : { symbol: node.value, quoted: true, at };
    default:
      return null;
  }
}

/** `{ "|": [a, b] }`. */
function binop(r: JsonReader, node: JsonNode, op: (typeof BINOPS)[number]): ExprNode {
  const [left, right] = two(r, node, `"${op}"`);
  return { binop: { op, left, right } };
}

/** Any expression. */
export function readExpr(r: JsonReader, node: JsonNode): ExprNode {
  const plain = immediate(node);
  if (plain !== null) {
    return plain;
  }
  if (node.kind === 'array') {
    return { list: node.items.map((one) => readExpr(r, one)), at: node.at };
  }
  const [key, value] = r.only(node, 'an expression');
  const read = EXPRESSIONS.get(key);
  if (read === undefined) {
    return r.unknown('expression', key, [...EXPRESSIONS.keys()], node.at);
  }
  return { ...read(r, value), at: node.at };
}

/** The two operands of an operation, the two ends of a range. */
function two(r: JsonReader, node: JsonNode, what: string): [ExprNode, ExprNode] {
  const items = r.items(node);
  if (items.length !== 2) {
    r.fail(`${what} is an array of two`, node.at);
  }
  return [readExpr(r, items[0]!), readExpr(r, items[1]!)];
}

function concat(r: JsonReader, node: JsonNode): ExprNode {
  return { concat: r.items(node).map((one) => readExpr(r, one)) };
}

/** One element of a set: a value, or an array of key and value. */
export function readElement(r: JsonReader, node: JsonNode): ExprNode {
  if (node.kind === 'array' && node.items.length === 2) {
    return { pair: two(r, node, 'an element of a map'), at: node.at };
  }
  return readExpr(r, node);
}

function set(r: JsonReader, node: JsonNode): ExprNode {
  return { set: r.items(node).map((one) => readElement(r, one)) };
}

function map(r: JsonReader, node: JsonNode): ExprNode {
  const o = r.object(node, 'map');
  return { map: { key: readExpr(r, o.need('key')), data: readExpr(r, o.need('data')) } };
}

function prefix(r: JsonReader, node: JsonNode): ExprNode {
  const o = r.object(node, 'prefix');
  o.need('len');
  return { prefix: { addr: readExpr(r, o.need('addr')), len: o.number('len')! } };
}

/** The names of a header's fields. */
interface FieldNames {
  has(name: string): boolean;
  keys(): Iterable<string>;
}

/** Those of a header whose fields have numbers: the evaluation looks whether there is such a one. */
const NUMBERED: FieldNames = { has: () => true, keys: () => [] };

/** A field that a header must have. */
function checkField(
  r: JsonReader,
  fields: FieldNames,
  what: string,
  field: string | undefined,
  at: number,
): void {
  if (field !== undefined && !fields.has(field)) {
    r.unknown(
      `field of ${what}`,
      field,
      [...fields.keys()].filter((one) => !one.includes('[')),
      at,
    );
  }
}

function payload(r: JsonReader, node: JsonNode): ExprNode {
  const o = r.object(node, 'payload');
  const base = o.oneOf('base', ['ll', 'nh', 'th', 'ih']);
  if (base !== undefined) {
    const raw = { base, offset: o.number('offset') ?? 0, len: o.number('len') ?? 0 };
    return { rawPayload: raw };
  }
  const protocol = r.text(o.need('protocol'), 'protocol');
  const named = r.text(o.need('field'), 'field');
  // Listings have the one name, the language the other.
  const field = named === 'parameter-problem' ? 'param-problem' : named;
  const header =
    findProtocol(protocol) ?? r.unknown('protocol', protocol, protocolHeaderNames(), o.need('protocol').at);
  checkField(r, header.fields, protocol, field, o.need('field').at);
  return { payload: { protocol, field } };
}

/** `{ name, field? }` of what is searched for in a packet. */
function sought(
  r: JsonReader,
  o: JsonObject,
  what: string,
  find: (name: string) => { readonly fields: FieldNames } | null,
): { name: string; field: string | undefined } {
  const nameNode = o.need('name');
  const name = r.text(nameNode, 'name');
  const field = o.text('field');
  const header = find(name) ?? r.fail(`unknown ${what} "${name}"`, nameNode.at);
  checkField(r, header.fields, `${what} ${name}`, field, o.get('field')?.at ?? o.at);
  return { name, field };
}

function readExthdr(r: JsonReader, node: JsonNode): ExprNode {
  const o = r.object(node, 'exthdr');
  const offset = o.number('offset');
  const found = sought(r, o, 'exthdr', (name) =>
    offset === undefined ? exthdr(name) : { fields: NUMBERED },
  );
  const field = offset === undefined ? found.field : `${found.field}[${offset}]`;
  return { exthdr: { name: found.name, field } };
}

function readTcpOption(r: JsonReader, node: JsonNode): ExprNode {
  const o = r.object(node, 'tcp option');
  const base = o.number('base');
  if (base !== undefined) {
    const raw = { base, offset: o.number('offset') ?? 0, len: o.number('len') ?? 8 };
    return { rawTcpOption: raw };
  }
  return { 'tcp option': sought(r, o, 'tcp option', tcpOption) };
}

function readMeta(r: JsonReader, node: JsonNode): ExprNode {
  const o = r.object(node, 'meta');
  const key = r.text(o.need('key'), 'key');
  if (metaKey(key) === null) {
    r.unknown('meta key', key, metaKeyNames(), o.need('key').at);
  }
  return { meta: { key } };
}

function readCt(r: JsonReader, node: JsonNode): ExprNode {
  const o = r.object(node, 'ct');
  const keyNode = o.need('key');
  const words = r.text(keyNode, 'key').split(' ');
  const dir = o.oneOf('dir', ['original', 'reply']);
  const family =
    o.oneOf('family', FAMILIES) ?? FAMILIES.find((one) => words.length === 2 && one === words[0]);
  const key = words[words.length - 1]!;
  if (ctKey(key, family) === null) {
    r.fail(`unknown ct key "${words.join(' ')}"`, keyNode.at);
  }
  return { ct: { key, family, dir } };
}

function rt(r: JsonReader, node: JsonNode): ExprNode {
  const o = r.object(node, 'rt');
  const key = o.oneOf('key', ['classid', 'nexthop', 'mtu', 'ipsec']) ?? r.text(o.need('key'), 'key');
  return { rt: { key, family: o.oneOf('family', FAMILIES) } };
}

function needNumber(o: JsonObject, key: string): number {
  o.need(key);
  return o.number(key)!;
}

function numgen(r: JsonReader, node: JsonNode): ExprNode {
  const o = r.object(node, 'numgen');
  o.need('mode');
  const mode = o.oneOf('mode', ['inc', 'random'])!;
  return { numgen: { mode, mod: needNumber(o, 'mod'), offset: o.number('offset') } };
}

function jhash(r: JsonReader, node: JsonNode): ExprNode {
  const o = r.object(node, 'jhash');
  return {
    jhash: {
      expr: readExpr(r, o.need('expr')),
      mod: needNumber(o, 'mod'),
      seed: o.number('seed'),
      offset: o.number('offset'),
    },
  };
}

function symhash(r: JsonReader, node: JsonNode): ExprNode {
  const o = r.object(node, 'symhash');
  return { symhash: { mod: needNumber(o, 'mod'), offset: o.number('offset') } };
}

function fib(r: JsonReader, node: JsonNode): ExprNode {
  const o = r.object(node, 'fib');
  o.need('result');
  o.need('flags');
  const result = o.oneOf('result', ['oif', 'oifname', 'type'])!;
  const flags = o.someOf('flags', ['saddr', 'daddr', 'mark', 'iif', 'oif'])!;
  return { fib: { result, flags } };
}

function socket(r: JsonReader, node: JsonNode): ExprNode {
  const o = r.object(node, 'socket');
  o.need('key');
  const key = o.oneOf('key', ['transparent', 'mark', 'wildcard', 'cgroupv2'])!;
  const level = o.number('level');
  return { socket: { key, level } };
}

function osf(r: JsonReader, node: JsonNode): ExprNode {
  const o = r.object(node, 'osf');
  o.need('key');
  const key = o.oneOf('key', ['name', 'version'])!;
  const ttl = o.oneOf('ttl', ['loose', 'skip']);
  return { osf: { key, ttl } };
}

function ipsec(r: JsonReader, node: JsonNode): ExprNode {
  const o = r.object(node, 'ipsec');
  o.need('key');
  o.need('dir');
  const key = o.oneOf('key', ['reqid', 'spi', 'saddr', 'daddr'])!;
  const dir = o.oneOf('dir', ['in', 'out'])!;
  return {
    ipsec: { key, dir, family: o.oneOf('family', FAMILIES), spnum: o.number('spnum') },
  };
}

function elem(r: JsonReader, node: JsonNode): ExprNode {
  const o = r.object(node, 'elem');
  const stmts: StmtNode[] = [];
  for (const key of ELEMENT_STATEMENTS) {
    const value = o.get(key);
    if (value !== undefined) {
      stmts.push(r.statement(r, key, value));
    }
  }
  const body: ElemExpr['elem'] = {
    val: readExpr(r, o.need('val')),
    timeout: o.seconds('timeout'),
    expires: o.seconds('expires'),
    comment: o.text('comment'),
    stmts: stmts.length > 0 ? stmts : undefined,
  };
  return { elem: body };
}

/** A verdict by its word. */
function verdict(word: (typeof VERDICTS)[number]): (r: JsonReader, node: JsonNode) => VerdictNode {
  return (r, node) => {
    if (word !== 'jump' && word !== 'goto') {
      return { [word]: null } as unknown as VerdictNode;
    }
    const o = r.object(node, word);
    const name = o.need('target');
    const target = { target: r.text(name, 'target'), targetAt: name.at };
    return word === 'jump' ? { jump: target } : { goto: target };
  };
}

/** Verdicts, which are statements as well. */
export const VERDICT_READERS: ReadonlyMap<string, (r: JsonReader, node: JsonNode) => VerdictNode> = new Map(
  VERDICTS.map((word) => [word, verdict(word)]),
);

const EXPRESSIONS: ReadonlyMap<string, ReadExpr> = new Map<string, ReadExpr>([
  ...VERDICT_READERS,
  ...BINOPS.map((op): [string, ReadExpr] => [op, (r, node) => binop(r, node, op)]),
  ['concat', concat],
  ['set', set],
  ['map', map],
  ['prefix', prefix],
  ['range', (r, node) => ({ range: two(r, node, 'a range') })],
  ['payload', payload],
  ['exthdr', readExthdr],
  ['tcp option', readTcpOption],
  [
    'ip option',
    (r, node) => ({ 'ip option': sought(r, r.object(node, 'ip option'), 'ip option', ipOption) }),
  ],
  [
    'sctp chunk',
    (r, node) => ({ 'sctp chunk': sought(r, r.object(node, 'sctp chunk'), 'sctp chunk', sctpChunk) }),
  ],
  ['meta', readMeta],
  ['ct', readCt],
  ['rt', rt],
  ['numgen', numgen],
  ['jhash', jhash],
  ['symhash', symhash],
  ['fib', fib],
  ['socket', socket],
  ['osf', osf],
  ['ipsec', ipsec],
  ['elem', elem],
]);
