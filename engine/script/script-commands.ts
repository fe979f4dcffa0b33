import { SourceError, type Span } from '../base/error.ts';
import type { Source } from '../iptables/restore.ts';
import type { Word } from '../iptables/words.ts';
import { type ScriptTarget, ScriptTools, type Status, toolOf } from './script-tools.ts';
import { unknownCommand } from './script-unknown.ts';
import { assign } from './shell-assign.ts';
import {
  listOf,
  type ShellCommand,
  type ShellList,
  type ShellRedirect,
  type SimpleCommand,
} from './shell-ast.ts';
import { bracketTest } from './shell-bracket.ts';
import { builtinOf } from './shell-builtin.ts';
import { arithmeticValue, expandDocument, expandText, expandWord } from './shell-expand.ts';
import type { Leave, ShellHost } from './shell-host.ts';
import { lexShell } from './shell-lex.ts';
import { parseShell } from './shell-parse.ts';
import { silences } from './shell-silence.ts';
import { ShellFiles, ShellInput, ShellOutput } from './shell-streams.ts';
import { RuleTouch } from './shell-touch.ts';
import { type ShellValue, ShellVariables } from './shell-variables.ts';
import { assignedName, plainText, quotedWord, type ShellPart, type ShellWord } from './shell-word.ts';
import { wrapped } from './shell-wrapper.ts';

/** Commands that no rule depends on, and that succeed. */
const HARMLESS: ReadonlySet<string> = new Set(
  'ulimit umask sleep logger modprobe insmod depmod sysctl pushd popd date touch mkdir chmod chown wait sync clear shopt'.split(
    ' ',
  ),
);
/** Files of functions that print, which distributions have. */
const LIBRARY =
  /\/(lib\/lsb\/init-functions|(rc\.d\/)?init\.d\/functions(\.sh)?|rc\.status|init\/vars\.sh|rc\.subr)$/;
const DEPTH_MAX = 50;
/** So that loops within loops come to an end. */
const STEPS_MAX = 200_000;
/** Nobody reads more errors than that. */
const ERRORS_MAX = 1000;

/** A script that runs: its commands, one by one. */
export abstract class ScriptCommands implements ShellHost {
  readonly errors: SourceError[] = [];
  readonly warnings: SourceError[] = [];
  readonly file: string;
  readonly variables: ShellVariables;
  readonly functions: Map<string, ShellCommand> = new Map();
  readonly aliases: Map<string, string> = new Map();
  readonly files: ShellFiles;
  readonly isDash: boolean;
  atExit: string | null = null;
  isErrexit = false;
  isPipefail = false;
  input: ShellInput | null = null;
  output: ShellOutput | null = null;
  /** Whether failing is no error: `2>/dev/null`, `|| true`. */
  protected isQuiet = false;
  /** Whether failing ends no script: `if`, `||`. */
  protected isAsked = false;
  protected stopped: Leave | 'halt' | null = null;
  protected levels = 0;
  protected readonly touch: RuleTouch;
  private readonly target: ScriptTarget;
  private readonly tools: ScriptTools;
  private readonly warned: Set<string> = new Set();
  private depth = 0;
  private steps = 0;

  constructor(source: Source, target: ScriptTarget) {
    this.file = source.name;
    this.target = target;
    this.isDash = /^#!\s*\S*\/(env\s+)?(da)?sh\b/.test(source.text);
    this.variables = new ShellVariables(source.name, target.args ?? null);
    this.files = new ShellFiles((path) => target.read?.(path) ?? null);
    this.touch = new RuleTouch({
      functions: this.functions,
      files: this.files,
      nameOf: (word) => this.nameOf(word),
      textOf: (word) => this.textOf(word),
    });
    this.tools = new ScriptTools(source.name, target, this.errors);
  }

  protected abstract list(list: ShellList): Status;

  /** Notes an error and goes on with the next command, as a shell does. */
  protected guarded(run: () => Status): Status {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      this.error(error);
      return false;
    }
  }

  error(error: SourceError): void {
    this.errors.push(error);
    if (this.errors.length >= ERRORS_MAX) this.stopped = 'halt';
  }

  protected count(at: Span): void {
    if (++this.steps <= STEPS_MAX) return;
    this.stopped = 'halt';
    throw new SourceError(`the script has run ${STEPS_MAX} commands and goes on`, at);
  }

  leave(how: Leave, levels: number, status: number | null): void {
    if (how === 'exit' && status !== null && status !== 0) this.tools.fatal();
    this.stopped = how;
    this.levels = levels;
    this.variables.status = status;
  }

  /** Notes the outcome of a command; with `set -e` one that failed ends the script. */
  protected failed(status: Status, at: Span): void {
    if (this.stopped === null) this.variables.outcome = status;
    if (status !== false || !this.isErrexit || this.isAsked || this.stopped !== null) return;
    if (!this.errors.some((error) => error.at.line === at.line && error.at.file === at.file))
      this.errors.push(new SourceError('this fails, and set -e ends the script here', at));
    this.stopped = 'exit';
  }

  /** Runs something in a shell of its own: its variables end with it, and exit leaves it only. */
  protected forked(run: () => Status): Status {
    const end = this.variables.fork();
    const { isErrexit } = this;
    const status = run();
    this.isErrexit = isErrexit;
    end();
    if (this.stopped === 'halt') return status;
    if (this.stopped !== 'exit') return status;
    this.stopped = null;
    return this.variables.outcome;
  }

  /** What a command prints. */
  substitute(part: Extract<ShellPart, { kind: 'command' }>): ShellValue {
    const { output, input, isErrexit } = this;
    const out = new ShellOutput();
    this.output = out;
    // bash leaves it out there, dash does not.
    this.isErrexit &&= this.isDash;
    const from = { file: part.at.file, line: part.at.line, col: part.at.col + 2 };
    try {
      const list = parseShell(part.text, from);
      const status = this.nested(part.at, () => this.forked(() => this.list(list)));
      this.variables.status = status === null ? null : status ? 0 : (this.variables.status ?? 1);
    } finally {
      this.output = output;
      this.input = input;
      this.isErrexit = isErrexit;
    }
    const { value } = out;
    if (typeof value !== 'string')
      return { opaque: part.text.includes('\n') ? value.opaque : `$(${part.text})` };
    if (!part.isFile) return value.replace(/\n+$/, '');
    const path = `/dev/fd/${this.files.count}`;
    this.files.write(path, value, false);
    return path;
  }

  runText(text: string, at: Span): Status {
    return this.nested(at, () => this.list(parseShell(text, { file: at.file, line: at.line, col: at.col })));
  }

  runShell(text: string, args: readonly string[], at: Span): Status {
    return this.forked(() => {
      this.variables.forgetOwn();
      this.variables.enter(args);
      const status = this.runText(text, at);
      this.variables.leave();
      return status;
    });
  }

  private nested(at: Span, run: () => Status): Status {
    if (this.depth >= DEPTH_MAX) {
      this.stopped = 'halt';
      throw new SourceError('functions call each other without end', at);
    }
    this.depth++;
    try {
      return run();
    } finally {
      this.depth--;
    }
  }

  /** Runs something with what a command reads and prints put elsewhere. */
  protected redirected(redirects: readonly ShellRedirect[], at: Span, run: () => Status): Status {
    if (redirects.length === 0) return run();
    const { input, output, isQuiet } = this;
    const written: { path: string; isAppend: boolean; out: ShellOutput }[] = [];
    if (silences(redirects)) this.isQuiet = true;
    try {
      for (const redirect of redirects) this.redirect(redirect, at, written);
      return run();
    } finally {
      this.input = input;
      this.output = output;
      this.isQuiet = isQuiet;
      for (const { path, isAppend, out } of written) this.files.write(path, out.value, isAppend);
    }
  }

  private redirect(
    { operator, word, here }: ShellRedirect,
    at: Span,
    written: { path: string; isAppend: boolean; out: ShellOutput }[],
  ): void {
    if (here !== null) this.input = new ShellInput(() => expandDocument(here, this), null, here.line);
    else if (operator === '<<<') this.input = new ShellInput(() => this.document(word!));
    else if (operator === '<') {
      const path = expandWord(word!, this, { unset: 'error' })[0]?.text ?? '';
      this.input = new ShellInput(() => this.files.read(path), path);
    } else if (/^(>|>>|>\||&>>?|>&)$/.test(operator)) {
      const path = expandText(word!, this);
      if (path === '/dev/stdout' || (operator === '>&' && path === '1')) return;
      const out = new ShellOutput();
      this.output = out;
      const isFile = typeof path === 'string' && !/^(\d+|-|\/(dev|proc|sys)\/.*)$/.test(path);
      if (isFile) written.push({ path, isAppend: operator.endsWith('>>'), out });
      else if (typeof path !== 'string') this.warnAt(`where ${path.opaque} leads`, at);
    }
  }

  private document(word: ShellWord): ShellValue {
    const text = expandText(word, this, { unset: 'error' });
    return typeof text === 'string' ? `${text}\n` : text;
  }

  protected simple(node: SimpleCommand): Status {
    this.count(node.at);
    let first = 0;
    while (first < node.words.length && assignedName(node.words[first]!) !== null) first++;
    const words = this.unaliased(node.words.slice(first));
    const set = node.words.slice(0, first);
    if (words.length === 0) {
      this.variables.status = 0;
      this.assignments(set);
      return this.variables.outcome;
    }
    const back = this.variables.keep(set.map((word) => assignedName(word)!));
    this.assignments(set);
    try {
      return this.named(words, node);
    } finally {
      // What a variable is set to for one command ends with it; `read` itself may set others.
      if (set.length > 0) back();
    }
  }

  /** Takes over NAME=value. */
  private assignments(words: readonly ShellWord[]): void {
    for (const word of words)
      assign(word, this, { isNumber: this.variables.numbers.has(assignedName(word)!) });
  }

  private unaliased(words: readonly ShellWord[]): readonly ShellWord[] {
    const text = this.aliases.size === 0 ? undefined : this.aliases.get(plainText(words[0]));
    if (text === undefined) return words;
    const { file, line, col } = words[0]!.at;
    return [...lexShell(text, { file, line, col }).flatMap((token) => token.word ?? []), ...words.slice(1)];
  }

  /** A command with its name. */
  private named(all: readonly ShellWord[], node: SimpleCommand): Status {
    const [part] = all[0]!.parts;
    if (part?.kind === 'arithmetic' && part.isCommand) return this.calculated(part.text, node);
    const words = wrapped(all);
    if (words.length === 0) return true;
    const name = this.nameOf(words[0]!);
    // $SUDO and the like may be nothing at all.
    if (name === null) return words.length === 1 ? true : this.named(words.slice(1), node);
    const body = this.functions.get(name);
    if (body !== undefined) return this.call(body, words, node.at);
    const bare = name.startsWith('-') ? this.target.bare : undefined;
    const tool = toolOf(name) === null ? bare : name;
    if (tool === undefined) return this.other(name, words, node);
    const expanded = words.flatMap((word) => expandWord(word, this, { unset: 'error' }));
    return this.tool(tool, bare === tool ? expanded : expanded.slice(1), node);
  }

  private tool(name: string, words: readonly Word[], node: SimpleCommand): Status {
    const { isQuiet: quiet, input, output } = this;
    const read = (path: string): string | null => this.files.text(path);
    return this.tools.run({ name, node, words, quiet, input, output, read });
  }

  runWords(words: readonly string[], node: SimpleCommand): Status {
    return this.named(
      words.map((text) => quotedWord(text, node.at)),
      node,
    );
  }

  private calculated(text: string, node: SimpleCommand): Status {
    const value = arithmeticValue(text, { file: node.at.file, line: node.at.line }, this);
    return value === null ? null : value !== 0n;
  }

  /** The command's name; '' if it cannot be told, null if there is none. */
  protected nameOf(word: ShellWord): string | null {
    // To leave out what $IPTABLES was to do would be to read another ruleset.
    const isTool = word.parts.some((part) => part.kind === 'variable' && /^(IP6?T|ipt|IPS)/i.test(part.name));
    try {
      const words = expandWord(word, this, { unset: isTool ? 'error' : 'empty' });
      return words[0]?.text ?? (word.parts.some((part) => part.kind === 'variable') ? null : '');
    } catch (error) {
      if (error instanceof SourceError && isTool) throw error;
      return '';
    }
  }

  private call(body: ShellCommand, words: readonly ShellWord[], at: Span): Status {
    const args = words.flatMap((word) => expandWord(word, this, { unset: 'empty' })).slice(1);
    return this.nested(at, () => {
      this.variables.enter(args.map(({ text }) => text));
      const status = this.list(listOf(body));
      this.variables.leave();
      if (this.stopped !== 'return') return status;
      this.stopped = null;
      return this.variables.outcome;
    });
  }

  private other(name: string, words: readonly ShellWord[], node: SimpleCommand): Status {
    const base = name.slice(name.lastIndexOf('/') + 1);
    if (base === '[' || base === 'test' || base === '[[') return bracketTest(words, base, this);
    if (base === '.' || base === 'source') return this.include(words, node);
    const builtin = builtinOf(base);
    if (builtin !== undefined) return builtin(this.behindName(words), node, this, base);
    if (HARMLESS.has(base)) return true;
    const texts = words.slice(1).map((word) => this.textOf(word));
    const error = unknownCommand(base, texts, node.at);
    if (error !== null) throw error;
    this.output?.mark(`'${base}'`);
    this.warn(base === '' ? 'this command' : `'${base}'`, node);
    return null;
  }

  /** What follows a name that may be more than one word of a variable. */
  private behindName(words: readonly ShellWord[]): readonly ShellWord[] {
    const [first, ...rest] = expandWord(words[0]!, this, { unset: 'empty' });
    const more = rest.map(({ text, at }) => quotedWord(text, at));
    return first === undefined ? [] : [...more, ...words.slice(1)];
  }

  /** A word's text; what cannot be told of it is left out. */
  private textOf(word: ShellWord): string {
    return word.parts.map((part) => this.partText({ parts: [part], at: word.at })).join('');
  }

  private partText(word: ShellWord): string {
    try {
      const text = expandText(word, this);
      return typeof text === 'string' ? text : '';
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      return '';
    }
  }

  warn(what: string, node: SimpleCommand): void {
    this.warnAt(`what ${what} does`, node.at);
  }

  private warnAt(what: string, at: Span): void {
    if (this.warned.has(what)) return;
    this.warned.add(what);
    this.warnings.push(new SourceError(`${what} is not followed`, at));
  }

  private include(words: readonly ShellWord[], node: SimpleCommand): Status {
    const path = expandWord(words[1] ?? words[0]!, this, { unset: 'error' })[0]?.text ?? '';
    const text = this.files.text(path);
    if (text !== null)
      return this.nested(node.at, () => this.list(parseShell(text, { file: path, line: 1 })));
    if (LIBRARY.test(path)) return true;
    this.warnAt(`the script ${path} is not there: what it does`, node.at);
    return null;
  }
}
