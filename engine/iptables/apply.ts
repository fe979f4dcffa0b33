import { SourceError } from '../base/error.ts';
import { didYouMean } from '../base/suggest.ts';
import type { XtCommand } from './command-parse.ts';
import { XtRule } from './rule.ts';
import { NO_DROP_IN_NAT } from './rule-builder.ts';
import { ruleText, type SaveScope } from './save.ts';
import { XtChain, type XtTable } from './table.ts';
import type { Word } from './words.ts';

/** What a command did to a table. */
export interface Applied {
  /** Rules that were not there before. */
  readonly added: readonly XtRule[];
  /** The chain that they stand in, null if there are none. */
  readonly chain: XtChain | null;
  /** Takes it back, as long as nothing else was done since. */
  undo(): void;
}

const NOTHING: Applied = { added: [], chain: null, undo: () => {} };

/** The chain of a name. @throws SourceError */
export function chainOf(table: XtTable, word: Word): XtChain {
  const chain = table.chains.get(word.text);
  if (chain !== undefined) return chain;
  const near = didYouMean(word.text, [...table.chains.keys()]);
  const hint = near;
  throw new SourceError(
    `No chain/target/match by that name: table ${table.name} has no chain '${word.text}'`,
    word.at,
    hint,
  );
}

/**
 * Does what a command says. What the kernel would say to the outcome is table-check.ts's matter.
 * @throws SourceError, and nothing has changed
 */
export function applyCommand(table: XtTable, command: XtCommand, scope: SaveScope): Applied {
  const { kind, chain } = command;
  if (!command.applies) return NOTHING;
  switch (kind) {
    case 'A':
    case 'I':
      return add(table, command);
    case 'R':
      return replace(table, command);
    case 'D':
    case 'C':
      return remove(table, command, scope);
    case 'F':
    case 'Z':
      // Measured: to flush one chain makes the table.
      if (kind === 'F' && chain !== null) table.exists = true;
      for (const each of chain === null ? table.chains.values() : [chainOf(table, chain)]) {
        if (kind === 'F') each.rules = [];
        else zero(each, command.position);
      }
      return NOTHING;
    case 'N':
      return create(table, chain!);
    case 'X':
      return drop(table, chain);
    case 'E':
      return rename(table, chain!, command.second!);
    case 'P':
      return policy(table, command, scope);
    default:
      if (chain !== null) chainOf(table, chain);
      return NOTHING;
  }
}

function made(command: XtCommand): XtRule[] {
  return command.rules.map((spec) => new XtRule(spec, command.at, { ...command.counters }));
}

function add(table: XtTable, command: XtCommand): Applied {
  const chain = chainOf(table, command.chain!);
  const added = made(command);
  const { rules } = chain;
  const before = rules.length;
  table.exists = true;
  if (command.kind === 'A') {
    rules.push(...added);
    return { added, chain, undo: () => void rules.splice(before) };
  }
  const index = Math.max(1, command.position) - 1;
  if (index > before)
    throw new SourceError('Index of insertion too big', command.chain!.at, `the chain has ${before} rules`);
  // Each is put at the same place, so that the last one comes first (measured).
  rules.splice(index, 0, ...added.toReversed());
  return { added, chain, undo: () => void rules.splice(index, added.length) };
}

function replace(table: XtTable, command: XtCommand): Applied {
  const chain = chainOf(table, command.chain!);
  const index = command.position - 1;
  if (command.rules.length !== 1)
    throw new SourceError('Replacement rule does not specify a unique address', command.at);
  const old = chain.rules[index];
  if (old === undefined) throw tooBig('replacement', command, chain);
  const added = made(command);
  chain.rules[index] = added[0]!;
  return { added, chain, undo: () => void chain.rules.splice(index, 1, old) };
}

function tooBig(what: string, command: XtCommand, chain: XtChain): SourceError {
  const count = chain.rules.length;
  return new SourceError(
    `Index of ${what} too big`,
    command.chain!.at,
    `the chain has ${count} rule${count === 1 ? '' : 's'}`,
  );
}

function textOf(rule: XtRule, table: XtTable, scope: SaveScope): string {
  rule.text ??= ruleText('', rule.spec, table.name, scope);
  return rule.text;
}

function remove(table: XtTable, command: XtCommand, scope: SaveScope): Applied {
  const chain = chainOf(table, command.chain!);
  const rules = chain.rules.slice();
  if (command.position > 0) {
    if (command.position > rules.length) throw tooBig('deletion', command, chain);
    rules.splice(command.position - 1, 1);
  }
  for (const spec of command.rules) {
    const text = ruleText('', spec, table.name, scope);
    const index = rules.findIndex((rule) => textOf(rule, table, scope) === text);
    if (index < 0) throw new SourceError('Bad rule (does a matching rule exist in that chain?)', command.at);
    if (command.kind === 'D') rules.splice(index, 1);
  }
  if (command.kind === 'D') chain.rules = rules;
  return NOTHING;
}

function zero(chain: XtChain, position: number): void {
  if (position === 0) chain.counters = { packets: 0, bytes: 0 };
  for (const rule of position === 0 ? chain.rules : chain.rules.slice(position - 1, position)) {
    rule.counters.packets = 0;
    rule.counters.bytes = 0;
  }
}

function create(table: XtTable, word: Word): Applied {
  if (table.chains.has(word.text)) throw new SourceError('Chain already exists', word.at);
  const chain = new XtChain(word.text, null);
  chain.at = word.at;
  table.chains.set(word.text, chain);
  table.exists = true;
  return NOTHING;
}

function references(table: XtTable, name: string): number {
  let count = 0;
  for (const chain of table.chains.values())
    for (const { spec } of chain.rules)
      if (spec.target.kind === 'chain' && spec.target.name === name) count++;
  return count;
}

function drop(table: XtTable, word: Word | null): Applied {
  if (word === null) {
    for (const chain of [...table.chains.values()])
      if (chain.builtin === null && chain.rules.length === 0 && references(table, chain.name) === 0)
        table.chains.delete(chain.name);
    return NOTHING;
  }
  const chain = chainOf(table, word);
  if (chain.builtin !== null)
    throw new SourceError(`chain ${word.text} is built in and cannot be deleted`, word.at);
  const hint = 'flush it first, and delete the rules that jump to it';
  if (chain.rules.length > 0) throw new SourceError(`chain ${word.text} still has rules`, word.at, hint);
  if (references(table, word.text) > 0)
    throw new SourceError(`rules still jump to chain ${word.text}`, word.at, hint);
  table.chains.delete(word.text);
  return NOTHING;
}

function rename(table: XtTable, from: Word, to: Word): Applied {
  const old = chainOf(table, from);
  if (old.builtin !== null)
    throw new SourceError(`chain ${from.text} is built in and cannot be renamed`, from.at);
  if (table.chains.has(to.text)) throw new SourceError('Chain already exists', to.at);
  const chain = new XtChain(to.text, null);
  chain.at = to.at;
  chain.rules = old.rules;
  table.chains.delete(from.text);
  table.chains.set(to.text, chain);
  for (const each of table.chains.values())
    each.rules = each.rules.map((rule) => {
      const { target } = rule.spec;
      if (target.kind !== 'chain' || target.name !== from.text) return rule;
      return new XtRule({ ...rule.spec, target: { ...target, name: to.text } }, rule.at, rule.counters);
    });
  return NOTHING;
}

function policy(table: XtTable, command: XtCommand, scope: SaveScope): Applied {
  const word = command.chain!;
  const chain = table.chains.get(word.text);
  if (chain?.builtin == null)
    throw new SourceError(
      'Bad built-in chain name',
      word.at,
      `table ${table.name} has ${builtinNames(table)}`,
    );
  if (table.name === 'nat' && command.second!.text === 'DROP')
    throw new SourceError(NO_DROP_IN_NAT, command.second!.at);
  setPolicy(table, chain, command.second!);
  // Measured: the nft variant makes them zero, whatever -c says.
  chain.counters = scope.backend === 'legacy' ? command.counters : { packets: 0, bytes: 0 };
  chain.at = word.at;
  return NOTHING;
}

function builtinNames(table: XtTable): string {
  return [...table.chains.values()]
    .filter((c) => c.builtin !== null)
    .map((c) => c.name)
    .join(', ');
}

/** Sets a built-in chain's policy. @throws SourceError if it is none of ACCEPT, DROP */
export function setPolicy(table: XtTable, chain: XtChain, word: Word): void {
  if (word.text !== 'ACCEPT' && word.text !== 'DROP')
    throw new SourceError(`Bad policy name '${word.text}'`, word.at, 'a policy is ACCEPT or DROP');
  chain.policy = word.text;
  chain.hasPolicy = true;
  table.exists = true;
}
