import { SourceError, type Span } from '../base/error.ts';
import { didYouMean } from '../base/suggest.ts';
import type { RuleTable } from '../rules/chain.ts';
import { type Applied, applyCommand } from './apply.ts';
import { commandTable, parseCommand } from './command-parse.ts';
import { lowerTable } from './lower.ts';
import { type RestoreOptions, restoreTables, type Source } from './restore.ts';
import { type SaveOptions, type SaveScope, saveTables } from './save.ts';
import { BUILTIN, type XtChain, XtTable } from './table.ts';
import { checkJumps, checkRule, dependsOnHooks } from './table-check.ts';
import { splitLine, type Word } from './words.ts';
import { XtWorld } from './world.ts';

/** What an Xtables is made with. */
export interface XtablesOptions {
  /** Shared by both families of a namespace. */
  readonly world?: XtWorld;
  /** Which of the two iptables puts the rules into the kernel; nft, as on Debian, if left out. */
  readonly backend?: 'nft' | 'legacy';
}

/** The tables of iptables or ip6tables: filter, nat, mangle, raw, security. */
export class Xtables {
  readonly family: number;
  readonly world: XtWorld;
  readonly backend: 'nft' | 'legacy';
  private readonly byName: Map<string, XtTable> = new Map();
  private readonly lowered: Map<string, RuleTable> = new Map();
  private readonly reach: Map<string, ReadonlyMap<string, number>> = new Map();

  /** @param family NFPROTO_IPV4 or NFPROTO_IPV6 */
  constructor(family: number, options: XtablesOptions = {}) {
    this.family = family;
    this.world = options.world ?? new XtWorld();
    this.backend = options.backend ?? 'nft';
    for (const name of BUILTIN.keys()) this.byName.set(name, new XtTable(name));
  }

  private get scope(): SaveScope {
    return { family: this.family, world: this.world, backend: this.backend };
  }

  /**
   * Reads iptables-save text.
   * @returns what is wrong, empty if all was taken over; tables committed before the first error stay
   */
  restore(source: Source, options: RestoreOptions = {}): SourceError[] {
    const errors = restoreTables(source, this.byName, this.scope, options);
    this.lowered.clear();
    this.reach.clear();
    return errors;
  }

  /**
   * Runs one command.
   * @param words what follows `iptables`, quotes taken off
   * @param at the whole command
   * @throws SourceError, and nothing has changed
   */
  command(words: readonly Word[], at: Span): void {
    const { name, word } = commandTable(words);
    const table = this.table(name, word?.at ?? at);
    const scope = { ...this.scope, table: null, chainsOf: () => table.chains };
    const command = parseCommand(words, at, scope);
    const existed = table.exists;
    try {
      const done = applyCommand(table, command, this.scope);
      this.lowered.delete(name);
      this.keep(table, done);
    } catch (error) {
      // A refused command does not make the table either.
      table.exists = existed;
      throw error;
    }
  }

  /** Takes back what the kernel refuses. */
  private keep(table: XtTable, done: Applied): void {
    try {
      this.checkAdded(table, done);
    } catch (error) {
      done.undo();
      this.reach.delete(table.name);
      throw error;
    }
    if (done.added.length === 0) this.reach.delete(table.name);
  }

  /** Runs one command given as text, in iptables-restore's quoting. @throws SourceError */
  commandLine(text: string, file = 'command', line = 1): void {
    this.command(splitLine(text, file, line), { file, line, col: 1, len: Math.max(1, text.length) });
  }

  private table(name: string, at: Span): XtTable {
    const table = this.byName.get(name);
    if (table !== undefined) return table;
    const near = didYouMean(name, [...BUILTIN.keys()]);
    throw new SourceError(`table '${name}' does not exist`, at, near);
  }

  /** The kernel's checks of what a command added; of the whole table only what new ways lead to. */
  private checkAdded(table: XtTable, done: Applied): void {
    if (done.chain === null) return;
    const before = this.reach.get(table.name) ?? checkJumps(table, this.backend);
    const jumps = done.added.some((rule) => rule.spec.target.kind === 'chain');
    const masks = jumps ? checkJumps(table, this.backend) : before;
    this.reach.set(table.name, masks);
    const check = (rules: Applied['added'], chain: XtChain): void => {
      const place = { table: table.name, chain };
      for (const rule of rules) checkRule(rule, place, this.scope, masks.get(chain.name) ?? 0);
    };
    check(done.added, done.chain);
    if (!jumps) return;
    for (const chain of table.chains.values()) {
      const mask = masks.get(chain.name) ?? 0;
      if (mask !== (before.get(chain.name) ?? 0)) check(chain.rules.filter(dependsOnHooks), chain);
    }
  }

  /** The tables as iptables-save prints them. */
  save(options: SaveOptions = {}): string {
    return saveTables(this.byName, this.scope, options);
  }

  /** The tables as they run, those that exist. Rules that did not change keep what they remember. */
  tables(): RuleTable[] {
    const out: RuleTable[] = [];
    for (const table of this.byName.values()) {
      if (!table.exists) continue;
      let lowered = this.lowered.get(table.name);
      if (lowered === undefined) {
        lowered = lowerTable(table, this.scope);
        this.lowered.set(table.name, lowered);
      }
      out.push(lowered);
    }
    return out;
  }
}
