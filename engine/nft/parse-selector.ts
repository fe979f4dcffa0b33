import { didYouMean } from '../base/suggest.ts';
import type { CtExpr, ExprNode, FibExpr } from './ast-expr.ts';
import { ctKey, ctKeyNames } from './key-ct.ts';
import { metaKey, metaKeyNames } from './key-meta.ts';
import { T_NUMBER, T_WORD } from './lex.ts';
import { type Cursor, describeToken } from './parse-cursor.ts';
import { HEADER_SELECTORS } from './parse-header.ts';

/** Keys of meta that may stand without `meta` in front. */
const BARE_META: readonly string[] = [
  ...[
    'mark',
    'iif',
    'iifname',
    'iiftype',
    'oif',
    'oifname',
    'oiftype',
    'skuid',
    'skgid',
    'nftrace',
    'rtclassid',
  ],
  ...['ibrname', 'obrname', 'ibriport', 'obriport', 'pkttype', 'cpu', 'iifgroup', 'oifgroup', 'cgroup'],
  ...['ipsec', 'time', 'day', 'hour'],
];

/** Other words for the same keys of meta. */
const META_SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['ibriport', 'ibrname'],
  ['obriport', 'obrname'],
  ['ibridgename', 'ibrname'],
  ['obridgename', 'obrname'],
  ['secpath', 'ipsec'],
]);

type Selector = (p: Cursor) => ExprNode;

/** `meta KEY`, or the key alone. */
function meta(p: Cursor): ExprNode {
  const start = p.at;
  p.eat('meta');
  const word = p.token;
  const key = META_SYNONYMS.get(word.text) ?? word.text;
  if (word.kind !== T_WORD || metaKey(key) === null) {
    const known = metaKeyNames();
    p.fail(
      `unknown meta key ${describeToken(word)}`,
      word.at,
      didYouMean(word.text, known) ?? `known are ${known.join(', ')}`,
    );
  }
  p.next();
  return { meta: { key }, at: p.since(start) };
}

/** The address family in front of an address key. */
function familyBefore(p: Cursor): 'ip' | 'ip6' | undefined {
  return p.is('ip') || p.is('ip6') ? (p.next().text as 'ip' | 'ip6') : undefined;
}

/** `ct KEY`, `ct original KEY`, `ct reply ip saddr`. */
function ct(p: Cursor): CtExpr {
  const start = p.at;
  p.expect('ct');
  const dir = p.is('original') || p.is('reply') ? (p.next().text as 'original' | 'reply') : undefined;
  const family = dir === undefined ? undefined : familyBefore(p);
  const word = p.token;
  const key = ctKey(word.text, family);
  if (word.kind !== T_WORD || key === null) {
    p.fail(`unknown ct key ${describeToken(word)}`, word.at, didYouMean(word.text, ctKeyNames()));
  }
  if (dir !== undefined && key.direction === 'never') {
    p.fail(`ct ${word.text} has no direction`, word.at, `write 'ct ${word.text}'`);
  }
  if (dir === undefined && key.direction === 'must' && !word.text.endsWith('addr')) {
    p.fail(
      `ct ${word.text} needs a direction`,
      word.at,
      `write 'ct original ${word.text}' or 'ct reply ${word.text}'`,
    );
  }
  p.next();
  return { ct: { key: word.text, family, dir }, at: p.since(start) };
}

/** `rt KEY`; `rt type` and the like are of the IPv6 routing header. */
function rt(p: Cursor): ExprNode {
  const start = p.at;
  const second = p.peek().text;
  if (['nexthdr', 'hdrlength', 'type', 'seg-left'].includes(second)) {
    return HEADER_SELECTORS.get('exthdr rt')!(p);
  }
  p.expect('rt');
  const family = familyBefore(p);
  const key = p.oneOf(['classid', 'nexthop', 'mtu', 'ipsec'], 'classid, nexthop, mtu or ipsec');
  return { rt: { key, family }, at: p.since(start) };
}

/** `offset N`, where it may stand. */
function offset(p: Cursor): number | undefined {
  return p.eat('offset') ? p.number('the offset') : undefined;
}

function modulus(p: Cursor): number {
  p.expect('mod');
  return p.number('the modulus');
}

function numgen(p: Cursor): ExprNode {
  const start = p.at;
  p.expect('numgen');
  const mode = p.oneOf(['inc', 'random'], "'inc' or 'random'");
  const mod = modulus(p);
  return { numgen: { mode, mod, offset: offset(p) }, at: p.since(start) };
}

function jhash(p: Cursor): ExprNode {
  const start = p.at;
  p.expect('jhash');
  const expr = p.nested(() => p.grammar.expression(p));
  const mod = modulus(p);
  const seed = p.eat('seed') ? p.number('the seed') : undefined;
  return { jhash: { expr, mod, seed, offset: offset(p) }, at: p.since(start) };
}

function symhash(p: Cursor): ExprNode {
  const start = p.at;
  p.expect('symhash');
  const mod = modulus(p);
  return { symhash: { mod, offset: offset(p) }, at: p.since(start) };
}

function fib(p: Cursor): FibExpr {
  const start = p.at;
  p.expect('fib');
  const known = ['saddr', 'daddr', 'mark', 'iif', 'oif'] as const;
  const flags: (typeof known)[number][] = [];
  do {
    flags.push(p.oneOf(known, 'saddr, daddr, mark, iif or oif'));
  } while (p.eat('.'));
  const result = p.oneOf(['oif', 'oifname', 'type'], 'oif, oifname or type');
  return { fib: { result, flags: known.filter((flag) => flags.includes(flag)) }, at: p.since(start) };
}

function socket(p: Cursor): ExprNode {
  const start = p.at;
  p.expect('socket');
  const key = p.oneOf(
    ['transparent', 'mark', 'wildcard', 'cgroupv2'],
    'transparent, mark, wildcard or cgroupv2',
  );
  if (key !== 'cgroupv2') {
    return { socket: { key }, at: p.since(start) };
  }
  p.expect('level');
  return { socket: { key, level: p.number('the level', 255) }, at: p.since(start) };
}

function osf(p: Cursor): ExprNode {
  const start = p.at;
  p.expect('osf');
  const ttl = p.eat('ttl') ? p.oneOf(['loose', 'skip'], "'loose' or 'skip'") : undefined;
  const key = p.oneOf(['name', 'version'], "'name' or 'version'");
  return { osf: { key, ttl }, at: p.since(start) };
}

/** `ipsec in …`; `ipsec exists` is meta's. */
function ipsec(p: Cursor): ExprNode {
  const second = p.peek().text;
  if (second !== 'in' && second !== 'out') {
    return meta(p);
  }
  const start = p.at;
  p.expect('ipsec');
  const dir = p.oneOf(['in', 'out'], "'in' or 'out'");
  const spnum = p.eat('spnum') ? p.number('the number of the policy', 255) : undefined;
  const family = familyBefore(p);
  const key =
    family === undefined
      ? p.oneOf(['reqid', 'spi'], 'reqid, spi, ip or ip6')
      : p.oneOf(['saddr', 'daddr'], 'saddr or daddr');
  return { ipsec: { key, dir, family, spnum }, at: p.since(start) };
}

/** `@th,16,16`. */
function rawPayload(p: Cursor): ExprNode {
  const start = p.at;
  p.expect('@');
  const base = p.oneOf(['ll', 'nh', 'th', 'ih'], 'll, nh, th or ih');
  p.expect(',');
  const from = p.number('the offset');
  p.expect(',');
  const len = p.number('the length');
  return { rawPayload: { base, offset: from, len }, at: p.since(start) };
}

const SELECTORS: ReadonlyMap<string, Selector> = new Map<string, Selector>([
  ...BARE_META.map((key): [string, Selector] => [key, meta]),
  ['meta', meta],
  ['ct', ct],
  ['rt', rt],
  ['numgen', numgen],
  ['jhash', jhash],
  ['symhash', symhash],
  ['fib', fib],
  ['socket', socket],
  ['osf', osf],
  ['ipsec', ipsec],
]);

/**
 * Something that is looked up in the packet or around it: payload, meta, ct, ….
 * @returns null, with nothing taken, if the next token begins none
 */
export function selector(p: Cursor): ExprNode | null {
  const { kind, text } = p.token;
  if (kind === T_WORD) {
    const parse = SELECTORS.get(text) ?? HEADER_SELECTORS.get(text);
    return parse === undefined ? null : parse(p);
  }
  if (text === '@' && kind !== T_NUMBER && p.peek().kind === T_WORD) {
    return ['ll', 'nh', 'th', 'ih'].includes(p.peek().text) ? rawPayload(p) : null;
  }
  return null;
}
