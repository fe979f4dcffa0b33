import { SourceError, type Span } from '../base/error.ts';
import { didYouMean } from '../base/suggest.ts';
import type { RuleCounters } from '../rules/chain.ts';
import { applyCommand, setPolicy } from './apply.ts';
import { checkChainName } from './chain-name.ts';
import { type CommandScope, parseCommand, type XtCommand } from './command-parse.ts';
import type { SaveScope } from './save.ts';
import { BUILTIN, XtChain, XtTable } from './table.ts';
import { checkTable } from './table-check.ts';
import { splitLine, type Word } from './words.ts';

/** Text with the name that errors give. */
export interface Source {
  readonly name: string;
  readonly text: string;
  /** Line that the text begins at, 1 if left out: it may stand within a script. */
  readonly line?: number;
}

/** As iptables-restore's options of the same names. */
export interface RestoreOptions {
  /** --noflush: adds to what is there. */
  readonly noflush?: boolean;
  /** --counters: takes over the counters that the text gives. */
  readonly counters?: boolean;
  /** --table: only this one. */
  readonly table?: string;
}

/**
 * Reads text as iptables-save writes it. Each table is taken over as a whole at its COMMIT, none after the first error.
 * @param tables the tables as they are; replaced one by one
 * @returns all that is wrong, in order
 */
export function restoreTables(
  source: Source,
  tables: Map<string, XtTable>,
  scope: SaveScope,
  options: RestoreOptions,
): SourceError[] {
  const restore = new Restore(source, tables, scope, options);
  return restore.run();
}

/** Nobody reads more errors of one text. */
const ERRORS_MAX = 100;
const COUNTERS = /^\[([0-9]+):([0-9]+)/;

class Restore {
  private readonly source: Source;
  private readonly tables: Map<string, XtTable>;
  private readonly scope: SaveScope;
  private readonly options: RestoreOptions;
  private readonly errors: SourceError[] = [];
  private table: XtTable | null = null;
  /** What the rules of the table are parsed for. */
  private ruleScope: CommandScope | null = null;
  private line = 0;
  /** Chains of users that the table's text has made so far. */
  private readonly made: Set<string> = new Set();

  constructor(source: Source, tables: Map<string, XtTable>, scope: SaveScope, options: RestoreOptions) {
    this.source = source;
    this.tables = tables;
    this.scope = scope;
    this.options = options;
  }

  run(): SourceError[] {
    const lines = this.source.text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    this.line = (this.source.line ?? 1) - 1;
    for (const text of lines) {
      if (this.errors.length >= ERRORS_MAX) return this.errors;
      this.line++;
      try {
        if (text.endsWith('\r')) throw this.carriageReturn(text);
        this.take(text);
      } catch (error) {
        if (!(error instanceof SourceError)) throw error;
        this.errors.push(error);
      }
    }
    if (this.table !== null && this.errors.length === 0)
      this.errors.push(
        new SourceError(`COMMIT expected: table ${this.table.name} is not committed`, this.span(1, 1)),
      );
    return this.errors;
  }

  private carriageReturn(text: string): SourceError {
    return new SourceError(
      'the line ends in a carriage return',
      this.span(text.length, 1),
      'iptables-restore wants Unix line ends',
    );
  }

  private span(col: number, len: number): Span {
    return { file: this.source.name, line: this.line, col, len: Math.max(1, len) };
  }

  private take(text: string): void {
    if (text === '' || text.startsWith('#')) return;
    if (text === 'COMMIT' && this.table !== null) this.commit(this.table);
    else if (text.startsWith('*') && this.table === null) this.begin(text);
    else if (this.table === null) throw this.outside(text);
    else if (text.startsWith(':')) this.chainLine(this.table, text);
    else this.ruleLine(this.table, text);
  }

  private outside(text: string): SourceError {
    const hint = /^\s*(iptables|ip6tables)\s/.test(text)
      ? 'a shell script of commands is no iptables-save text'
      : undefined;
    return new SourceError('no table yet: expected a line such as *filter', this.span(1, text.length), hint);
  }

  private begin(text: string): void {
    const name = text.slice(1).trim().split(/[ \t]/)[0]!;
    const old = this.tables.get(name);
    // A table that nobody knows is read all the same, so that its lines give no errors of their own.
    const table = old === undefined ? new XtTable(name) : this.begun(old);
    this.table = table;
    this.made.clear();
    this.ruleScope = { ...this.scope, table: name, chainsOf: () => table.chains };
    if (old !== undefined) return;
    const near = didYouMean(name, [...BUILTIN.keys()]);
    const hint = near ?? `known are ${[...BUILTIN.keys()].join(', ')}`;
    throw new SourceError(`table name '${name}' invalid`, this.span(2, name.length), hint);
  }

  /** Measured: iptables-nft-restore drops the table with its policies, the legacy variant keeps those. */
  private begun(old: XtTable): XtTable {
    if (this.options.noflush === true) return old.clone();
    return this.scope.backend === 'legacy' ? old.emptied() : new XtTable(old.name);
  }

  private commit(table: XtTable): void {
    this.table = null;
    if (this.errors.length > 0) return;
    if (this.options.table !== undefined && this.options.table !== table.name) return;
    this.errors.push(...checkTable(table, this.scope));
    // The legacy variant makes a table as soon as it is named, and its hooks with it (measured).
    if (this.scope.backend === 'legacy') table.exists = true;
    if (this.errors.length === 0) this.tables.set(table.name, table);
  }

  private counters(word: Word | undefined): RuleCounters | undefined {
    const m = word === undefined ? null : COUNTERS.exec(word.text);
    return m === null ? undefined : { packets: Number(m[1]), bytes: Number(m[2]) };
  }

  /** `:CHAIN POLICY [packets:bytes]` */
  private chainLine(table: XtTable, text: string): void {
    const words = splitLine(text.slice(1), this.source.name, this.line, 2);
    const [name, policy, counters] = words;
    if (name === undefined) throw new SourceError('chain name invalid', this.span(1, 1));
    const chain = table.chains.get(name.text);
    if (chain?.builtin == null) checkChainName(name, this.scope.family, true);
    if (chain === undefined) table.chains.set(name.text, new XtChain(name.text, null));
    else if (chain.builtin === null) this.again(name, chain);
    if (chain === undefined) this.made.add(name.text);
    table.chains.get(name.text)!.at = name.at;
    table.exists = true;
    if (policy === undefined)
      throw new SourceError('policy invalid', this.span(1, text.length), "a user's chain has '-'");
    if (chain?.builtin == null) {
      // Measured: iptables-nft-restore does not look at it.
      if (this.scope.backend === 'legacy' && policy.text !== '-')
        throw new SourceError(
          `Can't set policy \`${policy.text}' on \`${name.text}'`,
          policy.at,
          "a user's chain has '-'",
        );
      return;
    }
    const given = this.counters(counters);
    if (policy.text !== '-') {
      // Measured: only iptables-restore -c looks at them.
      if (given === undefined && this.options.counters === true)
        throw new SourceError(
          `invalid policy counters for chain '${name.text}'`,
          (counters ?? policy).at,
          'such as [0:0]',
        );
      setPolicy(table, chain, policy);
    }
    if (this.options.counters === true && given !== undefined) chain.counters = given;
    else if (this.options.noflush !== true) chain.counters = { packets: 0, bytes: 0 };
  }

  /** A line for a chain that is there: it loses its rules. */
  private again(name: Word, chain: XtChain): void {
    if (this.scope.backend === 'legacy' && this.options.noflush !== true)
      throw new SourceError(`error creating chain '${name.text}': File exists`, name.at);
    chain.rules = [];
  }

  /** Measured: in one transaction the kernel does not find a chain that is new and renamed. */
  private checkRename(command: XtCommand): void {
    const { kind, chain, second } = command;
    if (kind === 'N') this.made.add(chain!.text);
    if (kind !== 'E' || this.scope.backend === 'legacy' || !this.made.has(chain!.text)) return;
    const message = `CHAIN_RENAME failed (No such file or directory): chain ${second!.text}`;
    throw new SourceError(
      message,
      chain!.at,
      'iptables-nft-restore cannot rename a chain that it has just made',
    );
  }

  private ruleLine(table: XtTable, text: string): void {
    // Measured: not behind blanks.
    const m = /^\[[0-9]+:[0-9]+\]/.exec(text);
    const from = m === null ? 0 : m[0].length;
    const words = splitLine(text.slice(from), this.source.name, this.line, from + 1);
    const blank = text.length - text.trimStart().length;
    const at = this.span(blank + 1, text.trimEnd().length - blank);
    const given = m === null ? null : COUNTERS.exec(m[0].trim());
    const command = parseCommand(words, at, this.ruleScope!);
    if (
      given !== null &&
      this.options.counters === true &&
      words.some((word) => word.text === '-c' || word.text === '--set-counters')
    )
      throw new SourceError('multiple -c flags not allowed', at);
    // Those in front of the line count with iptables-restore -c only, those of its own -c always (measured).
    if (given !== null && this.options.counters === true && 'DC'.includes(command.kind))
      throw new SourceError("Illegal option `-c' with this command", at);
    if (given !== null && this.options.counters === true)
      command.counters = { packets: Number(given[1]), bytes: Number(given[2]) };
    this.checkRename(command);
    applyCommand(table, command, this.scope);
  }
}
