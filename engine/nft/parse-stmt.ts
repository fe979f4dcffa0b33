import type { At, ExprNode } from './ast-expr.ts';
import type { ObjectKind, SetStmt, StmtNode } from './ast-stmt.ts';
import { T_STRING, T_WORD } from './lex.ts';
import type { Cursor } from './parse-cursor.ts';
import { concatenation, multiton } from './parse-expr.ts';
import { logStmt, rejectStmt, synproxySpec } from './parse-log.ts';
import { expression, listOf, matchStmt } from './parse-match.ts';
import { dupStmt, fwdStmt, localNatStmt, natStmt, queueStmt, tproxyStmt } from './parse-nat.ts';
import { elementOptions, setRef, statefulStatements } from './parse-set.ts';
import { counterStmt, ctCountStmt, lastStmt, limitStmt, quotaStmt } from './parse-stateful.ts';
import { isVerdict, verdict } from './parse-verdict.ts';

type Parse = (p: Cursor) => StmtNode;

/** `counter name x`: a named object instead of what `plain` reads. */
function orNamed(type: ObjectKind, plain: Parse): Parse {
  return (p) => {
    if (p.peek().text !== 'name') {
      return plain(p);
    }
    const start = p.at;
    p.next();
    p.next();
    return { objref: { type, name: expression(p) }, at: p.since(start) };
  };
}

/** `add @set { key timeout 5s limit … : data }` and its like. */
function setStmt(p: Cursor): StmtNode {
  const start = p.at;
  const op = p.oneOf(['add', 'update', 'delete'], 'add, update or delete');
  const set = setRef(p) as { setref: string };
  p.expect('{');
  p.eatNewline();
  const elem = dynamicElement(p);
  const stmt = statefulStatements(p);
  const data = p.eat(':') ? concatenation(p, (q) => multiton(q, 'any')) : undefined;
  p.eatNewline();
  p.expect('}');
  const common = { op, elem, stmt: stmt.length > 0 ? stmt : undefined } as const;
  const at = p.since(start);
  return data === undefined
    ? { set: { ...common, set: set.setref }, at }
    : { map: { ...common, data, map: set.setref }, at };
}

/** A key with the options behind it. */
function dynamicElement(p: Cursor): ExprNode {
  const start = p.at;
  const val = concatenation(p, (q) => multiton(q, 'any'));
  const options = elementOptions(p);
  return options === undefined ? val : { elem: { val, ...options }, at: p.since(start) };
}

/** The older form `set add ip saddr timeout 5s @set`. */
function oldSetStmt(p: Cursor): StmtNode {
  const start = p.at;
  p.expect('set');
  const op: SetStmt['set']['op'] = p.oneOf(['add', 'update', 'delete'], 'add, update or delete');
  const elem = dynamicElement(p);
  const set = setRef(p) as { setref: string };
  return { set: { op, elem, set: set.setref }, at: p.since(start) };
}

/** `meter m size 10 { key limit … }`, and the older `flow table m { … }`. */
function meterBody(p: Cursor, start: At): StmtNode {
  const name = p.name('the name of a meter').text;
  const size = p.eat('size') ? p.number('the size') : undefined;
  p.expect('{');
  const key = dynamicElement(p);
  const stmt = p.grammar.statement(p);
  p.expect('}');
  return { meter: { name, key, stmt, size }, at: p.since(start) };
}

function meterStmt(p: Cursor): StmtNode {
  const start = p.at;
  p.expect('meter');
  return meterBody(p, start);
}

function flowStmt(p: Cursor): StmtNode {
  const start = p.at;
  p.expect('flow');
  if (p.eat('table')) {
    return meterBody(p, start);
  }
  p.oneOf(['add', 'offload'], "'add'");
  p.expect('@');
  return {
    flow: { op: 'add', flowtable: p.name('the name of a flowtable').text },
    at: p.since(start),
  };
}

function synproxyStmt(p: Cursor): StmtNode {
  const start = p.at;
  p.expect('synproxy');
  return { synproxy: synproxySpec(p), at: p.since(start) };
}

function notrackStmt(p: Cursor): StmtNode {
  return { notrack: null, at: p.expect('notrack').at };
}

function resetStmt(p: Cursor): StmtNode {
  const start = p.at;
  p.expect('reset');
  if (!p.is('tcp') || p.peek().text !== 'option') {
    p.unexpected("'tcp option'");
  }
  const option = concatenation(p, (q) => multiton(q, 'any'));
  if ('rawTcpOption' in option && option.rawTcpOption.offset !== 0) {
    p.fail('a whole option is reset: its name or number, no field', option.at as At);
  }
  return { reset: option, at: p.since(start) };
}

function xtStmt(p: Cursor): StmtNode {
  const start = p.at;
  p.expect('xt');
  const type = p.oneOf(['match', 'target', 'watcher'], 'match, target or watcher');
  return { xt: { type, name: p.name('the name of an extension').text }, at: p.since(start) };
}

/** `ct helper set "x"` and its like, `ct count`, or what else begins with `ct`. */
function ctStmt(p: Cursor): StmtNode {
  const second = p.peek();
  if (second.kind === T_WORD && second.text === 'count') {
    return ctCountStmt(p);
  }
  if (second.text !== 'timeout' && second.text !== 'expectation') {
    return matchStmt(p, change);
  }
  const start = p.at;
  p.next();
  const type: ObjectKind = p.next().text === 'timeout' ? 'ct timeout' : 'ct expectation';
  p.expect('set');
  return { objref: { type, name: expression(p) }, at: p.since(start) };
}

/** What `KEY set VALUE` is: an object's assignment for ct helper and secmark, else a change of the packet. */
function change(p: Cursor, start: At, key: ExprNode): StmtNode {
  const value = listOf(p, expression);
  const at = p.since(start);
  if ('ct' in key && key.ct.key === 'helper') {
    return { objref: { type: 'ct helper', name: value }, at };
  }
  if ('meta' in key && key.meta.key === 'secmark' && !('ct' in value)) {
    return { objref: { type: 'secmark', name: value }, at };
  }
  return { mangle: { key, value }, at };
}

/** Statements by their first word; what is not here begins with a selector. */
const STATEMENTS: ReadonlyMap<string, Parse> = new Map<string, Parse>([
  ['counter', orNamed('counter', counterStmt)],
  ['limit', orNamed('limit', limitStmt)],
  ['quota', orNamed('quota', quotaStmt)],
  ['synproxy', orNamed('synproxy', synproxyStmt)],
  ['last', lastStmt],
  ['log', logStmt],
  ['reject', rejectStmt],
  ['notrack', notrackStmt],
  ['snat', natStmt],
  ['dnat', natStmt],
  ['masquerade', localNatStmt],
  ['redirect', localNatStmt],
  ['tproxy', tproxyStmt],
  ['queue', queueStmt],
  ['dup', dupStmt],
  ['fwd', fwdStmt],
  ['flow', flowStmt],
  ['add', setStmt],
  ['update', setStmt],
  ['delete', setStmt],
  ['set', oldSetStmt],
  ['meter', meterStmt],
  ['reset', resetStmt],
  ['xt', xtStmt],
  ['ct', ctStmt],
]);

/** Takes one statement. */
export function statement(p: Cursor): StmtNode {
  const { kind, text } = p.token;
  if (isVerdict(p)) {
    return verdict(p, true);
  }
  const parse = kind === T_WORD ? STATEMENTS.get(text) : undefined;
  if (parse !== undefined) {
    return parse(p);
  }
  if (kind === T_STRING) {
    p.unexpected('a statement');
  }
  return matchStmt(p, change);
}
