import { SourceError, type Span } from '../base/error.ts';
import type { Word } from '../iptables/words.ts';
import { ScriptCommands } from './script-commands.ts';
import type { Status } from './script-tools.ts';
import type { ShellAndOr, ShellCommand, ShellList, ShellPipeline } from './shell-ast.ts';
import { arithmeticValue, expandPattern, expandText, expandWord, known } from './shell-expand.ts';
import { parseShell } from './shell-parse.ts';
import { shellPattern } from './shell-pattern.ts';
import { ShellInput, ShellOutput } from './shell-streams.ts';
import { assignedNames, atOf } from './shell-touch.ts';
import type { ShellWord } from './shell-word.ts';

/** So that loops that count wrongly come to an end soon. */
const ROUNDS_MAX = 20_000;

type Loop = Extract<ShellCommand, { kind: 'while' }>;

/** A script that runs: its lists, loops and choices. */
export class ScriptFlow extends ScriptCommands {
  /** Runs all of a script. */
  runScript(text: string): void {
    try {
      this.list(parseShell(text, { file: this.file, line: 1 }));
      if (this.atExit === null) return;
      this.stopped = null;
      this.list(parseShell(this.atExit, { file: this.file, line: 1 }));
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      this.errors.push(error);
    }
  }

  protected override list(list: ShellList): Status {
    let status: Status = true;
    for (const each of list) {
      if (this.stopped !== null) return status;
      status = this.guarded(() => this.andOr(each));
    }
    return status;
  }

  /** Runs something whose failing ends no script. @param isQuiet whether it is no error either */
  private asked(isAsked: boolean, isQuiet: boolean, run: () => Status): Status {
    const before = { isAsked: this.isAsked, isQuiet: this.isQuiet };
    this.isAsked ||= isAsked;
    this.isQuiet ||= isQuiet;
    try {
      return run();
    } finally {
      this.isAsked = before.isAsked;
      this.isQuiet = before.isQuiet;
    }
  }

  private andOr(node: ShellAndOr): Status {
    const count = node.rest.length;
    const run = (pipeline: ShellPipeline, i: number): Status => {
      const isQuiet = node.rest.slice(i).some(({ operator }) => operator === '||');
      // What is not the last of a list of && and || may fail.
      return this.asked(i < count, isQuiet, () => this.pipeline(pipeline));
    };
    let status = run(node.first, 0);
    for (const [i, { operator, pipeline }] of node.rest.entries()) {
      if (this.stopped !== null) return status;
      if (status === null) {
        const rest = [{ first: pipeline, rest: [] }];
        if (this.touch.list(rest))
          throw new SourceError(
            'whether this runs is not known here',
            atOf(pipeline),
            'what is before it cannot be told',
          );
        this.spoil(rest);
        continue;
      }
      if (status === (operator === '&&')) status = run(pipeline, i + 1);
    }
    return status;
  }

  private pipeline(node: ShellPipeline): Status {
    const [first] = node.commands;
    const run = (): Status => (node.commands.length === 1 ? this.command(first!) : this.piped(node));
    if (!node.negated) return run();
    const status = this.asked(true, true, run);
    const negated = status === null ? null : !status;
    this.variables.outcome = negated;
    return negated;
  }

  /** Each command reads what the one before it prints, and runs in a shell of its own. */
  private piped(node: ShellPipeline): Status {
    const { input, output } = this;
    const last = node.commands.length - 1;
    let status: Status = null;
    let failed = false;
    try {
      for (const [i, command] of node.commands.entries()) {
        const out = i === last ? output : new ShellOutput();
        this.output = out;
        status = this.forked(() => this.asked(i < last, false, () => this.command(command)));
        failed ||= status === false;
        // All but simple commands note themselves what they print.
        if (status === null && i < last && command.kind === 'simple') out!.mark('this');
        const { value } = out ?? { value: '' };
        if (i < last) this.input = new ShellInput(() => value);
      }
    } finally {
      this.input = input;
      this.output = output;
    }
    if (!this.isPipefail || !failed) return status;
    this.failed(false, atOf(node));
    return false;
  }

  private command(node: ShellCommand): Status {
    if (node.kind === 'function') {
      this.functions.set(node.name, node.body);
      return true;
    }
    const status = this.guarded(() => this.redirected(node.redirects, node.at, () => this.plain(node)));
    if (node.kind === 'simple') this.failed(status, node.at);
    return status;
  }

  private plain(node: Exclude<ShellCommand, { kind: 'function' }>): Status {
    switch (node.kind) {
      case 'simple':
        return this.simple(node);
      case 'group':
        return node.isSubshell ? this.forked(() => this.list(node.body)) : this.list(node.body);
      case 'for':
        return this.forLoop(node);
      case 'count':
        return this.countLoop(node);
      case 'if':
        return this.conditional(node);
      case 'case':
        return this.choice(node);
      default:
        return this.whileLoop(node);
    }
  }

  private forLoop(node: Extract<ShellCommand, { kind: 'for' }>): Status {
    const values = this.loopValues(node);
    let status: Status = true;
    for (const text of values) {
      if (this.stopped !== null) break;
      this.variables.set(node.name, text);
      status = this.list(node.body);
      if (this.leftLoop()) break;
    }
    return status;
  }

  private loopValues(node: Extract<ShellCommand, { kind: 'for' }>): readonly string[] {
    const touches = this.touch.list(node.body);
    try {
      if (node.words === null) {
        const { isKnown, args } = this.variables.frame;
        if (!isKnown && touches)
          throw new SourceError('with which arguments this is called is not known here', node.at);
        return args;
      }
      return node.words.flatMap((word) => this.loopWord(word)).map(({ text }) => text);
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      if (touches) this.errors.push(error);
      else this.spoil(node.body);
      return [];
    }
  }

  private loopWord(word: ShellWord): Word[] {
    const isPattern = word.parts.some(
      (part) => part.kind === 'text' && !part.quoted && /[*?]/.test(part.text),
    );
    if (isPattern)
      throw new SourceError('which files this names is not known here', word.at, 'write the names out');
    return expandWord(word, this, { unset: 'error' });
  }

  private countLoop(node: Extract<ShellCommand, { kind: 'count' }>): Status {
    const [first, test, next] = node.head.split(';');
    const from = { file: node.at.file, line: node.at.line };
    const value = (text: string | undefined, empty: bigint): bigint | null =>
      text === undefined || text.trim() === '' ? empty : arithmeticValue(text, from, this);
    let status: Status = true;
    let isTrue = value(first, 0n);
    let rounds = 0;
    for (isTrue = isTrue === null ? null : value(test, 1n); isTrue !== 0n; isTrue = value(test, 1n)) {
      this.limited(++rounds, node.at);
      if (isTrue === null) return this.unknownLoop(node.body, node.at);
      this.count(node.at);
      status = this.list(node.body);
      if (this.leftLoop() || this.stopped !== null) return status;
      value(next, 0n);
    }
    return status;
  }

  private whileLoop(node: Loop): Status {
    let status: Status = true;
    for (let rounds = 0; ; rounds++) {
      const taken = this.input?.taken;
      const goesOn = this.asked(true, true, () => this.list(node.test));
      if (this.leftLoop() || this.stopped !== null) return status;
      if (goesOn === null) return this.unknownLoop([...node.test, ...node.body], node.at);
      if (goesOn === node.isUntil) return status;
      // What reads comes to an end.
      if (this.input?.taken !== taken) rounds--;
      this.limited(rounds, node.at);
      this.count(node.at);
      status = this.list(node.body);
      if (this.leftLoop() || this.stopped !== null) return status;
    }
  }

  private limited(rounds: number, at: Span): void {
    if (rounds > ROUNDS_MAX) throw new SourceError(`this loop has run ${ROUNDS_MAX} times and goes on`, at);
  }

  private unknownLoop(body: ShellList, at: Span): Status {
    if (this.touch.list(body))
      throw new SourceError(
        'how often this loop runs is not known here',
        at,
        'write the commands out, or use for',
      );
    // Without arguments there is nothing to go through.
    if (this.variables.frame.isKnown || this.variables.isInFunction) this.spoil(body);
    return null;
  }

  /** After the body of a loop: whether break, or continue of a loop around it, leaves it. */
  private leftLoop(): boolean {
    if (this.stopped !== 'break' && this.stopped !== 'continue') return false;
    const how = this.stopped;
    this.levels--;
    if (this.levels > 0) return true;
    this.stopped = null;
    return how === 'break';
  }

  private conditional(node: Extract<ShellCommand, { kind: 'if' }>): Status {
    for (const { test, body } of node.arms) {
      const status = this.asked(true, true, () => this.list(test));
      if (this.stopped !== null) return status;
      if (status === null) {
        const bodies = [...node.arms.map((arm) => arm.body), node.otherwise ?? []];
        if (bodies.some((each) => this.touch.list(each)))
          this.errors.push(
            new SourceError('which way this goes is not known here', node.at, 'what it asks cannot be told'),
          );
        for (const each of bodies) this.spoil(each);
        return null;
      }
      if (status) return this.list(body);
    }
    return node.otherwise === null ? true : this.list(node.otherwise);
  }

  /** Variables that are set where nobody knows whether that is done cannot be told any more. */
  private spoil(list: ShellList): void {
    for (const name of assignedNames(list)) this.variables.set(name, { opaque: `$${name}` });
  }

  private choice(node: Extract<ShellCommand, { kind: 'case' }>): Status {
    const text = this.choiceText(node);
    if (text === null) return null;
    let goesOn = false;
    let status: Status = true;
    for (const { patterns, body, end } of node.arms) {
      const fits = goesOn || patterns.some((pattern) => this.fits(pattern, text));
      if (!fits) continue;
      status = this.list(body);
      if (end !== ';&' && end !== ';;&') return status;
      goesOn = end === ';&';
    }
    return status;
  }

  private fits(pattern: ShellWord, text: string): boolean {
    const value = expandPattern(pattern, this);
    return typeof value === 'string' && shellPattern(value, text);
  }

  /** What a case is about; null if it cannot be told, which is an error where rules depend on it. */
  private choiceText(node: Extract<ShellCommand, { kind: 'case' }>): string | null {
    try {
      return known(expandText(node.word, this, { unset: 'error' }), node.word.at);
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      if (
        this.isFirstArgument(node.word) &&
        node.arms.some((arm) => arm.patterns.some((p) => this.fits(p, 'start')))
      ) {
        const isForAll = node.arms.every((arm) =>
          arm.patterns.every((p) => this.fits(p, 'start') === this.fits(p, '')),
        );
        if (!isForAll)
          this.warnings.push(new SourceError("read as if it were called with 'start'", node.word.at));
        return 'start';
      }
      if (node.arms.some((arm) => this.touch.list(arm.body))) this.errors.push(error);
      for (const arm of node.arms) this.spoil(arm.body);
      return null;
    }
  }

  private isFirstArgument(word: ShellWord): boolean {
    const parts = word.parts.filter((part) => part.kind !== 'text' || part.text !== '');
    const { frame, isInFunction } = this.variables;
    return (
      parts.length === 1 &&
      parts[0]!.kind === 'variable' &&
      parts[0]!.name === '1' &&
      !frame.isKnown &&
      !isInFunction
    );
  }
}
