/** Whether an option takes a value: `optional` only one that is attached to it. */
export type Argument = 'none' | 'required' | 'optional';

/** A long option; several names may stand for one `id`. */
export interface LongOption {
  readonly name: string;
  readonly argument: Argument;
  readonly id: string;
}

/** One option as it was found on the command line. */
export interface Token {
  /** The option's id; `?` for one that is not known (or not unambiguous), `:` for one whose value is missing. */
  readonly id: string;
  readonly value: string | null;
  /** The argument before the one that is read next: what error messages call the option. */
  readonly previous: string;
  /** The argument that is read next, whatever it is; null at the end. */
  readonly following: string | null;
}

/**
 * Reads options as getopt_long(3) of the GNU C library does (its manual: permutation of arguments, options run
 * together, unambiguous abbreviations of long ones), with a table of long options that may grow while it reads.
 */
export class Getopt {
  private readonly args: string[];
  private readonly short: ReadonlyMap<string, Argument>;
  private readonly long: () => readonly LongOption[];
  /** What is read next. */
  private index = 1;
  /** Words that are no options and were passed over: from the first to behind the last. */
  private wordsFrom = 1;
  private wordsTo = 1;
  /** Rest of an argument with several short options. */
  private rest = '';

  /**
   * @param args with the program's name in front
   * @param short short options by their letter; one's id is the letter
   * @param long asked for at each long option
   */
  constructor(
    args: readonly string[],
    short: ReadonlyMap<string, Argument>,
    long: () => readonly LongOption[],
  ) {
    this.args = [...args];
    this.short = short;
    this.long = long;
  }

  /** The next option, null behind the last. */
  next(): Token | null {
    if (this.rest === '' && !this.advance()) return null;
    if (this.rest !== '') return this.readShort();
    return this.readLong(this.args[this.index++]!.slice(2));
  }

  /** Passes over words; false at the end of the options. */
  private advance(): boolean {
    const { args } = this;
    this.permute();
    while (this.index < args.length && isWord(args[this.index]!)) this.index++;
    this.wordsTo = this.index;
    if (this.index < args.length && args[this.index] === '--') {
      this.index++;
      if (this.wordsFrom === this.wordsTo) this.wordsFrom = this.index;
      else this.permute();
      this.wordsTo = args.length;
      this.index = args.length;
    }
    if (this.index >= args.length) return false;
    const arg = args[this.index]!;
    if (!arg.startsWith('--')) this.rest = arg.slice(1);
    return true;
  }

  /** Moves the words that were passed over behind the options that came after them. */
  private permute(): void {
    const { args, wordsFrom, wordsTo, index } = this;
    if (wordsFrom !== wordsTo && wordsTo !== index) {
      const words = args.splice(wordsFrom, wordsTo - wordsFrom);
      args.splice(index - words.length, 0, ...words);
      this.wordsFrom += index - wordsTo;
    } else if (wordsTo !== index) this.wordsFrom = index;
    this.wordsTo = index;
  }

  private token(id: string, value: string | null): Token {
    return {
      id,
      value,
      previous: this.args[this.index - 1] ?? '',
      following: this.args[this.index] ?? null,
    };
  }

  private readShort(): Token {
    const letter = this.rest[0]!;
    this.rest = this.rest.slice(1);
    if (this.rest === '') this.index++;
    const argument = this.short.get(letter);
    if (argument === undefined) return this.token('?', null);
    if (argument === 'none') return this.token(letter, null);
    if (this.rest !== '') {
      const value = this.rest;
      this.rest = '';
      this.index++;
      return this.token(letter, value);
    }
    return argument === 'optional' ? this.token(letter, null) : this.separate(letter);
  }

  /** An option whose value is the next argument. */
  private separate(id: string): Token {
    if (this.index >= this.args.length) return this.token(':', null);
    const value = this.args[this.index++]!;
    return this.token(id, value);
  }

  private readLong(text: string): Token {
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    const attached = equals < 0 ? null : text.slice(equals + 1);
    const option = findLong(this.long(), name);
    if (option === null || (attached !== null && option.argument === 'none')) return this.token('?', null);
    if (attached !== null || option.argument !== 'required') return this.token(option.id, attached);
    return this.separate(option.id);
  }
}

function isWord(arg: string): boolean {
  return arg === '-' || !arg.startsWith('-');
}

/** The option of this name, or the only one that begins with it. Names of one option are no ambiguity. */
function findLong(options: readonly LongOption[], name: string): LongOption | null {
  const exact = options.find((o) => o.name === name);
  if (exact !== undefined) return exact;
  const near = options.filter((o) => o.name.startsWith(name));
  return near.length > 0 && near.every((o) => o.id === near[0]!.id) ? near[0]! : null;
}
