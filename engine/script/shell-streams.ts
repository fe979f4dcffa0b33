import type { ShellValue } from './shell-variables.ts';

/** So that what is printed over and over comes to an end. */
const OUTPUT_MAX = 1 << 22;

/** What a command prints. */
export class ShellOutput {
  private text = '';
  private opaque: string | null = null;

  /** Takes text. */
  print(text: string): void {
    if (this.text.length + text.length > OUTPUT_MAX) this.mark('an output this long');
    else this.text += text;
  }

  /** Notes that something was printed that nobody but a shell could tell. */
  mark(what: string): void {
    this.opaque ??= what;
  }

  get value(): ShellValue {
    return this.opaque === null ? this.text : { opaque: this.opaque };
  }
}

/** What a command reads, taken when it is asked for. */
export class ShellInput {
  /** Name of a file, null for text of the script itself. */
  readonly file: string | null;
  /** Line of the script that the text begins at, 0 if it does not stand in it. */
  readonly line: number;
  /** How many lines were read. */
  taken = 0;
  private readonly load: () => ShellValue | null;
  private lines: string[] | null | undefined;

  /** @param load gives the text, null if there is none */
  constructor(load: () => ShellValue | null, file: string | null = null, line = 0) {
    this.load = load;
    this.file = file;
    this.line = line;
  }

  private all(): string[] | null {
    if (this.lines === undefined) {
      const value = this.load();
      this.lines = typeof value === 'string' ? value.split('\n') : null;
      if (this.lines?.at(-1) === '') this.lines.pop();
    }
    return this.lines;
  }

  /** Whether its text can be told. */
  get isKnown(): boolean {
    return this.all() !== null;
  }

  /** The next line; null at the end. */
  next(): string | null {
    const line = this.all()?.shift();
    if (line === undefined) return null;
    this.taken++;
    return line;
  }

  /** All that is left, null if it cannot be told. */
  rest(): string | null {
    const lines = this.all();
    if (lines === null) return null;
    return lines
      .splice(0)
      .map((line) => `${line}\n`)
      .join('');
  }
}

/** Files as a script sees them: those that it wrote itself, and those that it was given. */
export class ShellFiles {
  private readonly written: Map<string, ShellValue | null> = new Map();
  private readonly given: (path: string) => string | null;

  /** @param given a file's text, null if there is none */
  constructor(given: (path: string) => string | null) {
    this.given = given;
  }

  /** What a file holds, null if it is not known. */
  read(path: string): ShellValue | null {
    const own = this.written.get(plainPath(path));
    return own === undefined ? this.asked(path) : own;
  }

  /** The text of a file, null if that is not known. */
  text(path: string): string | null {
    const value = this.read(path);
    return typeof value === 'string' ? value : null;
  }

  /** A device may have no end, and a pattern is no name. */
  private asked(path: string): string | null {
    return /^\/(dev|proc|sys)\/|[*?[]/.test(path) ? null : this.given(path);
  }

  write(path: string, value: ShellValue, isAppend: boolean): void {
    const old = isAppend ? (this.read(path) ?? '') : '';
    const isText = typeof old === 'string' && typeof value === 'string';
    const isLong = isText && old.length + value.length > OUTPUT_MAX;
    const both = isLong
      ? { opaque: `the file ${path}, which is this long,` }
      : isText
        ? old + value
        : typeof value === 'string'
          ? old
          : value;
    this.written.set(plainPath(path), both);
  }

  /** How many were written. */
  get count(): number {
    return this.written.size;
  }

  remove(path: string): void {
    this.written.set(plainPath(path), null);
  }

  /** Whether there is such a file, null if that is not known. */
  exists(path: string): boolean | null {
    const own = this.written.get(plainPath(path));
    if (own !== undefined) return own !== null;
    return this.asked(path) === null ? null : true;
  }
}

function plainPath(path: string): string {
  return path.replace(/^(\.\/+)+/, '');
}
