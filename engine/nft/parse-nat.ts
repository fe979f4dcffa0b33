import type { At, ExprNode } from './ast-expr.ts';
import type { NatSpec, StmtNode } from './ast-stmt.ts';
import { T_NUMBER } from './lex.ts';
import type { Cursor } from './parse-cursor.ts';
import { multiton } from './parse-expr.ts';
import { expression } from './parse-match.ts';

const FLAGS = ['random', 'fully-random', 'persistent'] as const;

/** `random,persistent`, where flags may stand. */
function natFlags(p: Cursor): NatSpec['flags'] {
  const flags: (typeof FLAGS)[number][] = [];
  if (!(FLAGS as readonly string[]).includes(p.token.text)) {
    return flags;
  }
  do {
    flags.push(p.oneOf(FLAGS, 'random, fully-random or persistent'));
  } while (p.eat(','));
  return FLAGS.filter((flag) => flags.includes(flag));
}

/** `:port`, `:1-2`, `:tcp dport map {…}`. */
function port(p: Cursor): ExprNode | undefined {
  return p.eat(':') ? expression(p) : undefined;
}

/** The kinds of address that may be named between the family and `to`. */
function natTypes(p: Cursor): NatSpec['type_flags'] {
  if (p.eat('prefix')) {
    return ['prefix'];
  }
  if (p.eat('interval')) {
    return ['interval'];
  }
  if (p.eat('addr')) {
    p.expect('.');
    p.expect('port');
    return ['concat'];
  }
  return [];
}

/** `snat` and `dnat`. */
export function natStmt(p: Cursor): StmtNode {
  const start = p.at;
  const word = p.oneOf(['snat', 'dnat'], "'snat' or 'dnat'");
  const family = p.is('ip') || p.is('ip6') ? natFamily(p) : undefined;
  let type_flags = natTypes(p);
  if (family !== undefined || type_flags.length > 0) {
    p.expect('to');
  } else {
    p.eat('to');
  }
  if (type_flags.length === 0 && p.is('addr')) {
    type_flags = natTypes(p);
  }
  // nft 1.0.6 takes ports alone only behind `to` without a family, as in `dnat to :80` (measured).
  if (family !== undefined && p.is(':')) {
    p.unexpected('an address');
  }
  const addr = p.is(':') ? undefined : expression(p);
  const toPort = port(p);
  const flags = natFlags(p);
  const spec: NatSpec = { family, addr, port: toPort, flags, type_flags };
  const at = p.since(start);
  return word === 'snat' ? { snat: spec, at } : { dnat: spec, at };
}

/** `ip` and `ip6`, when they are no payload (`snat ip saddr map …`). */
function natFamily(p: Cursor): 'ip' | 'ip6' | undefined {
  const second = p.peek().text;
  const family = ['to', 'prefix', 'interval', 'addr'].includes(second);
  return family ? (p.next().text as 'ip' | 'ip6') : undefined;
}

/** `masquerade` and `redirect`. */
export function localNatStmt(p: Cursor): StmtNode {
  const start = p.at;
  const word = p.oneOf(['masquerade', 'redirect'], "'masquerade' or 'redirect'");
  const portOf = p.eat('to') ? requiredPort(p, word) : undefined;
  const flags = natFlags(p);
  const spec: NatSpec = { port: portOf, flags, type_flags: [] };
  const at = p.since(start);
  return word === 'masquerade' ? { masquerade: spec, at } : { redirect: spec, at };
}

function requiredPort(p: Cursor, word: string): ExprNode {
  // redirect may leave the colon out.
  if (word === 'redirect' && !p.is(':')) {
    return expression(p);
  }
  if (!p.is(':')) {
    p.unexpected("':' and a port");
  }
  return port(p)!;
}

/** `tproxy [ip|ip6] to [ADDRESS][:PORT]`. */
export function tproxyStmt(p: Cursor): StmtNode {
  const start: At = p.at;
  p.expect('tproxy');
  const family = p.is('ip') || p.is('ip6') ? (p.next().text as 'ip' | 'ip6') : undefined;
  p.expect('to');
  const addr = p.is(':') ? undefined : expression(p);
  return { tproxy: { family, addr, port: port(p) }, at: p.since(start) };
}

/** `dup to ADDRESS [device DEVICE]`. */
export function dupStmt(p: Cursor): StmtNode {
  const start = p.at;
  p.expect('dup');
  p.expect('to');
  const addr = expression(p);
  const dev = p.eat('device') ? expression(p) : undefined;
  return { dup: { addr, dev }, at: p.since(start) };
}

/** `fwd to DEVICE`, `fwd ip to ADDRESS device DEVICE`. */
export function fwdStmt(p: Cursor): StmtNode {
  const start = p.at;
  p.expect('fwd');
  const family = p.is('ip') || p.is('ip6') ? (p.next().text as 'ip' | 'ip6') : undefined;
  p.expect('to');
  const to = expression(p);
  if (family === undefined) {
    return { fwd: { dev: to }, at: p.since(start) };
  }
  p.expect('device');
  return { fwd: { dev: expression(p), family, addr: to }, at: p.since(start) };
}

const QUEUE_FLAGS = ['bypass', 'fanout'] as const;

function queueFlags(p: Cursor): (typeof QUEUE_FLAGS)[number][] {
  const flags: (typeof QUEUE_FLAGS)[number][] = [];
  do {
    flags.push(p.oneOf(QUEUE_FLAGS, "'bypass' or 'fanout'"));
  } while (p.eat(','));
  return flags;
}

/** `queue`, `queue num 1-3 bypass`, `queue flags bypass to numgen inc mod 4`. */
export function queueStmt(p: Cursor): StmtNode {
  const start = p.at;
  p.expect('queue');
  const before = p.eat('flags') ? queueFlags(p) : [];
  let num: ExprNode | undefined;
  if (p.eat('num')) {
    if (p.token.kind !== T_NUMBER && !p.is('$')) {
      p.unexpected('a number', []);
    }
    num = multiton(p, 'right');
  } else if (p.eat('to')) {
    num = expression(p);
  } else if (before.length > 0) {
    p.unexpected("'to' or 'num'", ['to', 'num']);
  }
  const behind = p.is('bypass') || p.is('fanout') ? queueFlags(p) : [];
  const flags = QUEUE_FLAGS.filter((flag) => before.includes(flag) || behind.includes(flag));
  return { queue: { num, flags }, at: p.since(start) };
}
