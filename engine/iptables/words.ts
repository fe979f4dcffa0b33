import { SourceError, type Span } from '../base/error.ts';
import { XtError } from './extension.ts';

/** A word of a command, with quotes taken off. */
export interface Word {
  readonly text: string;
  readonly at: Span;
}

/** Where a run of words stands; as long as they are on one line. */
export function spanOf(first: Word, last: Word = first): Span {
  if (first.at.line !== last.at.line) return first.at;
  return { ...first.at, len: Math.max(first.at.len, last.at.col + last.at.len - first.at.col) };
}

/** Runs something that may throw an XtError, and says where it was. */
export function locate<T>(at: Span, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof XtError) throw new SourceError(error.message, at, error.hint);
    throw error;
  }
}

/**
 * Splits a line of iptables-restore: blanks and tabs between words, double quotes around them, in which a backslash
 * keeps the next character. Measured: a quote may open within a word (`a"b c"`), closing it ends the word, a single
 * quote is an ordinary character, and a quote that is not closed takes the end of the line with it.
 * @param col 1-based column that `text` begins at
 */
export function splitLine(text: string, file: string, line: number, col = 1): Word[] {
  if (!text.includes('"')) return splitPlain(text, file, line, col);
  const words: Word[] = [];
  let word = '';
  let from = -1;
  let quoted = false;
  const end = (i: number): void => {
    if (from >= 0) words.push({ text: word, at: { file, line, col: col + from, len: i - from } });
    word = '';
    from = -1;
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quoted) {
      if (c === '"') {
        quoted = false;
        end(i + 1);
      } else if (c === '\\' && i + 1 < text.length) word += text[++i]!;
      else word += c;
    } else if (c === '"') {
      quoted = true;
      if (from < 0) from = i;
    } else if (c === ' ' || c === '\t') end(i);
    else {
      if (from < 0) from = i;
      word += c;
    }
  }
  if (quoted) word += '\n';
  end(text.length);
  return words;
}

/** A line without quotes. */
function splitPlain(text: string, file: string, line: number, col: number): Word[] {
  const words: Word[] = [];
  let from = -1;
  for (let i = 0; i <= text.length; i++) {
    const c = i < text.length ? text.charCodeAt(i) : 0x20;
    if (c !== 0x20 && c !== 0x09) {
      if (from < 0) from = i;
    } else if (from >= 0) {
      words.push({ text: text.slice(from, i), at: { file, line, col: col + from, len: i - from } });
      from = -1;
    }
  }
  return words;
}
