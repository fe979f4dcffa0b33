import type { ExprNode } from './ast-expr.ts';
import { T_EOF, T_STRING, T_WORD } from './lex.ts';
import { type Cursor, describeToken } from './parse-cursor.ts';
import { constantList } from './parse-match.ts';
import { setExpr, setRef } from './parse-set.ts';

/** How many files may be open, the first one included; the real tool's limit. */
const MAX_INCLUDES = 16;
const WILDCARDS = /[*?[]/;

/** What a variable may be: a value, a list, a set, a negative number. */
function initializer(p: Cursor): ExprNode {
  if (p.is('{')) {
    return setExpr(p, true);
  }
  if (p.is('@')) {
    return setRef(p);
  }
  if (p.is('-')) {
    const start = p.next().at;
    const number = p.u64('a number');
    return { symbol: `-${number}`, at: p.since(start) };
  }
  return constantList(p);
}

/** `define x = …`, `redefine x = …`. */
function define(p: Cursor): void {
  const again = p.next().text === 'redefine';
  const token = p.name('the name of a variable');
  if (!again && p.scope.get(token.text) !== undefined) {
    p.fail(`the variable '${token.text}' exists already`, token.at, "'redefine' changes it");
  }
  p.expect('=');
  const before = p.substituted;
  let value: ExprNode | null = null;
  try {
    value = initializer(p);
    end(p);
  } finally {
    // Defined even if its value is wrong, so that its uses are no errors, too; not before: it cannot hold itself.
    const own = value !== null && 'set' in value ? value.set.length : 1;
    const size = own + p.substituted - before;
    p.scope.set(
      token.text,
      value === null ? { value: { symbol: '', at: token.at }, size: 1 } : { value, size },
    );
  }
}

function undefine(p: Cursor): void {
  p.next();
  const token = p.name('the name of a variable');
  // The real tool takes it without a word if this block has no such variable, and leaves those around it alone.
  p.scope.remove(token.text);
  end(p);
}

/** These lines need their end, even at the end of the file. */
function end(p: Cursor): void {
  if (!p.atEnd() || p.token.kind === T_EOF) {
    p.fail(`expected a newline or ';', found ${describeToken(p.token)}`, p.at);
  }
}

/** `include "file"`: its text comes in the place of the line. */
function include(p: Cursor): void {
  const start = p.next().at;
  const { kind, text } = p.token;
  if (kind !== T_STRING) {
    p.fail(
      `expected the name of a file in double quotes, found ${describeToken(p.token)}`,
      p.at,
      kind === T_WORD ? `write include "${text}"` : undefined,
    );
  }
  p.next();
  const at = p.since(start);
  end(p);
  const files = text === '' ? [] : p.read(text);
  if (files === null && !WILDCARDS.test(text)) {
    p.fail(`file not found: ${text}`, at);
  }
  if (p.files >= MAX_INCLUDES) {
    p.fail(`include nested too deeply, at most ${MAX_INCLUDES} levels`, at);
  }
  p.nextThen(() => {
    for (const file of [...(files ?? [])].reverse()) {
      p.include(file.name, file.text);
    }
  });
}

/**
 * Takes one of the lines that may stand in every block: define, redefine, undefine, include.
 * @returns false, with nothing taken, if it is none of them
 */
export function commonItem(p: Cursor): boolean {
  if (p.is('define') || p.is('redefine')) {
    define(p);
  } else if (p.is('undefine')) {
    undefine(p);
  } else if (p.is('include')) {
    include(p);
  } else {
    return false;
  }
  return true;
}
