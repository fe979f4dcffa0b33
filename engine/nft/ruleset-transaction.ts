import { SourceError, type Span } from '../base/error.ts';
import type { At } from './ast-expr.ts';
import type { Sources } from './lex-source.ts';
import type { EvalContext, NftChain, NftState, NftTable } from './ruleset-state.ts';
import { UseIndex } from './ruleset-uses.ts';

/** Number of errors after which a transaction is given up. */
const MAX_ERRORS = 100;

/** A command that cannot be done; the transaction goes on with the next to find more errors, and undoes all at its end. */
export class CommandFailed extends Error {}

/** What a list of commands changes, so that all of it can be undone. */
export class Transaction implements EvalContext {
  readonly state: NftState;
  readonly errors: SourceError[] = [];
  readonly #sources: Sources;
  readonly #undo: (() => void)[] = [];
  readonly #said: Set<string> = new Set();
  /** Chains whose list of rules is this transaction's own copy. */
  readonly #copied: Set<NftChain> = new Set();
  /** Maps whose entries at some moment will be put back as they were. */
  readonly #kept: Set<unknown> = new Set();
  readonly #uses: Map<NftTable, UseIndex> = new Map();
  #begin: At | undefined;

  constructor(state: NftState, sources: Sources) {
    this.state = state;
    this.#sources = sources;
  }

  /** Where errors without a position of their own are shown. */
  begin(at: At | undefined): void {
    this.#begin = at;
  }

  /** True if going on would only be noise. */
  get full(): boolean {
    return this.errors.length >= MAX_ERRORS;
  }

  /** Takes note of an error, once if the same was said of the same place. */
  error(message: string, at: At | undefined, hint?: string): void {
    const where = at ?? this.#begin;
    const span = this.span(where) ?? { file: '', line: 1, col: 1, len: 1 };
    this.errors.push(new SourceError(message, span, hint));
  }

  /** Takes note of an error and ends the command. */
  fail(message: string, at: At | undefined, hint?: string): never {
    this.error(message, at, hint);
    throw new CommandFailed();
  }

  /**
   * Ends the command because something does not exist; says so once for each thing.
   * @param thing what is missing, in words: `table ip x`
   * @param near its most similar neighbour
   */
  missing(thing: string, at: At | undefined, near?: string): never {
    if (!this.#said.has(thing)) {
      this.#said.add(thing);
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

  /** Says how a change that was just made is undone. */
  onUndo(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** Sets an entry of a map. */
  set<K, V>(map: Map<K, V>, key: K, value: V): void {
    const had = map.has(key);
    const old = map.get(key);
    map.set(key, value);
    this.onUndo(() => {
      if (had) {
        map.set(key, old as V);
      } else {
        map.delete(key);
      }
    });
  }

  /** Deletes an entry of a map. If it is undone, the entries are in the old order again. */
  delete<K, V>(map: Map<K, V>, key: K): void {
    this.#keep(map);
    map.delete(key);
  }

  /** Deletes all entries of a map that a test is true for. */
  deleteWhere<K, V>(map: Map<K, V>, test: (value: V) => boolean): void {
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
    const old = map.get(key) as V;
    map.delete(key);
    this.onUndo(() => map.set(key, old));
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

  /** Undoes everything, the last change first. */
  rollback(): void {
    for (const undo of this.#undo.reverse()) {
      undo();
    }
    this.#undo.length = 0;
  }
}
