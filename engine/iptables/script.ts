import { SourceError, type Span } from '../base/error.ts';
import type { Source } from './restore.ts';
import { type ScriptTarget, ScriptTools, type SimpleCommand, type Status, toolOf } from './script-tools.ts';
import { unknownCommand } from './script-unknown.ts';
import { expandValue, expandWord, ShellVariables } from './shell-expand.ts';
import { assignedName, plainText, type ShellWord } from './shell-lex.ts';
import {
  parseShell,
  type ShellAndOr,
  type ShellCommand,
  type ShellList,
  type ShellPipeline,
} from './shell-parse.ts';
import { shellPattern, shellTest } from './shell-test.ts';
import { assigns, RuleTouch } from './shell-touch.ts';
import type { Word } from './words.ts';

/** What is wrong with a script, and what in it was not followed though rules may not depend on it. */
export interface ScriptResult {
  readonly errors: SourceError[];
  readonly warnings: SourceError[];
}

/**
 * Runs a shell script of iptables, ip6tables, iptables-restore and ipset commands. Variables, lists, `for`, `if`,
 * `case` and functions are followed as far as they can be told without running anything; where rules depend on
 * something that cannot be told, that is an error.
 */
export function runScript(source: Source, target: ScriptTarget): ScriptResult {
  const runner = new ScriptRunner(source.name, target);
  runner.run(source.text);
  return { errors: runner.errors, warnings: runner.warnings };
}

/** Commands that no rule depends on. */
const HARMLESS: ReadonlySet<string> = new Set(
  'echo printf : true set unset export readonly local sleep logger modprobe sysctl cd umask shift return exit date touch mkdir rm chmod test [ [['.split(
    ' ',
  ),
);
const DEPTH_MAX = 50;
/** So that loops within loops come to an end. */
const STEPS_MAX = 200_000;
/** Nobody reads more errors than that. */
const ERRORS_MAX = 1000;

class ScriptRunner {
  readonly errors: SourceError[] = [];
  readonly warnings: SourceError[] = [];
  private readonly file: string;
  private readonly target: ScriptTarget;
  private readonly variables: ShellVariables;
  private readonly functions: Map<string, ShellCommand> = new Map();
  private readonly warned: Set<string> = new Set();
  private readonly touch: RuleTouch;
  private readonly tools: ScriptTools;
  private stopped: 'exit' | 'return' | null = null;
  private depth = 0;
  private steps = 0;

  constructor(file: string, target: ScriptTarget) {
    this.file = file;
    this.target = target;
    this.variables = new ShellVariables(target.args ?? []);
    this.touch = new RuleTouch(this.functions, (word) => this.nameOf(word));
    this.tools = new ScriptTools(file, target, this.variables, this.errors);
  }

  run(text: string): void {
    try {
      this.list(parseShell(text, this.file), false);
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      this.errors.push(error);
    }
  }

  private list(list: ShellList, quiet: boolean): Status {
    let status: Status = true;
    for (const each of list) {
      if (this.stopped !== null) return status;
      status = this.guarded(() => this.andOr(each, quiet));
    }
    return status;
  }

  private andOr(node: ShellAndOr, quiet: boolean): Status {
    let status = this.pipeline(node.first, quiet || node.rest.some(({ operator }) => operator === '||'));
    for (const [i, { operator, pipeline }] of node.rest.entries()) {
      if (status === null) {
        if (this.touch.list([{ first: pipeline, rest: [] }]))
          throw new SourceError(
            'whether this runs is not known here',
            atOf(pipeline),
            'what is before it cannot be told',
          );
        continue;
      }
      if (status !== (operator === '&&')) continue;
      const later = node.rest.slice(i + 1).some((next) => next.operator === '||');
      status = this.pipeline(pipeline, quiet || later);
    }
    return status;
  }

  private pipeline(node: ShellPipeline, quiet: boolean): Status {
    const status =
      node.commands.length === 1 ? this.command(node.commands[0]!, quiet || node.negated) : this.piped(node);
    return status === null || !node.negated ? status : !status;
  }

  /** Of all that may stand between pipes only `cat <<EOF | iptables-restore` is followed. */
  private piped(node: ShellPipeline): Status {
    const [first, second] = node.commands;
    if (!this.touch.list([{ first: { negated: false, commands: node.commands.slice(1) }, rest: [] }]))
      return null;
    const here = first!.kind === 'simple' ? first!.redirects.find((r) => r.here !== null) : undefined;
    const isCat = first!.kind === 'simple' && first!.words.length === 1;
    if (node.commands.length !== 2 || second!.kind !== 'simple' || here === undefined || !isCat)
      throw new SourceError(
        'what comes through a pipe is not known here',
        atOf(node),
        'give the text with <<EOF',
      );
    return this.simple({ ...second!, redirects: [...second!.redirects, here] }, false);
  }

  private command(node: ShellCommand, quiet: boolean): Status {
    switch (node.kind) {
      case 'simple':
        return this.guarded(() => this.simple(node, quiet));
      case 'group':
        return this.list(node.body, quiet);
      case 'function':
        this.functions.set(node.name, node.body);
        return true;
      case 'for':
        return this.forLoop(node, quiet);
      case 'if':
        return this.conditional(node, quiet);
      case 'case':
        return this.choice(node, quiet);
      default:
        if (this.touch.list(node.body) || this.touch.list(node.test))
          throw new SourceError(
            'how often this loop runs is not known here',
            node.at,
            'write the commands out, or use for',
          );
        return null;
    }
  }

  /** Notes an error and goes on with the next command, as a shell does. */
  private guarded(run: () => Status): Status {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      this.errors.push(error);
      if (this.errors.length >= ERRORS_MAX) this.stopped = 'exit';
      return false;
    }
  }

  private forLoop(node: Extract<ShellCommand, { kind: 'for' }>, quiet: boolean): Status {
    if (!this.touch.list(node.body)) return null;
    let status: Status = true;
    const values = this.guardedWords(node.words);
    for (const { text } of values) {
      if (this.stopped !== null) break;
      this.variables.set(node.name, text);
      status = this.list(node.body, quiet);
    }
    return status;
  }

  private guardedWords(words: readonly ShellWord[]): Word[] {
    try {
      return words.flatMap((word) => expandWord(word, this.variables, { unset: 'error' }));
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      this.errors.push(error);
      return [];
    }
  }

  private conditional(node: Extract<ShellCommand, { kind: 'if' }>, quiet: boolean): Status {
    for (const { test, body } of node.arms) {
      const status = this.list(test, true);
      if (status === null) {
        const bodies = [...node.arms.map((arm) => arm.body), node.otherwise ?? []];
        if (!bodies.some((each) => this.touch.list(each) || assigns(each))) return null;
        this.errors.push(
          new SourceError('which way this goes is not known here', node.at, 'what it asks cannot be told'),
        );
        return null;
      }
      if (status) return this.list(body, quiet);
    }
    return node.otherwise === null ? true : this.list(node.otherwise, quiet);
  }

  private choice(node: Extract<ShellCommand, { kind: 'case' }>, quiet: boolean): Status {
    let text: string;
    try {
      text = expandWord(node.word, this.variables, { unset: 'error' })
        .map((word) => word.text)
        .join(' ');
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      if (node.arms.some((arm) => this.touch.list(arm.body))) this.errors.push(error);
      return null;
    }
    for (const { patterns, body } of node.arms) {
      const fits = patterns.some((pattern) => {
        const words = expandWord(pattern, this.variables, { unset: 'empty' });
        return shellPattern(words.map((word) => word.text).join(' '), text);
      });
      if (fits) return this.list(body, quiet);
    }
    return true;
  }

  private simple(node: SimpleCommand, quiet: boolean): Status {
    if (++this.steps > STEPS_MAX) {
      this.stopped = 'exit';
      throw new SourceError(`the script has run ${STEPS_MAX} commands and goes on`, node.at);
    }
    const words = this.assignments(node.words);
    if (words.length === 0) return true;
    const name = this.nameOf(words[0]!);
    const body = this.functions.get(name);
    if (body !== undefined) return this.call(body, words, node.at, quiet);
    const bare = name.startsWith('-') ? this.target.bare : undefined;
    if (bare === undefined && toolOf(name) === null) return this.other(name, words, node);
    const expanded = words.flatMap((word) => expandWord(word, this.variables, { unset: 'error' }));
    return bare === undefined
      ? this.tools.run(name, node, expanded.slice(1), quiet)
      : this.tools.run(bare, node, expanded, quiet);
  }

  /** Takes over NAME=value in front of a command. @returns the words behind */
  private assignments(words: readonly ShellWord[]): readonly ShellWord[] {
    let first = 0;
    for (const word of words) {
      const name = assignedName(word);
      if (name === null) break;
      this.variables.set(name, expandValue(word, name.length + 1, this.variables));
      first++;
    }
    const rest = words.slice(first);
    return plainText(rest[0]) === 'sudo' || plainText(rest[0]) === 'exec' ? rest.slice(1) : rest;
  }

  /** The command's name; '' if it cannot be told. */
  private nameOf(word: ShellWord): string {
    // To leave out what $IPTABLES was to do would be to read another ruleset.
    const isTool = /^\$\{?(IP6?T|ipt|IPS)/i.test(namesIn(word));
    try {
      return expandWord(word, this.variables, { unset: isTool ? 'error' : 'empty' })[0]?.text ?? '';
    } catch (error) {
      if (error instanceof SourceError && isTool) throw error;
      return '';
    }
  }

  private call(body: ShellCommand, words: readonly ShellWord[], at: Span, quiet: boolean): Status {
    if (this.depth >= DEPTH_MAX) {
      this.stopped = 'exit';
      throw new SourceError('functions call each other without end', at);
    }
    const args = words.slice(1).flatMap((word) => expandWord(word, this.variables, { unset: 'empty' }));
    this.depth++;
    this.variables.frames.push(args.map(({ text }) => text));
    const status = this.command(body, quiet);
    this.variables.frames.pop();
    this.depth--;
    if (this.stopped === 'return') this.stopped = null;
    return status;
  }

  private other(name: string, words: readonly ShellWord[], node: SimpleCommand): Status {
    const base = name.slice(name.lastIndexOf('/') + 1);
    if (base === 'exit' || base === 'return') this.stopped = base;
    else if (base === 'export' || base === 'readonly' || base === 'local') this.assignments(words.slice(1));
    else if (base === '[' || base === 'test' || base === '[[') return this.test(words, base);
    else if (base === 'false') return false;
    else if (base === '.' || base === 'source') return this.include(words, node);
    else if (!HARMLESS.has(base)) {
      const texts = words.slice(1).map((word) => plainText(word) ?? '');
      const error = unknownCommand(base, texts, node.at);
      if (error !== null) throw error;
      this.warn(base, node);
      return null;
    }
    return true;
  }

  private warn(name: string, node: SimpleCommand): void {
    if (this.warned.has(name)) return;
    this.warned.add(name);
    const what = name === '' ? 'this command' : `'${name}'`;
    this.warnings.push(new SourceError(`what ${what} does is not followed`, node.at));
  }

  private test(words: readonly ShellWord[], base: string): Status {
    const last = plainText(words.at(-1));
    const inner =
      base === 'test' ? words.slice(1) : words.slice(1, last === ']' || last === ']]' ? -1 : undefined);
    try {
      return shellTest(
        inner.flatMap((word) => {
          const out = expandWord(word, this.variables, { unset: 'empty' }).map(({ text }) => text);
          return out.length === 0 && base === '[[' ? [''] : out;
        }),
      );
    } catch (error) {
      if (error instanceof SourceError) return null;
      throw error;
    }
  }

  private include(words: readonly ShellWord[], node: SimpleCommand): Status {
    const path = this.guardedWords(words.slice(1))[0]?.text;
    const text = path === undefined ? null : (this.target.read?.(path) ?? null);
    if (text === null) {
      this.warn(`. ${path ?? ''}`.trim(), node);
      return null;
    }
    return this.list(parseShell(text, path!), false);
  }
}

function namesIn(word: ShellWord): string {
  return word.parts
    .map((part) =>
      part.kind === 'variable' ? `$${part.name}` : part.kind === 'opaque' ? part.what : part.text,
    )
    .join('');
}

function atOf(node: ShellPipeline): Span {
  return node.commands[0]!.at;
}
