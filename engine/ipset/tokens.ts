import { SetError } from './set-error.ts';

/** A word of a line, without its quotes. */
export interface Token {
  readonly text: string;
  /** 1-based column of its first character, quote included. */
  readonly col: number;
  readonly len: number;
}

/**
 * The words of a line of `ipset restore`: blanks part them, double quotes keep them together. There is no escape.
 * @throws SetError if a quote is not closed
 */
export function tokensOf(line: string): Token[] {
  const out: Token[] = [];
  for (const m of line.matchAll(/"([^"]*)("?)|\S+/g)) {
    const quoted = m[1];
    if (quoted !== undefined && m[2] === '') throw new SetError('missing close quote', m[0]);
    out.push({ text: quoted ?? m[0], col: m.index + 1, len: m[0].length });
  }
  return out;
}
