import { SourceError, type Span } from '../base/error.ts';
import type { Family } from './ast.ts';
import type { At } from './ast-expr.ts';
import type { StmtNode } from './ast-stmt.ts';
import type { Sources } from './lex-source.ts';
import { PastRules } from './ruleset-past.ts';
import type { EvalContext, NftChain, NftObject, NftSet, NftState, NftTable } from './ruleset-state.ts';
import { refersTo, UseIndex } from './ruleset-uses.ts';

/** Number of errors after which a transaction is given up. */
const MAX_ERRORS = 100;

/** Marks in the list of what is to be undone. */
const ENTRY: unique symbol = Symbol('entry');
const ABSENT: unique symbol = Symbol('absent');

/** A command that cannot be done; the transaction goes on with the next to find more errors, and undoes all at its end. */
export class CommandFailed extends Error {}

/** What a list of commands changes, so that all of it can be undone. */
export class Transaction implements EvalContext {
  readonly state: NftState;
  readonly errors: SourceError[] = [];
  /** Whether the text that the commands are from could be read wholly. */
  readonly isWhole: boolean;
  readonly #sources: Sources;
  /** Functions to call, and for entries of maps: the map, the key, the old value and {@link ENTRY}. */
  readonly #undo: unknown[] = [];
  readonly #said: Set<string> = new Set();
  /** Chains whose list of rules is this transaction's own copy. */
  readonly #copied: Set<NftChain> = new Set();
  /** Maps whose entries at some moment will be put back as they were. */
  readonly #kept: Set<unknown> = new Set();
  readonly #uses: Map<NftTable, UseIndex> = new Map();
  /** Sets whose declaration is wrong; what uses them is no error of its own. */
  readonly #broken: Set<NftSet> = new Set();
  /** Chains, sets and objects that it has made. */
  readonly #made: Set<NftChain | NftSet | NftObject> = new Set();
  readonly #pasts: Map<NftChain, PastRules> = new Map();
  readonly #commit: (() => void)[] = [];
  /** Names that chains will have once all commands are done, behind the name of their table. */
  readonly newNames: Set<string> = new Set();
  #begin: At | undefined;
  #last: NftTable | undefined;

  constructor(state: NftState, sources: Sources, isWhole: boolean = true) {
    this.state = state;
    this.isWhole = isWhole;
    this.#sources = sources;
  }

  /** The table that was found last, if it is the one; commands about one table mostly follow each other. */
  lastTable(family: Family, name: string): NftTable | undefined {
    const table = this.#last;
    return table !== undefined && table.name === name && table.family === family ? table : undefined;
  }

  /** Has a table found faster the next time. */
  remember(table: NftTable | undefined): NftTable | undefined {
    this.#last = table;
    return table;
  }

  /** Takes note of a set whose declaration is wrong. */
  broke(set: NftSet): void {
    this.#broken.add(set);
  }

  /** Ends the command without a word if its statements use a set whose declaration is wrong. */
  skipIfBroken(table: NftTable, expr: readonly StmtNode[]): void {
    for (const set of this.#broken) {
      if (set.table === table && refersTo(expr, `set ${set.name}`)) {
        throw new CommandFailed();
      }
    }
  }

  /** Takes note of a chain, set or object that this transaction has made. */
  made(thing: NftChain | NftSet | NftObject): void {
    this.#made.add(thing);
  }

  /** Whether this transaction made it: the kernel does not know it yet. */
  isNew(thing: NftChain | NftSet | NftObject): boolean {
    return this.#made.has(thing);
  }

  /** Where errors without a position of their own are shown. */
  begin(at: At | undefined): void {
    this.#begin = at;
  }

  /** True if going on would only be noise. */
  get full(): boolean {
    return this.errors.length >= MAX_ERRORS;
  }

  /** Takes note of an error. */
  error(message: string, at: At | undefined, hint?: string): void {
    const where = at ?? this.#begin;
    const span = this.span(where) ?? { file: '', line: 1, col: 1, len: 1 };
    this.errors.push(new SourceError(message, span, hint));
  }

  /** Takes note of an error and ends the command. */
  fail(message: string, at: At | undefined, hint?: string): never {
    // As in the real tool, where the kernel is not asked if there is something that cannot be read.
    if (this.isWhole) {
      this.error(message, at, hint);
    }
    throw new CommandFailed();
  }

  /**
   * Ends the command because something does not exist; says so once for each thing.
   * @param thing what is missing, in words: `table ip x`
   * @param nearest finds its most similar neighbour
   */
  missing(thing: string, at: At | undefined, nearest?: () => string | undefined): never {
    if (this.isWhole && !this.#said.has(thing)) {
      this.#said.add(thing);
      const near = nearest?.();
      const hint =
        near === undefined ? `there is no ${thing}` : `there is no ${thing}; did you mean '${near}'?`;
      this.error('No such file or directory', at, hint);
    }
    throw new CommandFailed();
  }

  /** Where a node stands. */
  span(at: At | undefined): Span | null {
    return this.#sources.span(at);
  }

  /** Has something done when all commands were, and none failed. */
  atCommit(change: () => void): void {
    this.#commit.push(change);
  }

  /** All commands are done. */
  commit(): void {
    for (const change of this.#commit) {
      change();
    }
  }

  /** Says how a change that was just made is undone. */
  onUndo(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** Sets an entry of a map. */
  set<K, V>(map: Map<K, V>, key: K, value: V): void {
    this.#undo.push(map, key, map.has(key) ? map.get(key) : ABSENT, ENTRY);
    map.set(key, value);
  }

  /** Deletes an entry of a map. If it is undone, the entries are in the old order again. */
  delete<K, V>(map: Map<K, V>, key: K): void {
    this.#last = undefined;
    this.#keep(map);
    map.delete(key);
  }

  /** Deletes all entries of a map that a test is true for. */
  deleteWhere<K, V>(map: Map<K, V>, test: (value: V) => boolean): void {
    this.#last = undefined;
    this.#keep(map);
    for (const [key, value] of [...map]) {
      if (test(value)) {
        map.delete(key);
      }
    }
  }

  /** Has a map's entries put back as they are now; once is enough, whatever happens to it later. */
  #keep<K, V>(map: Map<K, V>): void {
    if (this.#kept.has(map)) {
      return;
    }
    this.#kept.add(map);
    const entries = [...map];
    this.onUndo(() => {
      map.clear();
      for (const [key, value] of entries) {
        map.set(key, value);
      }
    });
  }

  /** Whether anything in a table refers to something: `chain x`, `set x`, `counter x`, …. */
  isUsed(table: NftTable, what: string): boolean {
    let index = this.#uses.get(table);
    if (index === undefined) {
      index = new UseIndex(table);
      this.#uses.set(table, index);
    }
    return index.has(what);
  }

  /** What has to know of rules and elements of a table that come and go; undefined if nobody asked yet. */
  usesOf(table: NftTable): UseIndex | undefined {
    return this.#uses.get(table);
  }

  /** Rules and elements of a table changed in some other way. */
  forgetUses(table: NftTable): void {
    this.#uses.delete(table);
  }

  /** Deletes an entry of a large map; if it is undone, it comes last. For maps whose order means nothing. */
  deleteUnordered<K, V>(map: Map<K, V>, key: K): void {
    this.#undo.push(map, key, map.get(key), ENTRY);
    map.delete(key);
  }

  /** The rules of a chain as a list that may be changed until the transaction ends. */
  rulesOf(chain: NftChain): NftChain['rules'][number][] {
    if (!this.#copied.has(chain)) {
      this.#copied.add(chain);
      const old = chain.rules;
      chain.rules = [...old];
      this.onUndo(() => {
        chain.rules = old;
      });
    }
    return chain.rules as NftChain['rules'][number][];
  }

  /** The rules of a chain with those that were deleted; undefined if none was. */
  pastOf(chain: NftChain): PastRules | undefined {
    return this.#pasts.get(chain);
  }

  /** The same, when one is about to be deleted. */
  keepPast(chain: NftChain): PastRules {
    let past = this.#pasts.get(chain);
    if (past === undefined) {
      past = new PastRules(chain.rules);
      this.#pasts.set(chain, past);
    }
    return past;
  }

  /** Undoes everything, the last change first. */
  rollback(): void {
    while (this.#undo.length > 0) {
      const last = this.#undo.pop();
      if (last === ENTRY) {
        this.#undoEntry();
      } else {
        (last as () => void)();
      }
    }
  }

  #undoEntry(): void {
    const old = this.#undo.pop();
    const key = this.#undo.pop();
    const map = this.#undo.pop() as Map<unknown, unknown>;
    if (old === ABSENT) {
      map.delete(key);
    } else {
      map.set(key, old);
    }
  }

  /** The handle that comes next in a table. */
  nextHandle(table: NftTable): number {
    if (!this.#kept.has(table)) {
      this.#kept.add(table);
      const old = table.lastHandle;
      this.onUndo(() => {
        table.lastHandle = old;
      });
    }
    table.lastHandle++;
    return table.lastHandle;
  }
}
