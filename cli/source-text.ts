import type { SourceError } from '@keepstate/engine';

/** The spaces that move to a column of a line: its tabs stay tabs, so that the caret stands below its word. */
function padding(line: string, column: number): string {
  return line.slice(0, column - 1).replace(/[^\t]/g, ' ');
}

/**
 * An error in a ruleset as nft prints its own: `FILE:LINE:COL-COL: Error: MESSAGE`, the line, and carets below what
 * is meant; then a suggestion where there is one.
 * @param text the file, null if it is not at hand
 * @param word 'Error' or 'Warning'
 */
export function sourceErrorText(error: SourceError, text: string | null, word = 'Error'): string {
  const { file, line, col, len } = error.at;
  const head = error.message.replace(`${file}:${line}:${col}: `, '');
  const message = error.hint === undefined ? head : head.replace(` (${error.hint})`, '');
  const width = Math.max(len, 1);
  const lines = [`${file}:${line}:${col}-${col + width - 1}: ${word}: ${message}`];
  const source = text?.split('\n')[line - 1]?.replace(/\r$/, '');
  if (source !== undefined) {
    // A token that goes on over the line is underlined to its end.
    const carets = Math.max(1, Math.min(width, source.length - col + 1));
    lines.push(source, padding(source, col) + '^'.repeat(carets));
  }
  if (error.hint !== undefined) lines.push(error.hint);
  return lines.join('\n');
}
