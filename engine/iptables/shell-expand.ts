import { SourceError } from '../base/error.ts';
import type { HereDocument, ShellPart, ShellWord } from './shell-lex.ts';
import type { Word } from './words.ts';

/** The value of a variable: text, or why nobody but a shell could tell. */
export type ShellValue = string | { readonly opaque: string };

/** Variables and arguments of a running script. */
export class ShellVariables {
  private readonly values: Map<string, ShellValue> = new Map();
  /** Arguments of the script, then of each function that runs. */
  readonly frames: (readonly string[])[];

  constructor(args: readonly string[]) {
    this.frames = [args];
  }

  set(name: string, value: ShellValue): void {
    this.values.set(name, value);
  }

  /** A variable's value, or an argument's; undefined if it is not set. */
  get(name: string): ShellValue | undefined {
    const args = this.frames.at(-1)!;
    if (name === '@' || name === '*') return args.join(' ');
    if (name === '#') return String(args.length);
    if (name === '?') return { opaque: '$?' };
    if (/^[0-9]$/.test(name)) return name === '0' ? { opaque: '$0' } : args[Number(name) - 1];
    return this.values.get(name);
  }
}

/** How to expand. */
export interface ExpandOptions {
  /** What an unset variable is: an error, or nothing, as the shell has it. */
  readonly unset: 'error' | 'empty';
}

function partValue(
  part: ShellPart,
  word: ShellWord,
  variables: ShellVariables,
  options: ExpandOptions,
): ShellValue {
  if (part.kind === 'text') return part.text;
  if (part.kind === 'opaque') return { opaque: part.what };
  const value = variables.get(part.name);
  if (value !== undefined && !(value === '' && part.fallback !== null)) return value;
  if (part.fallback !== null) return part.fallback;
  if (options.unset === 'empty') return '';
  const hint = /^\d/.test(part.name) ? 'write the value itself' : `write ${part.name}=… before it`;
  throw new SourceError(`$${part.name} is not set here`, word.at, hint);
}

/**
 * What a word stands for: several words if an unquoted variable holds blanks, none if it is empty.
 * @throws SourceError if only a shell could tell
 */
export function expandWord(word: ShellWord, variables: ShellVariables, options: ExpandOptions): Word[] {
  let open = false;
  let text = '';
  const out: Word[] = [];
  const end = (): void => {
    if (open) out.push({ text, at: word.at });
    open = false;
    text = '';
  };
  for (const part of word.parts) {
    // "$@" is as many words as there are arguments, whatever is in them.
    if (part.kind === 'variable' && part.quoted && part.name === '@') {
      for (const [i, argument] of variables.frames.at(-1)!.entries()) {
        if (i > 0) end();
        text += argument;
        open = true;
      }
      continue;
    }
    const value = partValue(part, word, variables, options);
    if (typeof value !== 'string')
      throw new SourceError(
        `what ${value.opaque} gives is not known here`,
        word.at,
        'write the value itself',
      );
    if (part.kind === 'text' || part.quoted) {
      text += value;
      open = true;
      continue;
    }
    for (const [i, field] of value.split(/[ \t\n]+/).entries()) {
      if (i > 0) end();
      if (field === '') continue;
      text += field;
      open = true;
    }
  }
  end();
  return out;
}

/** So that a value put into itself over and over comes to an end. */
const VALUE_MAX = 1 << 20;

/** The value of an assignment `NAME=word`: nothing is split. */
export function expandValue(word: ShellWord, skip: number, variables: ShellVariables): ShellValue {
  let text = '';
  for (const [i, part] of word.parts.entries()) {
    const value = partValue(part, word, variables, { unset: 'empty' });
    if (typeof value !== 'string') return value;
    text += i === 0 ? value.slice(skip) : value;
    if (text.length > VALUE_MAX) return { opaque: 'a value this long' };
  }
  return text;
}

/** The text of a here-document with its variables put in. @throws SourceError */
export function expandDocument(here: HereDocument, file: string, variables: ShellVariables): string {
  if (here.literal) return here.text;
  return here.text
    .split('\n')
    .map((line, i) =>
      line.replace(
        /\\([$`\\])|\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})|\$\(|`/g,
        (all, escaped, plain, braced, at) => {
          if (escaped !== undefined) return escaped;
          const span = { file, line: here.line + i, col: at + 1, len: all.length };
          const name = plain ?? braced;
          if (name === undefined)
            throw new SourceError('what a command gives is not known here', span, 'write the value itself');
          const value = variables.get(name);
          if (typeof value === 'string') return value;
          throw new SourceError(`$${name} is not set here`, span);
        },
      ),
    )
    .join('\n');
}
