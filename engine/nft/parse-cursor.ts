import { SourceError, type Span } from '../base/error.ts';
import { suggest } from '../base/suggest.ts';
import type { RuleBody } from './ast.ts';
import type { At, ExprNode } from './ast-expr.ts';
import type { StmtNode } from './ast-stmt.ts';
import { Lexer, T_EOF, T_JUNK, T_NEWLINE, T_NUMBER, T_PUNCT, T_STRING, T_WORD, type Token } from './lex.ts';
import { atJoin, type Sources } from './lex-source.ts';
import { KEYWORDS, SCOPED_KEYWORDS } from './parse-keywords.ts';
import { Scope } from './parse-scope.ts';

/** How deep brackets, braces and included files may be nested; the real tool gives up at some depth, too. */
export const MAX_DEPTH = 100;
/** Number of errors after which a file is given up. */
const MAX_ERRORS = 100;

/** A file that an include found. */
export interface NamedText {
  readonly name: string;
  readonly text: string;
}

/**
 * Finds what an include names.
 * @param path as written; may have the wildcards `*`, `?`, `[…]`
 * @returns the files in alphabetical order; null if a path without wildcards does not exist
 */
export type ReadFiles = (path: string) => readonly NamedText[] | null;

/** The parts of the grammar that need each other; given to the cursor so that no file imports in a circle. */
export interface Grammar {
  /** Any expression that may stand behind `set`, as a key, as an argument. */
  expression(p: Cursor): ExprNode;
  /** One statement. */
  statement(p: Cursor): StmtNode;
  /** Rules up to a closing brace. */
  rules(p: Cursor): RuleBody[];
}

/** Thrown when so much is wrong that going on would help nobody. */
export class TooManyErrors extends Error {}

/** The tokens of a file and of those that it includes, one ahead; and what is known while reading them. */
export class Cursor {
  readonly grammar: Grammar;
  readonly sources: Sources;
  readonly errors: SourceError[] = [];
  scope: Scope = new Scope(null);
  /** How many values variables have stood for so far. */
  substituted = 0;
  /** Number of braces open. */
  braces = 0;
  /** Whether it was said that a block has no end. */
  unclosed = false;
  /** Position of the closing brace that was taken last. */
  lastBrace: At = 0;
  /** Files by the name that an include gives; null if there is none. */
  readonly read: ReadFiles;
  #nesting = 0;
  readonly #lexers: Lexer[] = [];
  #token: Token;
  #ahead: Token | null = null;
  /** What was taken last. */
  #lastToken: Token | null = null;
  /** Number of newlines taken, and for each open brace how many there were before it. */
  #lines = 0;
  #open: number[] = [];
  /** The number of newlines behind which a line begins whose mistakes come from the line before. */
  #torn = -1;

  constructor(grammar: Grammar, sources: Sources, name: string, text: string, read: ReadFiles) {
    this.grammar = grammar;
    this.read = read;
    this.sources = sources;
    this.#lexers.push(new Lexer(text, sources.add(name, text)));
    this.#token = this.#read();
  }

  /** The token that comes next. */
  get token(): Token {
    return this.#token;
  }

  /** Position of the token that comes next. */
  get at(): At {
    return this.#token.at;
  }

  /** The token behind the next one. */
  peek(): Token {
    this.#ahead ??= this.#read();
    return this.#ahead;
  }

  /** Takes the next token. */
  next(): Token {
    const token = this.#token;
    if (token.kind === T_PUNCT && token.text === '{') {
      this.braces++;
      this.#open.push(this.#lines);
    } else if (token.kind === T_PUNCT && token.text === '}') {
      this.braces--;
      this.#open.pop();
      this.lastBrace = token.at;
    } else if (token.kind === T_NEWLINE) {
      this.#lines++;
    }
    this.#lastToken = token;
    this.#token = this.#ahead ?? this.#read();
    this.#ahead = null;
    return token;
  }

  #read(): Token {
    for (;;) {
      const lexers = this.#lexers;
      const token = lexers[lexers.length - 1]!.next();
      if (token.kind !== T_EOF || lexers.length === 1) {
        return token;
      }
      lexers.pop();
    }
  }

  /** Number of files that are open, the first one included. */
  get files(): number {
    return this.#lexers.length;
  }

  /** Reads a file in the place of what comes next; only inside {@link nextThen}. */
  include(name: string, text: string): void {
    this.#lexers.push(new Lexer(text, this.sources.add(name, text)));
  }

  /**
   * Takes a token and has `open` push files before the one behind it is read.
   * @param open may call {@link include}
   */
  nextThen(open: () => void): Token {
    open();
    return this.next();
  }

  /** True if a word or a sign comes next. */
  is(text: string): boolean {
    const token = this.#token;
    return token.text === text && (token.kind === T_WORD || token.kind === T_PUNCT);
  }

  /** Takes a word or a sign if it comes next. */
  eat(text: string): boolean {
    if (!this.is(text)) {
      return false;
    }
    this.next();
    return true;
  }

  /** Takes a word or a sign that must come next. */
  expect(text: string): Token {
    if (!this.is(text)) {
      this.unexpected(`'${text}'`, [text]);
    }
    return this.next();
  }

  /** Takes one of several words. */
  oneOf<T extends string>(words: readonly T[], what: string): T {
    const token = this.#token;
    if (token.kind !== T_WORD || !(words as readonly string[]).includes(token.text)) {
      this.unexpected(what, words);
    }
    return this.next().text as T;
  }

  /**
   * Takes a name that is no keyword, or a time or an address; none in quotes.
   * @param behind the word behind which it stands, where that has keywords of its own
   */
  name(what: string, behind: string = ''): Token {
    const token = this.#token;
    const isKeyword = KEYWORDS.has(token.text) || SCOPED_KEYWORDS[behind]?.has(token.text) === true;
    if (token.kind !== T_WORD || isKeyword || token.text.endsWith('*')) {
      const hint =
        token.kind === T_WORD && isKeyword
          ? `'${token.text}' is a keyword and cannot be a name`
          : token.kind === T_STRING
            ? 'write it without quotes'
            : undefined;
      this.fail(`expected ${what}, found ${describeToken(token)}`, token.at, hint);
    }
    return this.next();
  }

  /** Takes a word, a quoted string or a wildcard. */
  string(what: string): Token {
    const token = this.#token;
    if (token.kind !== T_STRING && (token.kind !== T_WORD || KEYWORDS.has(token.text))) {
      this.unexpected(what);
    }
    return this.next();
  }

  /** Takes a number that fits into a JavaScript number. */
  number(what: string, max: number = 0xffff_ffff): number {
    const token = this.#token;
    if (token.kind !== T_NUMBER) {
      this.unexpected(what);
    }
    if (typeof token.value === 'bigint' || token.value > max) {
      this.fail(`${what} is at most ${max}`, token.at);
    }
    return this.next().value as number;
  }

  /** Takes a number of up to 64 bits. */
  u64(what: string): number | bigint {
    if (this.#token.kind !== T_NUMBER) {
      this.unexpected(what);
    }
    return this.next().value;
  }

  /** True at the end of a statement: newline, semicolon, end of the text. */
  atEnd(): boolean {
    const { kind, text } = this.#token;
    return kind === T_NEWLINE || kind === T_EOF || (kind === T_PUNCT && text === ';');
  }

  /** Takes the end of a line, if it is one. */
  eatNewline(): void {
    if (this.#token.kind === T_NEWLINE) {
      this.next();
    }
  }

  /** Skips ends of lines and semicolons. */
  skipSeparators(): void {
    while (this.#token.kind === T_NEWLINE || (this.#token.kind === T_PUNCT && this.#token.text === ';')) {
      this.next();
    }
  }

  /** From a position to the end of what was read last. */
  since(start: At): At {
    return atJoin(start, this.#lastToken?.at) as At;
  }

  /** Runs what nests, and refuses to go deeper than anyone writes. */
  nested<T>(run: () => T): T {
    if (this.#nesting >= MAX_DEPTH) {
      this.fail(`nested more than ${MAX_DEPTH} deep`, this.at);
    }
    this.#nesting++;
    try {
      return run();
    } finally {
      this.#nesting--;
    }
  }

  /** Runs a block with a scope of its own. */
  scoped<T>(run: () => T): T {
    const outer = this.scope;
    this.scope = new Scope(outer);
    try {
      return run();
    } finally {
      this.scope = outer;
    }
  }

  /** An error that the statement does not survive. */
  fail(message: string, at: At, hint?: string): never {
    throw new SourceError(message, this.sources.span(at)!, hint);
  }

  /** An error that the statement survives. */
  note(message: string, at: At, hint?: string): void {
    this.errors.push(new SourceError(message, this.sources.span(at)!, hint));
  }

  /** The next token is not what must stand here. */
  unexpected(expected: string, words: readonly string[] = []): never {
    const token = this.#token;
    const near = token.kind === T_WORD ? nearest(token.text, words) : undefined;
    const hint = near === undefined ? tokenHint(token) : `did you mean '${near}'?`;
    this.fail(`expected ${expected}, found ${describeToken(token)}`, token.at, hint);
  }

  /**
   * Takes note of an error and skips to the end of the statement.
   * @param error what was thrown; anything but a SourceError is thrown again
   * @param braces how many braces were open where the statement began
   */
  recover(error: unknown, braces: number): void {
    if (!(error instanceof SourceError)) {
      throw error;
    }
    if (this.#torn !== this.#lines) {
      this.errors.push(error);
    }
    if (this.errors.length >= MAX_ERRORS) {
      throw new TooManyErrors();
    }
    const torn = this.#token.kind === T_NEWLINE && isAt(error.at, this.sources.span(this.#token.at));
    // A brace that was opened in this line is taken for closed at its end, unless the line says that it goes on.
    const forgotten = this.braces > braces && this.#open[this.#open.length - 1] === this.#lines;
    while (!this.#endsStatement(braces)) {
      if (forgotten && this.#token.kind === T_NEWLINE && !/^[,{:.|=]$/.test(this.#lastToken?.text ?? '')) {
        this.braces = braces;
        this.#open.length = Math.max(0, braces);
        break;
      }
      this.next();
    }
    this.#torn = -1;
    if (torn) {
      this.#skipTorn(braces);
    }
  }

  #endsStatement(braces: number): boolean {
    const { kind, text } = this.#token;
    return kind === T_EOF || (this.braces <= braces && (this.atEnd() || (kind === T_PUNCT && text === '}')));
  }

  /** Behind a statement that its line cut off: a block in braces that belongs to it, or its rest in the next line. */
  #skipTorn(braces: number): void {
    this.eatNewline();
    this.#torn = this.#lines;
    if (this.is('{')) {
      do {
        this.next();
      } while (this.#token.kind !== T_EOF && this.braces > braces);
    }
  }
}

/** Whether an error is about what stands at a place, not about something before it. */
function isAt(at: Span, place: Span | null): boolean {
  return place !== null && at.line === place.line && at.col === place.col;
}

/** The word that was meant: one that begins alike, or the most similar. */
function nearest(text: string, words: readonly string[]): string | undefined {
  return (text.length >= 3 ? words.find((word) => word.startsWith(text)) : undefined) ?? suggest(text, words);
}

/** A token in words. */
export function describeToken(token: Token): string {
  switch (token.kind) {
    case T_EOF:
      return 'the end of the file';
    case T_NEWLINE:
      return 'the end of the line';
    case T_STRING:
      return `"${token.text}"`;
    default:
      return `'${token.text}'`;
  }
}

function tokenHint(token: Token): string | undefined {
  if (token.kind !== T_JUNK) {
    return;
  }
  if (token.text === '"') {
    return 'the closing quote is missing';
  }
  if (token.text === '#') {
    return 'a comment needs a newline behind it, also in the last line';
  }
  if (token.text === "'") {
    return 'strings stand in double quotes';
  }
  return token.text === '\r' ? 'lines end in a plain newline' : undefined;
}
