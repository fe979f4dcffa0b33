import { SourceError, type Span } from '../base/error.ts';
import { type HereDocument, lexShell, type ShellToken, type ShellWord } from './shell-lex.ts';

/** Where a command's input comes from or its output goes to. */
export interface ShellRedirect {
  /** `<`, `>`, `2>`, `<<` … */
  readonly operator: string;
  readonly word: ShellWord | null;
  readonly here: HereDocument | null;
}

/** A command with its words, or a construct that holds others. */
export type ShellCommand =
  | {
      readonly kind: 'simple';
      readonly words: readonly ShellWord[];
      readonly redirects: readonly ShellRedirect[];
      readonly at: Span;
    }
  | {
      readonly kind: 'for';
      readonly name: string;
      readonly words: readonly ShellWord[];
      readonly body: ShellList;
      readonly at: Span;
    }
  | {
      readonly kind: 'if';
      readonly arms: readonly ShellArm[];
      readonly otherwise: ShellList | null;
      readonly at: Span;
    }
  | { readonly kind: 'while'; readonly test: ShellList; readonly body: ShellList; readonly at: Span }
  | {
      readonly kind: 'case';
      readonly word: ShellWord;
      readonly arms: readonly ShellChoice[];
      readonly at: Span;
    }
  | { readonly kind: 'group'; readonly body: ShellList; readonly at: Span }
  | { readonly kind: 'function'; readonly name: string; readonly body: ShellCommand; readonly at: Span };

/** `if test; then body`. */
export interface ShellArm {
  readonly test: ShellList;
  readonly body: ShellList;
}

/** `pattern|pattern) body ;;`. */
export interface ShellChoice {
  readonly patterns: readonly ShellWord[];
  readonly body: ShellList;
}

/** Commands with | between. */
export interface ShellPipeline {
  readonly negated: boolean;
  readonly commands: readonly ShellCommand[];
}

/** Pipelines with && or || between. */
export interface ShellAndOr {
  readonly first: ShellPipeline;
  readonly rest: readonly { readonly operator: '&&' | '||'; readonly pipeline: ShellPipeline }[];
}

/** What stands one after the other. */
export type ShellList = readonly ShellAndOr[];

const REDIRECTS: readonly string[] = ['<', '>', '>>', '<<', '<<<', '>&', '<&', '&>', '2>', '2>>', '2>&'];
/** So that brackets cannot run out of stack. */
const DEPTH_MAX = 200;
const ENDS: readonly string[] = ['then', 'else', 'elif', 'fi', 'do', 'done', 'esac', '}'];

/** Parses a shell script. @throws SourceError at what it does not understand */
export function parseShell(text: string, file: string): ShellList {
  return new ShellParser(lexShell(text, file)).script();
}

class ShellParser {
  private readonly tokens: readonly ShellToken[];
  private i = 0;
  private depth = 0;

  constructor(tokens: readonly ShellToken[]) {
    this.tokens = tokens;
  }

  script(): ShellList {
    const list = this.list();
    const token = this.peek();
    if (token.kind !== 'end') throw new SourceError(`'${token.text}' was not expected here`, token.at);
    return list;
  }

  private peek(): ShellToken {
    return this.tokens[this.i]!;
  }

  private is(operator: string): boolean {
    const token = this.peek();
    return token.kind === 'operator' && token.text === operator;
  }

  private isWord(text: string): boolean {
    const token = this.peek();
    return token.kind === 'word' && token.text === text;
  }

  private expect(word: string): void {
    const token = this.peek();
    if (token.text !== word) throw new SourceError(`'${word}' was expected here`, token.at);
    this.i++;
  }

  private newlines(): void {
    while (this.is('\n')) this.i++;
  }

  private list(): ShellList {
    const out: ShellAndOr[] = [];
    for (;;) {
      while (this.is('\n') || this.is(';') || this.is('&')) this.i++;
      const token = this.peek();
      if (token.kind === 'end' || this.is(')') || this.is(';;')) return out;
      if (token.kind === 'word' && ENDS.includes(token.text)) return out;
      out.push(this.andOr());
    }
  }

  private andOr(): ShellAndOr {
    const first = this.pipeline();
    const rest: { operator: '&&' | '||'; pipeline: ShellPipeline }[] = [];
    while (this.is('&&') || this.is('||')) {
      const operator = this.tokens[this.i++]!.text as '&&' | '||';
      this.newlines();
      rest.push({ operator, pipeline: this.pipeline() });
    }
    return { first, rest };
  }

  private pipeline(): ShellPipeline {
    let negated = false;
    while (this.isWord('!')) {
      this.i++;
      negated = !negated;
    }
    const commands = [this.command()];
    while (this.is('|')) {
      this.i++;
      this.newlines();
      commands.push(this.command());
    }
    return { negated, commands };
  }

  private command(): ShellCommand {
    if (++this.depth > DEPTH_MAX)
      throw new SourceError('commands stand too deep in each other', this.peek().at);
    const command = this.anyCommand();
    this.depth--;
    return command;
  }

  private anyCommand(): ShellCommand {
    const token = this.peek();
    const { at } = token;
    if (this.is('(')) {
      this.i++;
      return this.group(at, ')');
    }
    switch (token.kind === 'word' ? token.text : '') {
      case '{':
        this.i++;
        return this.group(at, '}');
      case 'for':
        return this.forLoop(at);
      case 'if':
        return this.conditional(at);
      case 'while':
      case 'until':
        return this.whileLoop(at);
      case 'case':
        return this.choice(at);
      case 'function':
        this.i++;
        return this.definition(at);
      default:
        break;
    }
    const next = this.tokens[this.i + 1];
    if (token.kind === 'word' && next?.kind === 'operator' && next.text === '(') return this.definition(at);
    return this.simple(at);
  }

  private group(at: Span, end: string): ShellCommand {
    const body = this.list();
    this.expect(end);
    this.redirects();
    return { kind: 'group', body, at };
  }

  private definition(at: Span): ShellCommand {
    const name = this.peek().text;
    this.i++;
    if (this.is('(')) {
      this.i++;
      this.expect(')');
    }
    this.newlines();
    return { kind: 'function', name, body: this.command(), at };
  }

  private forLoop(at: Span): ShellCommand {
    this.i++;
    const name = this.peek().text;
    this.i++;
    this.newlines();
    this.expect('in');
    const words: ShellWord[] = [];
    while (this.peek().kind === 'word') words.push(this.tokens[this.i++]!.word!);
    const body = this.doBody();
    return { kind: 'for', name, words, body, at };
  }

  private doBody(): ShellList {
    while (this.is(';') || this.is('\n')) this.i++;
    this.expect('do');
    const body = this.list();
    this.expect('done');
    this.redirects();
    return body;
  }

  private whileLoop(at: Span): ShellCommand {
    this.i++;
    const test = this.list();
    return { kind: 'while', test, body: this.doBody(), at };
  }

  private conditional(at: Span): ShellCommand {
    const arms: ShellArm[] = [];
    let otherwise: ShellList | null = null;
    do {
      this.i++;
      const test = this.list();
      this.expect('then');
      arms.push({ test, body: this.list() });
    } while (this.isWord('elif'));
    if (this.isWord('else')) {
      this.i++;
      otherwise = this.list();
    }
    this.expect('fi');
    this.redirects();
    return { kind: 'if', arms, otherwise, at };
  }

  private choice(at: Span): ShellCommand {
    this.i++;
    const word = this.peek().word;
    if (word === null) throw new SourceError("a word was expected behind 'case'", this.peek().at);
    this.i++;
    this.newlines();
    this.expect('in');
    const arms: ShellChoice[] = [];
    for (;;) {
      while (this.is('\n') || this.is(';;') || this.is(';')) this.i++;
      if (this.isWord('esac')) break;
      if (this.is('(')) this.i++;
      const patterns: ShellWord[] = [];
      while (this.peek().kind === 'word' || this.is('|')) {
        const token = this.tokens[this.i++]!;
        if (token.word !== null) patterns.push(token.word);
      }
      this.expect(')');
      arms.push({ patterns, body: this.list() });
    }
    this.expect('esac');
    this.redirects();
    return { kind: 'case', word, arms, at };
  }

  private redirects(): ShellRedirect[] {
    const out: ShellRedirect[] = [];
    while (this.peek().kind === 'operator' && REDIRECTS.includes(this.peek().text)) out.push(this.redirect());
    return out;
  }

  private redirect(): ShellRedirect {
    const { text, here, at } = this.tokens[this.i++]!;
    if (here !== null) return { operator: text, word: null, here };
    const { word } = this.peek();
    if (word === null) throw new SourceError(`a file was expected behind ${text}`, at);
    this.i++;
    return { operator: text, word, here: null };
  }

  private simple(at: Span): ShellCommand {
    const words: ShellWord[] = [];
    const redirects: ShellRedirect[] = [];
    for (;;) {
      const token = this.peek();
      if (token.kind === 'word') {
        words.push(token.word!);
        this.i++;
      } else if (token.kind === 'operator' && REDIRECTS.includes(token.text)) redirects.push(this.redirect());
      else break;
    }
    if (words.length === 0 && redirects.length === 0)
      throw new SourceError(`a command was expected here`, this.peek().at);
    const last = words.at(-1);
    const span =
      last !== undefined && last.at.line === at.line
        ? { ...at, len: last.at.col + last.at.len - at.col }
        : at;
    return { kind: 'simple', words, redirects, at: span };
  }
}
