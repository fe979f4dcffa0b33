import type { SourceError } from '@keepstate/engine';

/** A line longer than this is shown as a window around what is meant: a minified file is one line of megabytes. */
const WIDTH_MAX = 240;
/** How much of a long line stands before the caret. */
const BEFORE = 60;
const ELLIPSIS = '…';

/** Lines of a text, asked for in any order: the text is split once, not for each error. */
export interface SourceLines {
  readonly text: string;
  /** A line by its number from 1, without its end; undefined if the text has fewer. */
  line(number: number): string | undefined;
}

/** The lines of a text that is at hand. */
export function sourceLines(text: string): SourceLines {
  let lines: readonly string[] | null = null;
  return {
    text,
    line(number): string | undefined {
      lines ??= text.split('\n');
      return lines[number - 1]?.replace(/\r$/, '');
    },
  };
}

/**
 * A text with control characters (but tabs) as pictures of them, U+2400 and on, each one column wide: a file
 * that is no ruleset must not steer the terminal that shows it.
 */
export function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\x00-\x08\x0a-\x1f\x7f-\x9f]/g, (c) => {
    const code = c.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? '\u2421' : '\ufffd';
  });
}

/** The spaces that move to a column of a line: its tabs stay tabs, so that the caret stands below its word. */
function padding(line: string, column: number): string {
  return line.slice(0, column - 1).replace(/[^\t]/g, ' ');
}

/** A line and carets below a part of it; a long line is cut on both sides. */
function marked(source: string, col: number, width: number): [line: string, carets: string] {
  const start = source.length <= WIDTH_MAX || col <= BEFORE ? 0 : col - 1 - BEFORE;
  const head = start === 0 ? '' : ELLIPSIS;
  const end = Math.min(source.length, start + WIDTH_MAX);
  const line = head + source.slice(start, end) + (end < source.length ? ELLIPSIS : '');
  const column = col - start + head.length;
  // A token that goes on over the line is underlined to its end.
  const carets = Math.max(1, Math.min(width, head.length + end - start - column + 1));
  return [visible(line), padding(line, column) + '^'.repeat(carets)];
}

/**
 * An error in a ruleset as nft prints its own: `FILE:LINE:COL-COL: Error: MESSAGE`, the line, and carets below what
 * is meant; then a suggestion where there is one.
 * @param source the file, null if it is not at hand
 * @param word 'Error' or 'Warning'
 */
export function sourceErrorText(
  error: SourceError,
  source: string | SourceLines | null,
  word = 'Error',
): string {
  const { file, line, col, len } = error.at;
  const head = error.message.replace(`${file}:${line}:${col}: `, '');
  const message = error.hint === undefined ? head : head.replace(` (${error.hint})`, '');
  const width = Math.max(len, 1);
  const lines = [`${file}:${line}:${col}-${col + width - 1}: ${word}: ${visible(message)}`];
  const text = (typeof source === 'string' ? sourceLines(source) : source)?.line(line);
  if (text !== undefined) lines.push(...marked(text, col, width));
  if (error.hint !== undefined) lines.push(visible(error.hint));
  return lines.join('\n');
}
