import { T_EOF, T_PUNCT } from './lex.ts';
import { type Cursor, describeToken } from './parse-cursor.ts';
import { commonItem } from './parse-define.ts';

/** Takes one item of a block. */
export type Item = () => unknown;

/**
 * Takes `{ … }` with items that each end with a newline or a semicolon; what is wrong with one does not hide the
 * next. Every block has variables of its own.
 * @param what the block's name in messages: `chain 'input'`
 * @param item takes one item, without its end; true if it needs none
 */
export function block(p: Cursor, what: string, item: Item): void {
  if (p.atEnd()) {
    p.fail(`expected '{', found ${describeToken(p.token)}`, p.at, 'the brace stands in the same line');
  }
  const open = p.expect('{');
  p.nested(() => p.scoped(() => items(p, what, item, open.at)));
}

function items(p: Cursor, what: string, item: Item, open: number): void {
  for (;;) {
    p.skipSeparators();
    if (p.token.kind === T_PUNCT && p.token.text === '}') {
      p.next();
      return;
    }
    if (p.token.kind === T_EOF) {
      unclosed(p, what, open);
      return;
    }
    const braces = p.braces;
    try {
      if (!commonItem(p) && item() !== true) {
        itemEnd(p);
      }
    } catch (error) {
      p.recover(error, braces);
    }
  }
}

/** One message for the innermost block that is open at the end; those around it are open for the same reason. */
function unclosed(p: Cursor, what: string, open: number): void {
  if (!p.unclosed) {
    p.unclosed = true;
    p.note(`the closing '}' of ${what} is missing`, open);
  }
}

/** An item must end here. */
export function itemEnd(p: Cursor): void {
  if (p.atEnd()) {
    if (p.token.kind !== T_EOF) {
      p.next();
    }
    return;
  }
  const message = `expected a newline or ';', found ${describeToken(p.token)}`;
  if (p.is('}') && p.braces > 0) {
    // What it closes is clear all the same.
    p.note(message, p.at, "what stands before '}' ends with ';' or a newline");
    return;
  }
  p.fail(message, p.at);
}
