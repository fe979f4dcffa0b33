import { readFileSync } from 'node:fs';

/** What the real tool says to an input. */
export type Answer =
  /** Taken. */
  | 'taken'
  /** A mistake of the language: our parser must see it. */
  | 'syntax'
  /** A mistake of meaning: seen by evaluation or by the transaction. */
  | 'meaning'
  /** Right, but this machine's kernel (or host) lacks what it needs. */
  | 'lacking';

/** An input and what nft 1.0.6 on Linux 6.18 says to it (`nft -c`). */
export interface CorpusCase {
  readonly text: string;
  readonly answer: Answer;
}

const SIGNS: Readonly<Record<string, Answer>> = {
  '=': 'taken',
  '!': 'syntax',
  '?': 'meaning',
  '~': 'lacking',
};

/**
 * The inputs of parse-corpus.txt: one a line, behind the sign of the answer; `\n` is a newline, and a line that
 * begins with `%` is a rule of an inet table that has a second chain `d`.
 */
export function readCorpus(): CorpusCase[] {
  const lines = readFileSync(new URL('parse-corpus.txt', import.meta.url), 'utf8').split('\n');
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const input = line.slice(2).replaceAll('\\n', '\n');
      const text = input.startsWith('%')
        ? `table inet t { chain c {\n${input.slice(1)}\n}\nchain d {}\n}\n`
        : `${input}\n`;
      return { text, answer: SIGNS[line[0]!]! };
    });
}
