import { encodeUtf8 } from '../base/utf8.ts';
import type { At, ExprNode, SetExpr, U64 } from './ast-expr.ts';
import type { StmtNode } from './ast-stmt.ts';
import { T_EOF, T_NEWLINE, T_WORD } from './lex.ts';
import { type Cursor, describeToken } from './parse-cursor.ts';
import { concatenation, multiton, variable } from './parse-expr.ts';
import { counterStmt, ctCountStmt, lastStmt, limitStmt, quotaStmt } from './parse-stateful.ts';
import { isVerdict, verdict } from './parse-verdict.ts';

const DURATION = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/;
const MS_PER_UNIT = [86_400_000, 3_600_000, 60_000, 1000, 1] as const;

/** Takes a time like `1d2h3m4s5ms`; ms. */
export function duration(p: Cursor): U64 {
  const { kind, text, at } = p.token;
  const parts = kind === T_WORD ? DURATION.exec(text) : null;
  if (parts === null) {
    p.fail(`expected a time, found '${text}'`, at, 'a time has units, for example 1h30m or 10s');
  }
  p.next();
  let ms = 0n;
  for (const [i, unit] of MS_PER_UNIT.entries()) {
    ms += BigInt(parts[i + 1] ?? 0) * BigInt(unit);
  }
  return ms <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(ms) : ms;
}

/**
 * Takes a comment's text; at most 128 bytes, as the real tool.
 * @param before the comment that the same thing has already: there is only one
 */
export function commentText(p: Cursor, before?: string): string {
  if (before !== undefined) {
    p.fail('there is a comment already', p.at, 'a comment can be given once');
  }
  p.expect('comment');
  const token = p.string('the comment');
  if (encodeUtf8(token.text).length > 128) {
    p.fail('a comment has at most 128 bytes', token.at);
  }
  return token.text;
}

/** Options of an element. */
interface Options {
  timeout?: U64;
  expires?: U64;
  comment?: string;
}

/** `timeout 5s`, `expires 4s`, `comment "x"`, in any order; undefined if there are none. */
export function elementOptions(p: Cursor): Options | undefined {
  let options: Options | undefined;
  for (;;) {
    if (p.eat('timeout')) {
      options = { ...options, timeout: duration(p) };
    } else if (p.eat('expires')) {
      options = { ...options, expires: duration(p) };
    } else if (p.is('comment')) {
      options = { ...options, comment: commentText(p, options?.comment) };
    } else {
      return options;
    }
  }
}

const STATEFUL: ReadonlyMap<string, (p: Cursor) => StmtNode> = new Map([
  ['counter', counterStmt as (p: Cursor) => StmtNode],
  ['limit', limitStmt],
  ['quota', quotaStmt],
  ['ct', ctCountStmt],
  ['last', lastStmt],
]);

/** The stateful statements that an element may have, one behind the other. */
export function statefulStatements(p: Cursor): StmtNode[] {
  const list: StmtNode[] = [];
  for (;;) {
    const parse = p.token.kind === T_WORD ? STATEFUL.get(p.token.text) : undefined;
    if (parse === undefined) {
      return list;
    }
    list.push(parse(p));
  }
}

/** An element's key: a value, a range, a concatenation of such, or `*`. */
function elementKey(p: Cursor): ExprNode {
  if (p.is('*')) {
    return { wildcard: true, at: p.next().at };
  }
  if (p.is('{')) {
    return p.nested(() => setExpr(p));
  }
  return concatenation(p, (q) => multiton(q, 'right'));
}

/** A map's value. */
function elementValue(p: Cursor): ExprNode {
  if (isVerdict(p)) {
    return verdict(p, false);
  }
  return concatenation(p, (q) => multiton(q, 'right'));
}

/** `value [statements] [options] [: value]`. */
function element(p: Cursor): ExprNode {
  const start = p.at;
  const val = elementKey(p);
  const stmts = statefulStatements(p);
  const options = elementOptions(p);
  const plain = stmts.length === 0 && options === undefined;
  const key: ExprNode = plain
    ? val
    : { elem: { val, ...options, stmts: stmts.length > 0 ? stmts : undefined }, at: p.since(start) };
  if (!p.eat(':')) {
    return key;
  }
  return { pair: [key, elementValue(p)], at: p.since(start) };
}

/** Appends an element; those of a set in the set (from a variable) one by one. */
function append(set: ExprNode[], one: ExprNode): void {
  if (!('set' in one)) {
    set.push(one);
    return;
  }
  for (const inner of one.set) {
    set.push(inner);
  }
}

/**
 * `{ a, b : c }`. As in the real tool one newline may stand behind the brace and around the commas, and a comma may
 * be the last thing.
 * @param mayBeEmpty for `define x = { }`
 */
export function setExpr(p: Cursor, mayBeEmpty: boolean = false): SetExpr {
  const start = p.at;
  const set: ExprNode[] = [];
  p.expect('{');
  if (mayBeEmpty && p.eat('}')) {
    return { set, at: p.since(start) };
  }
  p.eatNewline();
  append(set, element(p));
  p.eatNewline();
  while (p.eat(',')) {
    p.eatNewline();
    if (!p.is(',') && !p.is('}')) {
      append(set, element(p));
      p.eatNewline();
    }
  }
  if (!p.is('}')) {
    unclosed(p, start);
  }
  p.next();
  return { set, at: p.since(start) };
}

/** Complains about what follows an element. */
function unclosed(p: Cursor, start: At): never {
  if (p.token.kind === T_EOF) {
    p.fail("the closing '}' of this set is missing", start);
  }
  const blank = p.token.kind === T_NEWLINE ? 'no blank line may stand inside a set' : undefined;
  p.fail(`expected ',' or '}', found ${describeToken(p.token)}`, p.at, blank);
}

/** A set to look something up in: in braces, by name, or in a variable. */
export function setData(p: Cursor): ExprNode {
  if (p.is('{')) {
    return p.nested(() => setExpr(p));
  }
  if (p.is('@')) {
    return setRef(p);
  }
  if (p.is('$')) {
    return variable(p);
  }
  p.unexpected("'{' or the name of a map behind '@'");
}

/** `@name`; a variable may hold all of it, but not the name (measured). */
export function setRef(p: Cursor): ExprNode {
  const start = p.at;
  p.expect('@');
  return { setref: p.name('the name of a set').text, at: p.since(start) };
}
