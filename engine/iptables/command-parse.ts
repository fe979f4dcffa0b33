import { SourceError, type Span } from '../base/error.ts';
import { didYouMean } from '../base/suggest.ts';
import type { RuleCounters } from '../rules/chain.ts';
import { NFPROTO_IPV4 } from '../rules/family.ts';
import { checkChainName, checkNewName } from './chain-name.ts';
import type { XtOption } from './extension.ts';
import { type BaseOption, baseOption, findLongOption, findShortOption, knownOptions } from './options.ts';
import type { XtRuleSpec } from './rule.ts';
import { RuleBuilder, type RuleScope, type RuleUse } from './rule-builder.ts';
import { readUint } from './values.ts';
import { spanOf, type Word } from './words.ts';

/** What a command does: the letter of its option. */
export type CommandKind =
  | 'A'
  | 'C'
  | 'D'
  | 'I'
  | 'R'
  | 'L'
  | 'S'
  | 'F'
  | 'Z'
  | 'N'
  | 'X'
  | 'E'
  | 'P'
  | 'h'
  | 'V';

/** A command as it was written. */
export interface XtCommand {
  readonly kind: CommandKind;
  /** The chain, null where all are meant. */
  readonly chain: Word | null;
  /** Position of a rule, 1 the first; 0 if none was given. */
  readonly position: number;
  /** -P's policy, -E's new name. */
  readonly second: Word | null;
  /** One for each combination of addresses. */
  readonly rules: readonly XtRuleSpec[];
  /** What -c says; the counters of its line for iptables-restore. */
  counters: RuleCounters;
  /** False if -4 or -6 says that it is not for this family. */
  readonly applies: boolean;
  /** The whole command. */
  readonly at: Span;
}

/** What a command is parsed for. */
export interface CommandScope extends Omit<RuleScope, 'table' | 'chains'> {
  /** The table of iptables-restore, where -t is refused; null on a command line. */
  readonly table: string | null;
  /** Chains of a table as they are now. @throws SourceError if there is no such table */
  chainsOf(table: string, at: Span | null): RuleScope['chains'];
}

/** The table of a command line: -t, or filter. The word is null if -t was not given. */
export function commandTable(words: readonly Word[]): { name: string; word: Word | null } {
  for (const [i, word] of words.entries()) {
    const next = words[i + 1];
    if ((word.text === '-t' || word.text === '--table') && next !== undefined)
      return { name: next.text, word: next };
    if (word.text.startsWith('--table=')) return { name: word.text.slice(8), word };
    if (/^-t./.test(word.text)) return { name: word.text.slice(2), word };
  }
  return { name: 'filter', word: null };
}

/** Options of the rule itself that take their whole word when the value is glued on, as the real tool does. */
const TAKES_WHOLE_WORD = 'psdioj';
/** Commands that take a rule. */
const RULE_COMMANDS = 'ACDIR';
/** Commands whose chain may be followed by a number. */
const NUMBERED = 'DIRLZS';

/**
 * Parses one command: all that follows `iptables` on a command line or stands in a line of iptables-restore.
 * @param at the whole command
 * @throws SourceError
 */
export function parseCommand(words: readonly Word[], at: Span, scope: CommandScope): XtCommand {
  return new CommandParser(words, at, scope).run();
}

class CommandParser {
  private readonly words: readonly Word[];
  private readonly at: Span;
  private readonly scope: CommandScope;
  private readonly rule: RuleBuilder;
  private next = 0;
  private inverted: Word | null = null;
  private kind: CommandKind | null = null;
  private chain: Word | null = null;
  private position = 0;
  private second: Word | null = null;
  private counters: RuleCounters | null = null;
  /** `-4` or `-6` that says that the line is for the other family. */
  private foreign: Word | null = null;
  /** Words of the rule's own options, for errors about combinations. */
  private readonly given: Map<string, Word> = new Map();

  constructor(words: readonly Word[], at: Span, scope: CommandScope) {
    this.words = words;
    this.at = at;
    this.scope = scope;
    const table = scope.table === null ? commandTable(words) : { name: scope.table, word: null };
    const chains = scope.chainsOf(table.name, table.word?.at ?? null);
    const { family, world, backend } = scope;
    this.rule = new RuleBuilder({ family, world, backend, table: table.name, chains });
  }

  run(): XtCommand {
    const foreign = this.readWords();
    if (foreign !== null) return this.forOther(foreign);
    if (this.inverted !== null) throw new SourceError('nothing appropriate following !', this.inverted.at);
    if (this.kind === null) throw new SourceError('no command specified', this.at);
    const takesRule = RULE_COMMANDS.includes(this.kind);
    const byNumber = this.kind === 'D' && this.position > 0;
    this.checkCombinations(takesRule);
    return {
      kind: this.kind,
      chain: this.chain,
      position: this.position,
      second: this.second,
      rules: takesRule && !byNumber ? this.rule.finish() : [],
      counters: this.counters ?? { packets: 0, bytes: 0 },
      applies: true,
      at: this.at,
    };
  }

  /**
   * Reads all words, or up to `-4` or `-6` of the other family, which is returned. Measured: iptables-restore passes over
   * such a line, whatever stands behind that option, and whatever addresses before it.
   */
  private readWords(): Word | null {
    try {
      while (this.next < this.words.length && this.foreign === null) this.step(this.words[this.next++]!);
      return this.foreign;
    } catch (error) {
      const names = this.scope.family === NFPROTO_IPV4 ? ['-6', '--ipv6'] : ['-4', '--ipv4'];
      const word = this.words.slice(this.next).find(({ text }) => names.includes(text));
      if (word === undefined) throw error;
      return word;
    }
  }

  private forOther(word: Word): XtCommand {
    if (this.scope.table === null)
      throw new SourceError(
        `this is not for the family of ${word.text}`,
        word.at,
        'iptables fails without a word',
      );
    const nothing = { chain: null, position: 0, second: null, rules: [], counters: { packets: 0, bytes: 0 } };
    return { kind: 'A', ...nothing, applies: false, at: this.at };
  }

  private checkCombinations(takesRule: boolean): void {
    const chain = this.chain?.text;
    for (const [letter, word] of this.given) {
      // Measured: a rule is looked for without its counters.
      if (letter === 'c' && (this.kind === 'D' || this.kind === 'C'))
        throw new SourceError("Illegal option `-c' with this command", word.at);
      const shows = 'nx0'.includes(letter);
      if (takesRule ? shows : !shows && !'46'.includes(letter) && !(letter === 'c' && this.kind === 'P'))
        throw new SourceError(`Illegal option \`-${letter}' with this command`, word.at);
      if (letter === 'o' && (chain === 'PREROUTING' || chain === 'INPUT'))
        throw new SourceError(`Can't use -o with ${chain}`, word.at);
      if (letter === 'i' && (chain === 'POSTROUTING' || chain === 'OUTPUT'))
        throw new SourceError(`Can't use -i with ${chain}`, word.at);
    }
  }

  private step(word: Word): void {
    const { text } = word;
    if (text === '!') {
      if (this.inverted !== null) throw new SourceError('multiple consecutive ! not allowed', word.at);
      this.inverted = word;
    } else if (text === '--') this.end();
    else if (text.startsWith('--')) this.long(word);
    else if (text.startsWith('-') && text.length > 1) this.short(word);
    else throw new SourceError(`Bad argument \`${text}'`, word.at, this.strayHint(word));
  }

  /** Behind `--` there are no options; iptables takes no words besides. */
  private end(): void {
    const stray = this.words[this.next];
    if (stray !== undefined) throw new SourceError(`Bad argument \`${stray.text}'`, stray.at);
  }

  /** A word that belongs nowhere is most often the value of an option behind a misplaced `!`. */
  private strayHint(word: Word): string | undefined {
    const before = this.words[this.next - 2];
    if (word.text.startsWith('#')) return 'a comment begins at the start of a line';
    return before?.text === '!' ? "the '!' goes before the option: ! -s ADDRESS" : undefined;
  }

  private long(word: Word): void {
    const equals = word.text.indexOf('=');
    const name = word.text.slice(2, equals < 0 ? undefined : equals);
    const value = equals < 0 ? null : this.tail(word, equals + 1);
    let hit = findLongOption(name, this.rule.uses);
    if (hit === undefined && this.rule.loadProtocolMatch(word)) hit = findLongOption(name, this.rule.uses);
    if (hit === undefined) throw this.unknown(word, name);
    if ('base' in hit) this.base(hit.base, word, value);
    else this.extension(hit.use, hit.option, word, value);
  }

  private unknown(word: Word, name: string): SourceError {
    const names = knownOptions(this.rule.uses).map((known) => `--${known}`);
    const hint = didYouMean(`--${name}`, names);
    return new SourceError(`unknown option "--${name}"`, word.at, hint);
  }

  private tail(word: Word, from: number): Word {
    return {
      text: word.text.slice(from),
      at: { ...word.at, col: word.at.col + from, len: Math.max(1, word.at.len - from) },
    };
  }

  private short(word: Word): void {
    for (let i = 1; i < word.text.length; i++) {
      const letter = word.text[i]!;
      const rest = i + 1 < word.text.length ? this.tail(word, i + 1) : null;
      const base = baseOption(letter);
      if (base !== undefined) {
        this.base(base, word, base.arg === 'none' ? null : rest);
        if (base.arg !== 'none') return;
        continue;
      }
      const hit = findShortOption(letter, this.rule.uses);
      if (hit === undefined || 'base' in hit) throw new SourceError(`unknown option "${word.text}"`, word.at);
      this.extension(hit.use, hit.option, word, rest);
      if (hit.option.args !== 0) return;
    }
  }

  /** The word that an option needs. */
  private value(word: Word, glued: Word | null): Word {
    if (glued !== null) return glued;
    const value = this.words[this.next++];
    if (value === undefined) throw new SourceError(`option "${word.text}" requires an argument`, word.at);
    return value;
  }

  /** The next word if it is no option. */
  private maybe(): Word | null {
    const word = this.words[this.next];
    if (word === undefined || word.text.startsWith('-') || word.text.startsWith('!')) return null;
    this.next++;
    return word;
  }

  private extension(use: RuleUse, option: XtOption<unknown>, word: Word, glued: Word | null): void {
    const words = [word];
    const args = option.args ?? 1;
    if (args === 0 && glued !== null) throw new SourceError(`unknown option "${word.text}"`, word.at);
    if (args > 0) words.push(this.value(word, glued));
    if (args > 1) {
      const second = this.maybe();
      if (second === null) throw new SourceError(`--${option.name} requires two args`, word.at);
      words.push(second);
    }
    const inverted = this.inverted !== null;
    this.inverted = null;
    if (option.invert === true) this.checkMisplaced(words[1], word);
    this.rule.option(use, option, words, inverted);
  }

  /** `-i ! eth0` of old; a lone `!` is a value as any other (measured). */
  private checkMisplaced(value: Word | undefined, option: Word): void {
    if (value?.text !== '!') return;
    const next = this.words[this.next];
    if (next !== undefined && !/^[-!]/.test(next.text)) throw misplaced(value, option);
  }

  private base(option: BaseOption, word: Word, glued: Word | null): void {
    const inverted = this.inverted !== null;
    if (inverted && !'psdiof'.includes(option.letter))
      throw new SourceError(`cannot have ! before ${word.text}`, spanOf(this.inverted!, word));
    this.inverted = null;
    if (option.role === 'command') this.command(option, word, glued);
    else if (option.role === 'rule') this.ruleOption(option, word, glued, inverted);
    else this.other(option, word, glued);
  }

  private command(option: BaseOption, word: Word, glued: Word | null): void {
    const kind = option.letter as CommandKind;
    if (
      this.kind !== null &&
      !(kind === 'Z' && 'LS'.includes(this.kind)) &&
      !(this.kind === 'Z' && 'LS'.includes(kind))
    )
      throw new SourceError(`Cannot use -${kind} with -${this.kind}`, word.at);
    if (this.kind === null || kind !== 'Z') this.kind = kind;
    if (option.arg === 'one') this.chain = this.value(word, glued);
    else if (option.arg === 'maybe') this.chain = glued ?? this.maybe() ?? this.chain;
    if (NUMBERED.includes(kind) && this.chain !== null) this.number(kind);
    if (kind === 'N') checkChainName(this.chain!, this.scope.family);
    if (kind === 'P' || kind === 'E') {
      this.second = this.maybe();
      const what =
        kind === 'P' ? '-P requires a chain and a policy' : '-E requires old-chain-name and new-chain-name';
      if (this.second === null) throw new SourceError(what, word.at);
      if (kind === 'E') checkNewName(this.second, this.scope.backend);
    }
  }

  private number(kind: CommandKind): void {
    const word = this.maybe();
    if (word === null) {
      if (kind === 'R') throw new SourceError('-R requires a rule number', this.chain!.at);
      return;
    }
    const position = readUint(word.text, 1, 0x7fffffff);
    if (position === undefined) throw new SourceError(`Invalid rule number \`${word.text}'`, word.at);
    this.position = position;
  }

  private ruleOption(option: BaseOption, word: Word, glued: Word | null, inverted: boolean): void {
    const { letter } = option;
    if (!this.given.has(letter)) this.given.set(letter, word);
    if (letter === '4' || letter === '6') {
      if ((letter === '4') !== (this.scope.family === NFPROTO_IPV4)) this.foreign = word;
      return;
    }
    if (letter === 'f') {
      this.rule.fragments(word, inverted);
      return;
    }
    // Measured: `-ptcp` and `--protocol=tcp` look for a protocol of that whole name.
    const value = glued !== null && TAKES_WHOLE_WORD.includes(letter) ? word : this.value(word, glued);
    this.checkMisplaced(value, word);
    this.ruleValue(letter, word, value, inverted);
  }

  private ruleValue(letter: string, word: Word, value: Word, inverted: boolean): void {
    const { rule } = this;
    if (letter === 's') rule.address('src', value, inverted);
    else if (letter === 'd') rule.address('dst', value, inverted);
    else if (letter === 'p') rule.protocol(value, inverted);
    else if (letter === 'i') rule.device('inDevice', value, inverted);
    else if (letter === 'o') rule.device('outDevice', value, inverted);
    else if (letter === 'm') rule.match(value);
    else if (letter === 'c') this.setCounters(word, value);
    else rule.jump(value, letter === 'g');
  }

  private setCounters(word: Word, value: Word): void {
    if (this.counters !== null) throw new SourceError('multiple -c flags not allowed', word.at);
    const comma = value.text.indexOf(',');
    const second = comma >= 0 ? value.text.slice(comma + 1) : this.maybe()?.text;
    if (second === undefined) throw new SourceError('-c requires packet and byte counter', word.at);
    const packets = readUint(comma >= 0 ? value.text.slice(0, comma) : value.text, 0, Number.MAX_VALUE);
    const bytes = readUint(second, 0, Number.MAX_VALUE);
    if (packets === undefined) throw new SourceError('-c packet counter not numeric', value.at);
    if (bytes === undefined) throw new SourceError('-c byte counter not numeric', value.at);
    this.counters = { packets, bytes };
  }

  private other(option: BaseOption, word: Word, glued: Word | null): void {
    if (option.letter === 't' && this.scope.table !== null)
      throw new SourceError(
        'The -t option cannot be used in iptables-restore',
        word.at,
        'tables begin with a line *TABLE',
      );
    if (option.role === 'display') this.given.set(option.letter, word);
    if ('wW'.includes(option.letter) && this.scope.table !== null)
      throw new SourceError(`You cannot use \`-${option.letter}' from iptables-restore`, word.at);
    if (option.arg === 'one') this.value(word, glued);
    else if (option.arg === 'maybe' && glued === null) this.seconds();
  }

  /** -w and -W may be followed by a number. */
  private seconds(): void {
    const word = this.maybe();
    if (word !== null && !/^\d/.test(word.text)) throw new SourceError('wait seconds not numeric', word.at);
  }
}

function misplaced(word: Word, option: Word): SourceError {
  return new SourceError(
    `Bad argument \`${word.text}'`,
    word.at,
    `the '!' goes before the option: ! ${option.text} …`,
  );
}
