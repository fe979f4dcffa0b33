import type { SourceError } from '../base/error.ts';
import type { Helper } from '../conntrack/helper.ts';
import { HELPERS } from '../helper/registry.ts';
import type { RuleTable } from '../rules/chain.ts';
import type { Command, CommandOp, Family, ObjectNode } from './ast.ts';
import type { ObjectKind } from './ast-stmt.ts';
import { validateState } from './eval-validate.ts';
import { parseNftJson } from './json-read.ts';
import { listJson } from './json-write.ts';
import type { Sources } from './lex-source.ts';
import { listText } from './list-ruleset.ts';
import { lower } from './lower.ts';
import { parseNft } from './parse.ts';
import type { NamedText, ReadFiles } from './parse-cursor.ts';
import { applyChain, applyTable } from './ruleset-chain.ts';
import { findMeter, findTable } from './ruleset-find.ts';
import { applyFlowtable, applyObject, resetObject } from './ruleset-object.ts';
import { applyRule } from './ruleset-rule.ts';
import { applyElements, applySet } from './ruleset-set.ts';
import type { ListOptions, NftState, ObjectBody } from './ruleset-state.ts';
import { CommandFailed, Transaction } from './ruleset-transaction.ts';
import { Running } from './running.ts';

/** A ruleset of nftables, as the kernel would hold it: changed by files and commands, listed, and lowered to run. */
export class NftRuleset {
  /** What it holds; only this class changes it. */
  readonly state: NftState;
  #tableHandle = 0;
  readonly #running: Running = new Running();

  /** @param helpers all conntrack helpers there are */
  constructor(helpers: readonly Helper[] = HELPERS) {
    this.state = { tables: new Map(), helpers };
  }

  /**
   * Does what a text in nft's language says, as one transaction.
   * @param source a name for messages, and the text
   * @param read finds the files that it includes
   * @param defines values of variables, as `nft -D` gives them
   * @returns all that is wrong; if anything is, nothing was changed
   */
  load(
    source: NamedText,
    read: ReadFiles = () => null,
    defines: Readonly<Record<string, string>> = {},
  ): readonly SourceError[] {
    const { commands, errors, sources } = parseNft(source, read, defines);
    return errors.length > 0 ? this.#more(errors, commands, sources) : this.apply(commands, sources);
  }

  /** The same of a text in nft's JSON (`nft -j`), commands or a listing. */
  loadJson(source: NamedText): readonly SourceError[] {
    const { commands, errors, sources } = parseNftJson(source);
    return errors.length > 0 ? errors : this.apply(commands, sources);
  }

  /**
   * Does a list of commands as one transaction.
   * @param sources says where their nodes stand
   * @returns all that is wrong; if anything is, nothing was changed
   */
  apply(commands: readonly Command[], sources: Sources): readonly SourceError[] {
    return this.#transact(commands, new Transaction(this.state, sources));
  }

  /** What is wrong in a text that cannot be read, and what is wrong in those of its lines that can. */
  #more(
    unread: readonly SourceError[],
    commands: readonly Command[],
    sources: Sources,
  ): readonly SourceError[] {
    const more = this.#transact(commands, new Transaction(this.state, sources, false));
    return [...unread, ...more];
  }

  #transact(commands: readonly Command[], t: Transaction): readonly SourceError[] {
    for (const table of this.state.tables.values()) {
      for (const set of table.sets.values()) {
        this.#running.settle(set);
      }
    }
    const handle = this.#tableHandle;
    let done = false;
    try {
      for (const command of commands) {
        if (!t.full) {
          this.#run(t, command);
        }
      }
      if (t.isWhole && t.errors.length === 0) {
        validateState(this.state, t);
      }
      done = t.isWhole && t.errors.length === 0;
      if (done) {
        t.commit();
      }
    } finally {
      if (!done) {
        t.rollback();
        this.#tableHandle = handle;
      }
    }
    return t.errors;
  }

  /** The ruleset as `nft list ruleset` prints it: with what packets have counted and added since {@link tables}. */
  list(options: ListOptions = {}, family?: Family): string {
    return listText(this.state, options, family, this.#running);
  }

  /** The ruleset as `nft -j list ruleset` prints it, without the newline. */
  listJson(options: ListOptions = {}, family?: Family): string {
    return listJson(this.state, options, family, this.#running);
  }

  /** The tables as they run. What is as it was when it was last asked goes on: counters, limits, elements. */
  tables(): readonly RuleTable[] {
    return lower(this.state, this.#running);
  }

  #run(t: Transaction, command: Command): void {
    t.begin(command.at);
    try {
      this.#dispatch(t, command.op, command.object);
    } catch (error) {
      if (!(error instanceof CommandFailed)) {
        throw error;
      }
    }
  }

  #dispatch(t: Transaction, op: CommandOp, object: ObjectNode): void {
    if ('rule' in object) {
      applyRule(t, op, object.rule);
    } else if ('table' in object) {
      applyTable(t, op, object.table, () => ++this.#tableHandle);
    } else if ('chain' in object) {
      applyChain(t, op, object.chain);
    } else if ('set' in object) {
      applySet(t, op, 'set', object.set);
    } else if ('map' in object) {
      applySet(t, op, 'map', object.map);
    } else if ('element' in object) {
      applyElements(t, op, object.element);
    } else if ('flowtable' in object) {
      applyFlowtable(t, op, object.flowtable);
    } else if ('ruleset' in object) {
      flushRuleset(t, op, object.ruleset.family);
    } else if ('all' in object) {
      applyAll(t, op, object.all);
    } else if ('meter' in object) {
      findMeter(t, object.meter);
    } else {
      const [kind, node] = Object.entries(object)[0] as [ObjectKind, ObjectBody];
      applyObject(t, op, kind, node);
    }
  }
}

/** `flush ruleset [family]`. */
function flushRuleset(t: Transaction, op: CommandOp, family: Family | undefined): void {
  if (op === 'flush') {
    t.deleteWhere(t.state.tables, (table) => family === undefined || table.family === family);
  }
}

type All = Extract<ObjectNode, { readonly all: unknown }>['all'];

/** `list …` and `reset …` of all things of a kind: `reset counters table ip x`. */
function applyAll(t: Transaction, op: CommandOp, all: All): void {
  const { of, family, table, tableAt } = all;
  const tables =
    table === undefined
      ? [...t.state.tables.values()].filter((one) => family === undefined || one.family === family)
      : [findTable(t, family ?? 'ip', table, tableAt)];
  if (op !== 'reset') {
    return;
  }
  for (const one of tables) {
    for (const [key, object] of one.objects) {
      if (`${object.kind}s` === of) {
        resetObject(t, one, key, object);
      }
    }
  }
}
