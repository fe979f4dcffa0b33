import type { Span } from '../base/error.ts';

/** A piece of a word, before anything is put in for it. */
export type ShellPart =
  | { readonly kind: 'text'; readonly text: string; readonly quoted: boolean }
  | ShellParameter
  /** `$(…)` or `` `…` ``; as a file `<(…)`. */
  | {
      readonly kind: 'command';
      readonly text: string;
      readonly quoted: boolean;
      readonly isFile: boolean;
      readonly at: Span;
    }
  /** `$((…))`; as a command `((…))`. */
  | {
      readonly kind: 'arithmetic';
      readonly text: string;
      readonly quoted: boolean;
      readonly isCommand: boolean;
      readonly at: Span;
    }
  /** `(…)` behind `NAME=`. */
  | { readonly kind: 'array'; readonly words: readonly ShellWord[]; readonly at: Span }
  /** Something that only a shell could tell. */
  | { readonly kind: 'opaque'; readonly what: string; readonly quoted: boolean; readonly at: Span };

/** `$NAME`, `${NAME}`, `${NAME[index]}`, `${NAME:-word}` and so on. */
export interface ShellParameter {
  readonly kind: 'variable';
  readonly name: string;
  readonly quoted: boolean;
  /** What stands in the brackets: `@`, `*` or an index. */
  readonly subscript: ShellWord | null;
  /** `:-`, `##`, `//` …; `length` for `${#NAME}`, `indirect` for `${!NAME}`, `keys` for `${!NAME[@]}`, '' for none. */
  readonly operator: string;
  readonly operand: ShellWord | null;
  /** Behind the second `/` or `:`. */
  readonly second: ShellWord | null;
  readonly at: Span;
}

/** A word before anything is put in for its variables. */
export interface ShellWord {
  readonly parts: readonly ShellPart[];
  readonly at: Span;
}

/** A word that stands for itself, as in quotes. */
export function quotedWord(text: string, at: Span): ShellWord {
  return { at, parts: [{ kind: 'text', text, quoted: true }] };
}

const ASSIGNED = /^([A-Za-z_]\w*)(?:\[([^\]]*)\])?(\+?=)/;

/** `NAME=`, `NAME+=` or `NAME[index]=` that a word begins with. */
export interface ShellAssignment {
  readonly name: string;
  readonly index: string | null;
  readonly isAppend: boolean;
  /** Characters up to the value. */
  readonly length: number;
}

/** The assignment that a word is, null if it is none. */
export function assignmentOf(word: ShellWord): ShellAssignment | null {
  const first = word.parts[0];
  if (first?.kind !== 'text' || first.quoted) return null;
  const m = ASSIGNED.exec(first.text);
  if (m === null) return null;
  return { name: m[1]!, index: m[2] ?? null, isAppend: m[3] === '+=', length: m[0].length };
}

/** Whether a word is `NAME=…`; its name if so. */
export function assignedName(word: ShellWord): string | null {
  return assignmentOf(word)?.name ?? null;
}

/** A word's text if it has neither quotes nor variables, else ''. */
export function plainText(word: ShellWord | undefined): string {
  const part = word?.parts[0];
  return word?.parts.length === 1 && part?.kind === 'text' && !part.quoted ? part.text : '';
}
