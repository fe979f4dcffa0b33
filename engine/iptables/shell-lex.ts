import { SourceError, type Span } from '../base/error.ts';

/** A piece of a word: text, the value of a variable, or something that only a shell could tell. */
export type ShellPart =
  | { readonly kind: 'text'; readonly text: string; readonly quoted: boolean }
  | {
      readonly kind: 'variable';
      readonly name: string;
      readonly quoted: boolean;
      readonly fallback: string | null;
    }
  | { readonly kind: 'opaque'; readonly what: string; readonly quoted: boolean };

/** A word before anything is put in for its variables. */
export interface ShellWord {
  readonly parts: readonly ShellPart[];
  readonly at: Span;
}

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

const OPERATORS = [
  '<<-',
  '<<<',
  '&&',
  '||',
  ';;',
  '<<',
  '>>',
  '>&',
  '<&',
  '&>',
  '|',
  '&',
  ';',
  '(',
  ')',
  '<',
  '>',
  '\n',
];
const NAME = /^[A-Za-z_][A-Za-z0-9_]*/;

/** Splits a shell script into words and operators. @throws SourceError at a quote that is not closed */
export function lexShell(text: string, file: string, firstLine = 1): ShellToken[] {
  return new ShellLexer(text, file, firstLine).run();
}

class ShellLexer {
  private readonly text: string;
  private readonly file: string;
  private i = 0;
  private line: number;
  private lineStart = 0;
  private readonly tokens: ShellToken[] = [];
  /** Documents whose text begins behind the next line's end. */
  private awaited: { here: HereDocument; word: string; tabs: boolean }[] = [];

  constructor(text: string, file: string, firstLine: number) {
    this.text = text;
    this.file = file;
    this.line = firstLine;
  }

  run(): ShellToken[] {
    while (this.i < this.text.length) this.step();
    this.push('end', '', null, null, this.span(this.i));
    return this.tokens;
  }

  private span(from: number, to: number = this.i): Span {
    return { file: this.file, line: this.line, col: from - this.lineStart + 1, len: Math.max(1, to - from) };
  }

  private push(
    kind: ShellToken['kind'],
    text: string,
    word: ShellWord | null,
    here: HereDocument | null,
    at: Span,
  ): void {
    this.tokens.push({ kind, text, word, here, at });
  }

  private newline(): void {
    this.line++;
    this.lineStart = this.i;
  }

  private step(): void {
    const { text } = this;
    const c = text[this.i]!;
    if (c === '\\' && text[this.i + 1] === '\n') {
      this.i += 2;
      this.newline();
    } else if (c === ' ' || c === '\t' || c === '\r') this.i++;
    else if (c === '#') {
      while (this.i < text.length && text[this.i] !== '\n') this.i++;
    } else if (/[0-9]/.test(c) && /^[0-9]+[<>]/.test(text.slice(this.i, this.i + 4))) {
      // The number of a file before a redirection.
      while (/[0-9]/.test(text[this.i]!)) this.i++;
      this.operator(Number(c));
    } else {
      const operator = OPERATORS.find((o) => text.startsWith(o, this.i));
      if (operator === undefined) this.word();
      else this.operator(-1);
    }
  }

  /** @param fd file number before it, -1 if none; a redirection of errors gets a `2` in front */
  private operator(fd: number): void {
    const from = this.i;
    const operator = OPERATORS.find((o) => this.text.startsWith(o, this.i))!;
    this.i += operator.length;
    const at = this.span(from);
    if (operator === '\n') {
      this.push('operator', '\n', null, null, at);
      this.newline();
      this.documents();
    } else if (operator === '<<' || operator === '<<-') this.hereOperator(operator === '<<-', at);
    else this.push('operator', fd === 2 ? `2${operator}` : operator, null, null, at);
  }

  private hereOperator(tabs: boolean, at: Span): void {
    while (this.text[this.i] === ' ' || this.text[this.i] === '\t') this.i++;
    const m = /^(?:'([^'\n]*)'|"([^"\n]*)"|\\?([^\s;|&<>()]+))/.exec(this.text.slice(this.i));
    if (m === null) throw new SourceError('a word was expected behind <<', at);
    const literal = m[3] === undefined || m[0].startsWith('\\');
    this.i += m[0].length;
    const here: HereDocument = { text: '', line: 0, literal };
    this.awaited.push({ here, word: m[1] ?? m[2] ?? m[3]!, tabs });
    this.push('operator', '<<', null, here, at);
  }

  /** Takes the documents that begin here. */
  private documents(): void {
    for (const { here, word, tabs } of this.awaited) {
      here.line = this.line;
      const lines: string[] = [];
      for (;;) {
        if (this.i >= this.text.length)
          throw new SourceError(
            `the text behind <<${word} has no end`,
            this.span(this.i),
            `a line ${word} was expected`,
          );
        let end = this.text.indexOf('\n', this.i);
        if (end < 0) end = this.text.length;
        const raw = this.text.slice(this.i, end);
        this.i = Math.min(end + 1, this.text.length);
        this.newline();
        const line = tabs ? raw.replace(/^\t+/, '') : raw;
        if (line === word) break;
        lines.push(line);
      }
      here.text = lines.map((line) => `${line}\n`).join('');
    }
    this.awaited = [];
  }

  private word(): void {
    const from = this.i;
    const { line, lineStart } = this;
    const parts: ShellPart[] = [];
    let plain = true;
    while (this.i < this.text.length && !/[\s;|&<>()]/.test(this.text[this.i]!))
      plain = this.part(parts) && plain;
    const at = {
      file: this.file,
      line,
      col: from - lineStart + 1,
      len: Math.max(1, this.line === line ? this.i - from : 1),
    };
    const text = plain && parts.length === 1 && parts[0]!.kind === 'text' ? parts[0]!.text : '';
    this.push('word', text, { parts, at }, null, at);
  }

  /** Takes one piece. @returns whether it is plain text */
  private part(parts: ShellPart[]): boolean {
    const c = this.text[this.i]!;
    if (c === "'") {
      const end = this.text.indexOf("'", this.i + 1);
      if (end < 0) throw new SourceError("a quote ' is not closed", this.span(this.i, this.i + 1));
      this.addText(parts, this.text.slice(this.i + 1, end), true);
      this.skip(end + 1);
      return false;
    }
    if (c === '"') {
      this.doubleQuoted(parts);
      return false;
    }
    if (c === '$' || c === '`') {
      this.expansion(parts, false);
      return false;
    }
    if (c === '\\') {
      const next = this.text[this.i + 1];
      if (next !== '\n' && next !== undefined) this.addText(parts, next, true);
      this.skip(this.i + 2);
      return false;
    }
    this.addText(parts, c, false);
    this.i++;
    return true;
  }

  /** Goes on behind text that may hold ends of lines. */
  private skip(to: number): void {
    for (; this.i < to; this.i++) {
      if (this.text[this.i] !== '\n') continue;
      this.line++;
      this.lineStart = this.i + 1;
    }
  }

  private addText(parts: ShellPart[], text: string, quoted: boolean): void {
    const last = parts.at(-1);
    if (last?.kind === 'text' && last.quoted === quoted)
      parts[parts.length - 1] = { ...last, text: last.text + text };
    else parts.push({ kind: 'text', text, quoted });
  }

  private doubleQuoted(parts: ShellPart[]): void {
    const open = this.span(this.i, this.i + 1);
    this.i++;
    this.addText(parts, '', true);
    for (;;) {
      const c = this.text[this.i];
      if (c === undefined) throw new SourceError('a quote " is not closed', open);
      if (c === '"') break;
      if (c === '$' || c === '`') this.expansion(parts, true);
      else if (c === '\\' && '"\\$`\n'.includes(this.text[this.i + 1] ?? ' ')) {
        if (this.text[this.i + 1] !== '\n') this.addText(parts, this.text[this.i + 1]!, true);
        this.skip(this.i + 2);
      } else {
        this.addText(parts, c, true);
        this.skip(this.i + 1);
      }
    }
    this.i++;
  }

  /** `$NAME`, `${NAME}`, `${NAME:-word}`; whatever runs a command is opaque. */
  private expansion(parts: ShellPart[], quoted: boolean): void {
    const rest = this.text.slice(this.i, this.i + 4096);
    const plain =
      /^\$(?:([A-Za-z_][A-Za-z0-9_]*|[0-9@*#?])|\{([A-Za-z_][A-Za-z0-9_]*|[0-9@*#?])(?::?-([^{}$`"']*))?\})/.exec(
        rest,
      );
    if (plain !== null) {
      const name = plain[1] ?? plain[2]!;
      parts.push({ kind: 'variable', name, quoted, fallback: plain[3] ?? null });
      this.i += plain[0].length;
    } else if (rest.startsWith('$(') || rest.startsWith('${') || rest.startsWith('`'))
      this.opaque(parts, quoted);
    else {
      this.addText(parts, '$', quoted);
      this.i++;
    }
  }

  private opaque(parts: ShellPart[], quoted: boolean): void {
    const from = this.i;
    const end = this.text[from] === '`' ? this.text.indexOf('`', from + 1) : closing(this.text, from + 1);
    if (end < 0) throw new SourceError('what begins here is not closed', this.span(from, from + 2));
    parts.push({ kind: 'opaque', what: this.text.slice(from, end + 1), quoted });
    this.skip(end + 1);
  }
}

/** Where the bracket that stands at a place is closed, -1 if nowhere. */
function closing(text: string, from: number): number {
  const open = text[from]!;
  const close = open === '(' ? ')' : '}';
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === open) depth++;
    else if (text[i] === close && --depth === 0) return i;
  }
  return -1;
}

/** Whether a word is `NAME=…`; its name if so. */
export function assignedName(word: ShellWord): string | null {
  const first = word.parts[0];
  if (first?.kind !== 'text' || first.quoted) return null;
  const name = NAME.exec(first.text);
  return name !== null && first.text[name[0].length] === '=' ? name[0] : null;
}

/** A word's text if it has neither quotes nor variables, else ''. */
export function plainText(word: ShellWord | undefined): string {
  const part = word?.parts[0];
  return word?.parts.length === 1 && part?.kind === 'text' ? part.text : '';
}
