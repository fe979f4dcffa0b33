import type { At, BinopExpr, ExprNode } from './ast-expr.ts';
import { T_NUMBER, T_PUNCT, T_STRING, T_WORD } from './lex.ts';
import { type Cursor, describeToken } from './parse-cursor.ts';
import { isFieldOf } from './parse-header.ts';
import { KEYWORDS, STATEMENT_VALUE_KEYWORDS, VALUE_KEYWORDS } from './parse-keywords.ts';
import { selector } from './parse-selector.ts';

/**
 * What may stand in an expression. 'left' of a comparison: selectors, and constants only in operations; 'right' of
 * it: constants only; 'any' behind `set` and the like: both.
 */
export type Side = 'left' | 'right' | 'any';

/** Operators from the weakest to the strongest, by their signs and words. */
const LEVELS: readonly ReadonlyMap<string, BinopExpr['binop']['op']>[] = [
  new Map([
    ['|', '|'],
    ['or', '|'],
  ]),
  new Map([
    ['^', '^'],
    ['xor', '^'],
  ]),
  new Map([
    ['&', '&'],
    ['and', '&'],
  ]),
  new Map([
    ['<<', '<<'],
    ['lshift', '<<'],
    ['>>', '>>'],
    ['rshift', '>>'],
  ]),
];
/** Number of operations in a row; a tree deeper than that is no expression that anyone wrote. */
const MAX_OPERATIONS = 500;
/** Values that all variables of a text together stand for. */
const MAX_SUBSTITUTED = 5_000_000;

/** `$name`. */
export function variable(p: Cursor): ExprNode {
  p.expect('$');
  const token = p.token;
  if (token.kind !== T_WORD || KEYWORDS.has(token.text)) {
    p.unexpected("a variable's name");
  }
  p.next();
  const variable = p.scope.get(token.text);
  if (variable === undefined) {
    const near = p.scope.nearest(token.text);
    p.fail(
      `unknown variable '${token.text}'`,
      token.at,
      near === undefined ? undefined : `did you mean '$${near}'?`,
    );
  }
  // Each may hold the one before it twice, and so on.
  if (p.substituted + variable.size > MAX_SUBSTITUTED) {
    p.fail(`variables stand for more than ${MAX_SUBSTITUTED} values`, token.at);
  }
  p.substituted += variable.size;
  return variable.value;
}

/** True if a keyword here stands for itself. */
function isValueKeyword(p: Cursor, side: Side, word: string): boolean {
  if (side === 'right') {
    return VALUE_KEYWORDS.has(word);
  }
  return side === 'any' && STATEMENT_VALUE_KEYWORDS.has(word) && !isFieldOf(word, p.peek().text);
}

/** A constant, or null with nothing taken. */
function constant(p: Cursor, side: Side): ExprNode | null {
  const { kind, text, value, at } = p.token;
  if (kind === T_NUMBER) {
    p.next();
    return { number: value, at };
  }
  if (kind === T_STRING) {
    p.next();
    return { symbol: text, quoted: true, at };
  }
  if (kind === T_WORD) {
    if (text === 'exists' || text === 'missing') {
      p.next();
      return { boolean: text === 'exists', at };
    }
    if (!KEYWORDS.has(text) || isValueKeyword(p, side, text)) {
      p.next();
      return { symbol: text, at };
    }
    return null;
  }
  return kind === T_PUNCT && text === '$' ? variable(p) : null;
}

function parenthesis(p: Cursor, side: Side): ExprNode {
  return p.nested(() => {
    p.expect('(');
    const inner = operation(p, side);
    p.expect(')');
    return inner;
  });
}

/** What operators combine: a constant, a selector, something in parentheses. */
export function primary(p: Cursor, side: Side): ExprNode {
  if (p.is('(')) {
    return parenthesis(p, side);
  }
  const asConstant = side === 'left' ? null : constant(p, side);
  if (asConstant !== null) {
    return asConstant;
  }
  if (side !== 'right') {
    const found = selector(p);
    if (found !== null) {
      return found;
    }
  }
  const last = side === 'left' ? constant(p, side) : null;
  return last ?? noPrimary(p, side);
}

function noPrimary(p: Cursor, side: Side): never {
  const token = p.token;
  if (side === 'right' && token.kind === T_WORD && KEYWORDS.has(token.text)) {
    p.fail(
      `expected a value, found the keyword '${token.text}'`,
      token.at,
      `put it in double quotes if it is meant as a name`,
    );
  }
  if (token.kind === T_PUNCT && token.text === '@') {
    p.fail(
      'a set can only be looked up as a whole, not combined with operators',
      token.at,
      'write the keys on the left as a concatenation',
    );
  }
  const what = side === 'right' ? 'a value' : 'an expression';
  if (p.atEnd()) {
    p.fail(`expected ${what}, found ${describeToken(token)}`, token.at);
  }
  p.unexpected(what);
}

/** `a | b & c << 1`: bitwise operations by their precedence, without commas, dots, ranges and prefixes. */
export function operation(p: Cursor, side: Side, level: number = 0): ExprNode {
  if (level === LEVELS.length) {
    return primary(p, side);
  }
  const operators = LEVELS[level]!;
  const start: At = p.at;
  let left = operation(p, side, level + 1);
  for (let count = 0; ; count++) {
    const { kind, text, at } = p.token;
    const op = kind === T_PUNCT || kind === T_WORD ? operators.get(text) : undefined;
    if (op === undefined) {
      return left;
    }
    if (count >= MAX_OPERATIONS) {
      p.fail(`more than ${MAX_OPERATIONS} operations in a row`, at);
    }
    p.next();
    const right = operation(p, side === 'left' ? 'any' : side, level + 1);
    left = { binop: { op, left, right }, at: p.since(start) };
  }
}

/** An operation, a prefix `a/24` or a range `a-b`. */
export function multiton(p: Cursor, side: Side): ExprNode {
  const start = p.at;
  const left = operation(p, side);
  if (p.is('/') && p.peek().kind === T_NUMBER) {
    p.next();
    const len = p.number('the length of the prefix', 65_535);
    return { prefix: { addr: left, len }, at: p.since(start) };
  }
  if (p.eat('-')) {
    const high = operation(p, side);
    return { range: [left, high], at: p.since(start) };
  }
  return left;
}

/** `a . b . c` of what `part` reads; a single part comes back as it is. */
export function concatenation(p: Cursor, part: (p: Cursor) => ExprNode): ExprNode {
  const start = p.at;
  const first = part(p);
  if (!p.is('.')) {
    return first;
  }
  const concat = [first];
  while (p.eat('.')) {
    concat.push(part(p));
  }
  return { concat, at: p.since(start) };
}

/** What stands behind `typeof`: selectors, without operations on them (measured, also in parentheses). */
export function typeofKey(p: Cursor): ExprNode {
  return concatenation(p, (q) => {
    const start = q.at;
    const part = primary(q, 'left');
    if ('binop' in part) {
      q.fail('typeof takes selectors without operations', q.since(start));
    }
    return part;
  });
}

/** A key: a concatenation of selectors and operations on them. */
export function key(p: Cursor): ExprNode {
  return concatenation(p, (q) => operation(q, 'left'));
}
