import type { At, ExprNode, ListExpr } from './ast-expr.ts';
import type { MatchOp, StmtNode } from './ast-stmt.ts';
import { T_NUMBER, T_PUNCT, T_STRING, T_WORD } from './lex.ts';
import { type Cursor, describeToken } from './parse-cursor.ts';
import { concatenation, key, multiton, primary, variable } from './parse-expr.ts';
import { KEYWORDS, RELATIONS, STATEMENT_WORDS, VALUE_KEYWORDS } from './parse-keywords.ts';
import { setData, setExpr, setRef } from './parse-set.ts';

/** Any value, with a map behind it or not: what stands behind `set`, `to`, as a hash's key. */
export function expression(p: Cursor): ExprNode {
  const start = p.at;
  const left = concatenation(p, (q) => multiton(q, 'any'));
  if (!p.eat('map')) {
    return left;
  }
  return { map: { key: left, data: setData(p) }, at: p.since(start) };
}

/** A list `a, b`, or what stands alone. */
export function listOf(p: Cursor, part: (p: Cursor) => ExprNode): ExprNode {
  const start = p.at;
  const first = part(p);
  if (!p.is(',')) {
    return first;
  }
  const list = [first];
  while (p.eat(',')) {
    list.push(part(p));
  }
  const node: ListExpr = { list, at: p.since(start) };
  return node;
}

/** What a selector is compared with. */
function rightSide(p: Cursor): ExprNode {
  if (p.is('{')) {
    return p.nested(() => setExpr(p));
  }
  if (p.is('@')) {
    return setRef(p);
  }
  return constantList(p);
}

/** Constants, ranges and prefixes, concatenated or not, with commas between them or not. */
export function constantList(p: Cursor): ExprNode {
  return listOf(p, (q) => concatenation(q, (r) => multiton(r, 'right')));
}

/** Takes the sign or word that compares; 'implicit' if there is none. */
function relation(p: Cursor): MatchOp {
  const { kind, text } = p.token;
  const op = kind === T_PUNCT || kind === T_WORD ? RELATIONS.get(text) : undefined;
  if (op === undefined) {
    return 'implicit';
  }
  p.next();
  return op;
}

/** `value / mask` behind flags: all of the mask's bits must be as in the value. */
function flagCompare(p: Cursor, start: At, op: MatchOp, left: ExprNode, value: ExprNode): StmtNode {
  p.expect('/');
  if (op !== 'implicit' && op !== '==' && op !== '!=') {
    p.fail(`only == and != can be used with a mask`, start);
  }
  const mask = listOf(p, (q) => primary(q, 'right'));
  if (!('list' in mask)) {
    p.fail(
      'the mask must be a list of two flags or more',
      (mask.at ?? start) as At,
      "else write 'flags & mask == value'",
    );
  }
  const masked: ExprNode = { binop: { op: '&', left, right: mask }, at: p.since(start) };
  return { match: { op: op === '!=' ? '!=' : '==', left: masked, right: value }, at: p.since(start) };
}

/** True if a value, a set or a variable comes next. */
function beginsValue(p: Cursor): boolean {
  const { kind, text } = p.token;
  if (kind === T_PUNCT) {
    return text === '{' || text === '@' || text === '$' || text === '(';
  }
  return (
    kind === T_NUMBER ||
    kind === T_STRING ||
    (kind === T_WORD &&
      (!KEYWORDS.has(text) || VALUE_KEYWORDS.has(text) || text === 'exists' || text === 'missing'))
  );
}

/** The map behind `vmap`: what is written in braces must give verdicts. */
function verdictMap(p: Cursor): ExprNode {
  const written = p.is('{');
  const data = setData(p);
  for (const element of written && 'set' in data ? data.set : []) {
    const value = 'pair' in element ? element.pair[1] : element;
    if (!('pair' in element && VERDICTS.some((word) => word in value))) {
      p.fail('each element of a verdict map is a value, a colon and a verdict', (value.at ?? data.at) as At);
    }
  }
  return data;
}

const VERDICTS = ['accept', 'drop', 'jump', 'goto', 'return', 'continue'];

/** What may stand behind a statement and belong to it: what is mistyped there is read as a statement. */
const OPTION_WORDS: readonly string[] =
  'packets bytes prefix level group snaplen queue-threshold flags burst comment random persistent'.split(' ');

/** Complains about a word that begins no statement. */
function unknownStatement(p: Cursor): never {
  p.unexpected('a statement', [...STATEMENT_WORDS, ...OPTION_WORDS]);
}

/**
 * What begins with a selector: a comparison, a verdict map, or a change (`set`).
 * @param change makes a statement of `KEY set …`; it is at the first token behind `set`
 */
export function matchStmt(p: Cursor, change: (p: Cursor, start: At, key: ExprNode) => StmtNode): StmtNode {
  const start = p.at;
  const first = p.token;
  if (first.kind === T_STRING || (first.kind === T_WORD && !KEYWORDS.has(first.text))) {
    unknownStatement(p);
  }
  let left = p.is('$') ? variable(p) : key(p);
  if (p.eat('vmap')) {
    return { vmap: { key: left, data: verdictMap(p) }, at: p.since(start) };
  }
  if (p.eat('map')) {
    left = { map: { key: left, data: setData(p) }, at: p.since(start) };
  }
  if (p.is('set') && !('concat' in left)) {
    p.next();
    return change(p, start, left);
  }
  const op = relation(p);
  if (op === '!' && 'binop' in left) {
    p.fail('a negation cannot be combined with an operation on the left', p.since(start), "write '!='");
  }
  if (!beginsValue(p) && !p.is('-')) {
    const what = op === 'implicit' ? 'a value, an operator or a set' : `a value behind '${op}'`;
    p.fail(`expected ${what}, found ${describeToken(p.token)}`, p.at, valueHint(p));
  }
  const right = rightSide(p);
  if (p.is('/')) {
    return flagCompare(p, start, op, left, right);
  }
  return { match: { op, left, right }, at: p.since(start) };
}

function valueHint(p: Cursor): string | undefined {
  if (p.is('=')) {
    return "equality is '=='";
  }
  const { kind, text } = p.token;
  if (kind === T_WORD && KEYWORDS.has(text) && !STATEMENT_WORDS.includes(text)) {
    return `'${text}' is a keyword: as a name it stands in double quotes`;
  }
  return undefined;
}
