import { didYouMean } from '../base/suggest.ts';
import type { SetNode, TypeName } from './ast.ts';
import type { ExprNode } from './ast-expr.ts';
import { MAPPED_KINDS } from './ast-stmt.ts';
import { T_WORD } from './lex.ts';
import { block } from './parse-block.ts';
import { flagList } from './parse-chain.ts';
import { type Cursor, describeToken } from './parse-cursor.ts';
import { typeofKey, variable } from './parse-expr.ts';
import { KEYWORDS } from './parse-keywords.ts';
import { commentText, duration, setExpr, statefulStatements } from './parse-set.ts';
import { findType, typeNames } from './type-datatype.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What stands in the block of a set or map. */
export type SetParts = Mutable<Omit<SetNode, 'family' | 'table' | 'tableAt' | 'name' | 'nameAt' | 'handle'>>;

/** Types whose names are keywords. */
const KEYWORD_TYPES: ReadonlySet<string> = new Set(['mark', 'time', 'ecn']);

/** Types of selectors that no declaration can name (measured). */
const NAMELESS_TYPES: ReadonlySet<string> = new Set(['ct_label']);

/** `ipv4_addr . inet_service`. */
function typeList(p: Cursor): TypeName[] {
  const types: TypeName[] = [];
  do {
    const { kind, text, at } = p.token;
    const word = kind === T_WORD && (!KEYWORDS.has(text) || KEYWORD_TYPES.has(text));
    if (!word || NAMELESS_TYPES.has(text) || findType(text) === null) {
      p.fail(
        word ? `unknown datatype '${text}'` : `expected a datatype, found ${describeToken(p.token)}`,
        at,
        kind === T_WORD
          ? didYouMean(
              text,
              typeNames().filter((one) => !NAMELESS_TYPES.has(one)),
            )
          : undefined,
      );
    }
    p.next();
    types.push({ type: text, at });
  } while (p.eat('.'));
  return types;
}

/** Behind a map's colon: the type of its values. */
function valueType(p: Cursor, parts: SetParts): void {
  const { text, at } = p.token;
  if (MAPPED_KINDS.some((kind) => kind === text)) {
    p.next();
    parts.map = [{ type: text, at }];
    return;
  }
  if (p.eat('interval')) {
    parts.mapInterval = true;
  }
  parts.map = typeList(p);
}

/** `type a . b [: c]`, `typeof expr [: expr]`. */
function typeItem(p: Cursor, parts: SetParts, isMap: boolean): void {
  if (p.eat('type')) {
    parts.type = typeList(p);
    if (isMap) {
      colon(p);
      valueType(p, parts);
    }
    return;
  }
  p.expect('typeof');
  parts.typeof = typeofKey(p);
  if (!isMap) {
    return;
  }
  colon(p);
  if (p.eat('interval')) {
    parts.mapInterval = true;
  }
  if (p.is('verdict')) {
    parts.map = [{ type: 'verdict', at: p.next().at }];
    return;
  }
  parts.mapTypeof = typeofKey(p);
}

function colon(p: Cursor): void {
  if (!p.is(':')) {
    p.fail(
      `expected ':' and the type of the values, found ${describeToken(p.token)}`,
      p.at,
      'a map has two types',
    );
  }
  p.next();
}

/** `elements = { … }`. */
function elements(p: Cursor): readonly ExprNode[] {
  p.expect('elements');
  p.expect('=');
  if (!p.is('$')) {
    return setExpr(p).set;
  }
  const start = p.at;
  const value = variable(p);
  if (!('set' in value)) {
    p.fail('this variable is no set', p.since(start), 'its value stands in braces: { … }');
  }
  return value.set;
}

/** One property of a set; true if nothing needs to stand between it and the next. */
function setItem(p: Cursor, parts: SetParts, isMap: boolean): boolean {
  const { text } = p.token;
  setProperty(p, parts, isMap, text);
  return text === 'elements' || text === 'auto-merge';
}

/** Refuses what the language has for sets alone. */
function ofSetsOnly(p: Cursor, isMap: boolean): void {
  if (isMap) {
    p.fail(`a map has no ${p.token.text}`, p.at);
  }
}

function setProperty(p: Cursor, parts: SetParts, isMap: boolean, text: string): void {
  switch (text) {
    case 'type':
    case 'typeof':
      typeItem(p, parts, isMap);
      return;
    case 'flags':
      parts.flags = flagList(p, 'set flag', ['constant', 'interval', 'timeout', 'dynamic']);
      return;
    case 'timeout':
      p.next();
      parts.timeout = duration(p);
      return;
    case 'gc-interval':
      ofSetsOnly(p, isMap);
      p.next();
      parts['gc-interval'] = duration(p);
      return;
    case 'size':
      p.next();
      // The kernel holds it in 32 bits (measured).
      parts.size = Number(BigInt.asUintN(32, BigInt(p.u64('the size'))));
      return;
    case 'policy':
      p.next();
      parts.policy = p.oneOf<'performance' | 'memory'>(
        ['performance', 'memory'],
        "'performance' or 'memory'",
      );
      return;
    case 'auto-merge':
      ofSetsOnly(p, isMap);
      p.next();
      parts['auto-merge'] = true;
      return;
    case 'elements':
      parts.elem = elements(p);
      return;
    case 'comment':
      parts.comment = commentText(p, parts.comment);
      return;
    default:
      statefulItem(p, parts);
  }
}

const ITEM_WORDS =
  'type typeof flags timeout gc-interval size policy auto-merge elements comment counter limit quota ct';

function statefulItem(p: Cursor, parts: SetParts): void {
  const stmts = statefulStatements(p);
  if (stmts.length === 0) {
    p.unexpected('a property of a set', ITEM_WORDS.split(' '));
  }
  parts.stmt = [...(parts.stmt ?? []), ...stmts];
}

/** The block of a set or map. */
export function setBlock(p: Cursor, name: string, isMap: boolean): SetParts {
  const parts: SetParts = {};
  const errors = p.errors.length;
  block(p, `${isMap ? 'map' : 'set'} '${name}'`, () => setItem(p, parts, isMap));
  if (parts.type === undefined && parts.typeof === undefined && p.errors.length === errors) {
    p.note(
      `the ${isMap ? 'map' : 'set'} '${name}' has no type`,
      p.lastBrace,
      "it needs 'type …' or 'typeof …'",
    );
  }
  if (p.errors.length > errors) {
    parts.broken = true;
  }
  return parts;
}
