import type { Span } from '../base/error.ts';
import type { ShellWord } from './shell-word.ts';

/** The text behind `<<WORD`, up to the line that is WORD. */
export interface HereDocument {
  text: string;
  /** Line that it begins at. */
  line: number;
  /** Whether WORD was quoted: then nothing is put in for variables. */
  readonly literal: boolean;
}

/** A word, an operator (`;`, `&&`, `\n`, `>` …), or the end. */
export interface ShellToken {
  readonly kind: 'word' | 'operator' | 'end';
  /** The operator, or the word if it is plain text without quotes, else ''. */
  readonly text: string;
  readonly word: ShellWord | null;
  readonly here: HereDocument | null;
  readonly at: Span;
}

/** Where a text begins. */
export interface LexFrom {
  readonly file: string;
  readonly line: number;
  readonly col?: number;
  /** How many quotes and brackets it stands in. */
  readonly depth?: number;
}
