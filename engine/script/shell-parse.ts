import { SourceError, type Span } from '../base/error.ts';
import type {
  ShellAndOr,
  ShellArm,
  ShellChoice,
  ShellCommand,
  ShellList,
  ShellPipeline,
  ShellRedirect,
} from './shell-ast.ts';
import { lexShell } from './shell-lex.ts';
import type { LexFrom, ShellToken } from './shell-token.ts';
import type { ShellWord } from './shell-word.ts';

const REDIRECT = /^(\d*(<<?<?|<>|>>?|>\||[<>]&)|&>>?)$/;
/** So that brackets cannot run out of stack. */
const DEPTH_MAX = 200;
const CASE_ENDS: readonly string[] = [';;', ';&', ';;&'];
const ENDS: readonly string[] = ['then', 'else', 'elif', 'fi', 'do', 'done', 'esac', '}'];

/** Parses a shell script. @throws SourceError at what it does not understand */
export function parseShell(text: string, from: LexFrom): ShellList {
  return new ShellParser(lexShell(text, from)).script();
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
      if (token.kind === 'end' || this.is(')') || CASE_ENDS.some((end) => this.is(end))) return out;
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
    while (this.isWord('!') || this.isWord('time')) {
      if (this.tokens[this.i++]!.text === '!') negated = !negated;
    }
    const commands = [this.command()];
    while (this.is('|') || this.is('|&')) {
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
    return { kind: 'group', isSubshell: end === ')', body, redirects: this.redirects(), at };
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
    const { text: name, word } = this.peek();
    this.i++;
    if (name === '((') {
      const part = word!.parts[0]!;
      const head = part.kind === 'arithmetic' ? part.text : '';
      return { kind: 'count', head, body: this.doBody(), redirects: this.redirects(), at };
    }
    this.newlines();
    let words: ShellWord[] | null = null;
    if (this.isWord('in')) {
      this.i++;
      words = [];
      while (this.peek().kind === 'word') words.push(this.tokens[this.i++]!.word!);
    }
    return { kind: 'for', name, words, body: this.doBody(), redirects: this.redirects(), at };
  }

  private doBody(): ShellList {
    while (this.is(';') || this.is('\n')) this.i++;
    const isBraced = this.isWord('{');
    if (isBraced) this.i++;
    else this.expect('do');
    const body = this.list();
    this.expect(isBraced ? '}' : 'done');
    return body;
  }

  private whileLoop(at: Span): ShellCommand {
    const isUntil = this.isWord('until');
    this.i++;
    const test = this.list();
    return { kind: 'while', isUntil, test, body: this.doBody(), redirects: this.redirects(), at };
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
    return { kind: 'if', arms, otherwise, redirects: this.redirects(), at };
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
      while (this.is('\n') || CASE_ENDS.some((end) => this.is(end)) || this.is(';')) this.i++;
      if (this.isWord('esac')) break;
      if (this.is('(')) this.i++;
      const patterns: ShellWord[] = [];
      while (this.peek().kind === 'word' || this.is('|')) {
        const token = this.tokens[this.i++]!;
        if (token.word !== null) patterns.push(token.word);
      }
      this.expect(')');
      const body = this.list();
      arms.push({ patterns, body, end: this.peek().text });
    }
    this.expect('esac');
    return { kind: 'case', word, arms, redirects: this.redirects(), at };
  }

  private redirects(): ShellRedirect[] {
    const out: ShellRedirect[] = [];
    while (this.peek().kind === 'operator' && REDIRECT.test(this.peek().text)) out.push(this.redirect());
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
      } else if (token.kind === 'operator' && REDIRECT.test(token.text)) redirects.push(this.redirect());
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
