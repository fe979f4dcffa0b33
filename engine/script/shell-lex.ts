import { SourceError, type Span } from '../base/error.ts';
import { ansiText, closingBracket, closingQuote } from './shell-close.ts';
import { readParameter } from './shell-parameter.ts';
import type { HereDocument, LexFrom, ShellToken } from './shell-token.ts';
import type { ShellPart, ShellWord } from './shell-word.ts';

/** Longer ones first. */
const OPERATORS: readonly string[] =
  '<<- <<< ;;& &>> && || ;; ;& |& >| <> << >> >& <& &> | & ; ( ) < > \n'.split(' ');
/** An element of an array that is set. */
const ELEMENT = /^[A-Za-z_]\w*\[[^\]\n]*\]\+?=/;
/** Longest `((…))`, so that brackets without end are not gone through again and again. */
const ARITHMETIC_MAX = 500;
/** What ends a word. */
const WORD_END = /[ \t\n;|&<>()]/;
/** Words behind which a command stands, besides operators. */
const BEFORE_COMMAND: readonly string[] = ['if', 'elif', 'while', 'until', 'then', 'else', 'do', '!', '{'];
/** So that quotes and brackets within each other cannot run out of stack. */
const DEPTH_MAX = 40;

/** Splits a shell script into words and operators. @throws SourceError at a quote that is not closed */
export function lexShell(text: string, from: LexFrom): ShellToken[] {
  return new ShellLexer(text, from).run();
}

/** All of a text as one word: what stands in `${NAME:-text}`, or with `document` behind `<<EOF`. @throws SourceError */
export function lexWhole(text: string, from: LexFrom, how: 'plain' | 'quoted' | 'document'): ShellWord {
  return new ShellLexer(text, from).whole(how);
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
  /** Within `[[ … ]]`, where `<`, `&&` and brackets are words. */
  private isTest = false;
  private readonly depth: number;

  constructor(text: string, at: LexFrom) {
    this.text = text;
    this.file = at.file;
    this.line = at.line;
    this.lineStart = 1 - (at.col ?? 1);
    this.depth = at.depth ?? 0;
    if (this.depth > DEPTH_MAX)
      throw new SourceError('quotes and brackets stand too deep in each other', this.span(0, 1));
  }

  run(): ShellToken[] {
    while (this.i < this.text.length) this.step();
    if (this.isTest) this.noTestEnd();
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
    } else if (c === ' ' || c === '\t') this.i++;
    else if (this.isTest) this.testWord();
    else if (c === '#') {
      while (this.i < text.length && text[this.i] !== '\n') this.i++;
    } else if (/[0-9]/.test(c) && /^[0-9]+[<>]/.test(text.slice(this.i, this.i + 4))) {
      // The number of a file before a redirection.
      while (/[0-9]/.test(text[this.i]!)) this.i++;
      this.operator(Number(c));
    } else if (text.startsWith('((', this.i) && this.arithmeticCommand()) return;
    else if (/[<>]\(/.test(text.slice(this.i, this.i + 2))) this.word();
    else {
      const operator = OPERATORS.find((o) => text.startsWith(o, this.i));
      if (operator === undefined) this.word();
      else this.operator(-1);
    }
  }

  /** `((…))` where a command stands, as a word of its own. @returns false if that is not what stands here */
  private arithmeticCommand(): boolean {
    const last = this.tokens.at(-1);
    const isBefore =
      last === undefined ||
      (last.kind === 'operator' && !/^[<>]/.test(last.text)) ||
      [...BEFORE_COMMAND, 'for'].includes(last.text);
    const end = isBefore ? closingBracket(this.text, this.i, false, ARITHMETIC_MAX) : -1;
    if (end < 0 || this.text[end - 1] !== ')' || closingBracket(this.text, this.i + 1) !== end - 1)
      return false;
    const from = this.i;
    const at = this.span(from, from + 2);
    const text = this.text.slice(from + 2, end - 1);
    this.skip(end + 1);
    const parts: ShellPart[] = [{ kind: 'arithmetic', text, quoted: true, isCommand: true, at }];
    this.push('word', '((', { parts, at }, null, at);
    return true;
  }

  /** A word of `[[ … ]]`. */
  private testWord(): void {
    const { text } = this;
    const m = /^(?:&&|\|\||[()<>]|\n)/.exec(text.slice(this.i, this.i + 2));
    const isPattern = this.tokens.at(-1)?.text === '=~';
    if (m === null || (isPattern && m[0] === '(')) {
      if (/[;&|]/.test(text[this.i]!)) this.noTestEnd();
      this.word(isPattern ? /[ \t\n]/ : /[ \t\n;&|()]/);
      if (this.tokens.at(-1)!.text === ']]') this.isTest = false;
      return;
    }
    const at = this.span(this.i, this.i + m[0].length);
    this.i += m[0].length;
    if (m[0] === '\n') this.newline();
    else this.push('word', m[0], { parts: [{ kind: 'text', text: m[0], quoted: false }], at }, null, at);
  }

  private noTestEnd(): never {
    throw new SourceError("']]' was expected here", this.span(this.i));
  }

  whole(how: 'plain' | 'quoted' | 'document'): ShellWord {
    const at = this.span(0, this.text.length);
    const parts: ShellPart[] = [];
    while (this.i < this.text.length)
      if (how === 'plain') this.part(parts);
      else this.quotedPart(parts, how === 'document');
    return { parts, at };
  }

  /** @param fd file number before it, -1 if none; a redirection of other than the usual file gets its number in front */
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
    else {
      const isUsual =
        fd < 0 || (fd === 1 && operator.startsWith('>')) || (fd === 0 && operator.startsWith('<'));
      this.push('operator', isUsual ? operator : `${fd}${operator}`, null, null, at);
    }
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

  private word(ends: RegExp = WORD_END): void {
    const from = this.i;
    const { line, lineStart } = this;
    const parts: ShellPart[] = [];
    let plain = true;
    const element = ELEMENT.exec(this.text.slice(from, from + 200));
    if (element !== null) {
      this.addText(parts, element[0], false);
      this.i += element[0].length;
    }
    for (;;) {
      const c = this.text[this.i];
      if (c === undefined) break;
      if (c === '(' && this.arrayPart(parts)) plain = false;
      else if (ends === WORD_END && /^[<>]\(/.test(this.text.slice(this.i, this.i + 2))) {
        this.command(parts, this.i + 1, false, true);
        plain = false;
      } else if (ends.test(c)) break;
      else plain = this.part(parts) && plain;
    }
    const at = {
      file: this.file,
      line,
      col: from - lineStart + 1,
      len: Math.max(1, this.line === line ? this.i - from : 1),
    };
    const text = plain && parts.length === 1 && parts[0]!.kind === 'text' ? parts[0]!.text : '';
    const last = this.tokens.at(-1);
    const isFirst = last === undefined || last.kind === 'operator' || BEFORE_COMMAND.includes(last.text);
    if (text === '[[' && isFirst) this.isTest = true;
    this.push('word', text, { parts, at }, null, at);
  }

  /** `(…)` behind `NAME=`. @returns false if that is not what stands here */
  private arrayPart(parts: ShellPart[]): boolean {
    const first = parts[0];
    const name = first?.kind === 'text' && !first.quoted && parts.length === 1 ? first.text : '';
    if (!/^[A-Za-z_]\w*\+?=$/.test(name)) return false;
    const end = closingBracket(this.text, this.i);
    const at = this.span(this.i, this.i + 1);
    if (end < 0) throw new SourceError('what begins here is not closed', at);
    const from = { file: this.file, line: at.line, col: at.col + 1, depth: this.depth + 1 };
    const tokens = lexShell(this.text.slice(this.i + 1, end), from);
    parts.push({ kind: 'array', words: tokens.flatMap((token) => token.word ?? []), at });
    this.skip(end + 1);
    return true;
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
    // Nothing in quotes is a word; "$@" is none where there are no values.
    if (this.text[this.i] === '"') this.addText(parts, '', true);
    for (;;) {
      const c = this.text[this.i];
      if (c === undefined) throw new SourceError('a quote " is not closed', open);
      if (c === '"') break;
      this.quotedPart(parts, false);
    }
    this.i++;
  }

  /** @param isDocument whether a double quote is a character like any other */
  private quotedPart(parts: ShellPart[], isDocument: boolean): void {
    const c = this.text[this.i]!;
    if (c === '$' || c === '`') this.expansion(parts, true);
    else if (c === '\\' && (isDocument ? '\\$`\n' : '"\\$`\n').includes(this.text[this.i + 1] ?? ' ')) {
      if (this.text[this.i + 1] !== '\n') this.addText(parts, this.text[this.i + 1]!, true);
      this.skip(this.i + 2);
    } else {
      this.addText(parts, c, true);
      this.skip(this.i + 1);
    }
  }

  private expansion(parts: ShellPart[], quoted: boolean): void {
    const { text, i } = this;
    const at = this.span(i, i + 2);
    const name = /^\$([A-Za-z_]\w*|[0-9@*#?$!-])/.exec(text.slice(i, i + 256))?.[1];
    if (name !== undefined) {
      this.i += name.length + 1;
      const plain = { operator: '', subscript: null, operand: null, second: null };
      parts.push({ kind: 'variable', name, quoted, ...plain, at: this.span(i) });
    } else if (text[i] === '`') this.backquoted(parts, quoted);
    else if (text.startsWith('$((', i) && this.arithmetic(parts, quoted)) return;
    else if (text[i + 1] === '[' && this.oldArithmetic(parts, quoted)) return;
    else if (text[i + 1] === '(') this.command(parts, i + 1, quoted, false);
    else if (text[i + 1] === '{') {
      const end = closingBracket(text, i + 1, quoted);
      if (end < 0) throw new SourceError('what begins here is not closed', at);
      const from = { file: this.file, line: at.line, col: at.col + 2, depth: this.depth + 1 };
      const span = this.span(i, end + 1);
      parts.push(readParameter(text.slice(i + 2, end), from, { quoted, at: span }));
      this.skip(end + 1);
    } else if (!quoted && text[i + 1] === "'") {
      const end = closingQuote(text, i + 1);
      if (end < 0) throw new SourceError("a quote ' is not closed", at);
      this.addText(parts, ansiText(text.slice(i + 2, end)), true);
      this.skip(end + 1);
    } else {
      if (quoted || text[i + 1] !== '"') this.addText(parts, '$', quoted);
      this.i++;
    }
  }

  private arithmetic(parts: ShellPart[], quoted: boolean): boolean {
    const { text, i } = this;
    const end = closingBracket(text, i + 1);
    if (end < 0 || closingBracket(text, i + 2) !== end - 1) return false;
    this.calculation(parts, quoted, text.slice(i + 3, end - 1), end);
    return true;
  }

  /** `$[…]`, as bash had it before `$((…))`. */
  private oldArithmetic(parts: ShellPart[], quoted: boolean): boolean {
    const { text, i } = this;
    const end = closingBracket(text, i + 1, false, ARITHMETIC_MAX);
    if (end < 0) return false;
    this.calculation(parts, quoted, text.slice(i + 2, end), end);
    return true;
  }

  /** @param end of the brackets */
  private calculation(parts: ShellPart[], quoted: boolean, text: string, end: number): void {
    parts.push({ kind: 'arithmetic', text, quoted, isCommand: false, at: this.span(this.i, end + 1) });
    this.skip(end + 1);
  }

  /** @param open where its bracket stands */
  private command(parts: ShellPart[], open: number, quoted: boolean, isFile: boolean): void {
    const end = closingBracket(this.text, open);
    if (end < 0) throw new SourceError('what begins here is not closed', this.span(this.i, this.i + 2));
    const at = this.span(this.i, end + 1);
    parts.push({ kind: 'command', text: this.text.slice(open + 1, end), quoted, isFile, at });
    this.skip(end + 1);
  }

  private backquoted(parts: ShellPart[], quoted: boolean): void {
    let end = this.i + 1;
    while (end < this.text.length && this.text[end] !== '`') end += this.text[end] === '\\' ? 2 : 1;
    if (end >= this.text.length)
      throw new SourceError('what begins here is not closed', this.span(this.i, this.i + 2));
    const text = this.text.slice(this.i + 1, end).replace(quoted ? /\\([$`\\"])/g : /\\([$`\\])/g, '$1');
    parts.push({ kind: 'command', text, quoted, isFile: false, at: this.span(this.i, end + 1) });
    this.skip(end + 1);
  }
}
