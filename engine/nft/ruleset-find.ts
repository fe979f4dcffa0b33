import { suggest } from '../base/suggest.ts';
import type { Family, NamedNode, RuleNode } from './ast.ts';
import type { At } from './ast-expr.ts';
import type { NftChain, NftRule, NftSet, NftState, NftTable } from './ruleset-state.ts';
import type { Transaction } from './ruleset-transaction.ts';

/** The key of a table in {@link NftState.tables}. */
export function tableKey(family: Family, name: string): string {
  return `${family} ${name}`;
}

/** A table by family and name; undefined if there is none. */
export function lookTable(state: NftState, family: Family, name: string): NftTable | undefined {
  return state.tables.get(tableKey(family, name));
}

/** A table that must exist. */
export function findTable(t: Transaction, family: Family, name: string, at: At | undefined): NftTable {
  const table = t.lastTable(family, name) ?? t.remember(lookTable(t.state, family, name));
  if (table === undefined) {
    t.missing(`table ${family} ${name}`, at, () => {
      const others = [...t.state.tables.values()];
      const nearest = nearestName(name, others);
      const near = others.find((one) => one.name === name) ?? others.find((one) => one.name === nearest);
      return near === undefined ? undefined : tableKey(near.family, near.name);
    });
  }
  return table;
}

function nearestName(name: string, among: Iterable<{ readonly name: string }>): string | undefined {
  return suggest(
    name,
    [...among].map((one) => one.name),
  );
}

/** Something by its name or handle in a map of a table; it must exist. */
function findNamed<T extends { readonly name: string; readonly handle: number }>(
  t: Transaction,
  what: string,
  node: NamedNode,
  map: ReadonlyMap<string, T>,
): T {
  const found =
    node.handle === undefined
      ? map.get(node.name)
      : [...map.values()].find((one) => one.handle === node.handle);
  if (found === undefined) {
    const id = node.handle === undefined ? `'${node.name}'` : `with handle ${node.handle}`;
    t.missing(`${what} ${id} in table ${node.family} ${node.table}`, node.nameAt, () =>
      nearestName(node.name, map.values()),
    );
  }
  return found;
}

/** A chain that must exist. */
export function findChain(t: Transaction, node: NamedNode): NftChain {
  const table = findTable(t, node.family, node.table, node.tableAt);
  return findNamed(t, 'chain', node, table.chains);
}

/** A set (or map) that must exist; any kind if `kind` is undefined. */
export function findSet(t: Transaction, node: NamedNode, kind?: 'set' | 'map'): NftSet {
  const table = findTable(t, node.family, node.table, node.tableAt);
  const found = findNamed(t, kind ?? 'set', node, table.sets);
  if (kind !== undefined && found.kind !== kind) {
    t.missing(
      `${kind} '${node.name}' in table ${node.family} ${node.table}`,
      node.nameAt,
      () => `${found.kind} ${found.name}`,
    );
  }
  return found;
}

/** A meter that must exist: some rule has it. */
export function findMeter(t: Transaction, node: NamedNode): void {
  const table = findTable(t, node.family, node.table, node.tableAt);
  for (const chain of table.chains.values()) {
    for (const rule of chain.rules) {
      if (rule.node.expr.some((stmt) => 'meter' in stmt && stmt.meter.name === node.name)) {
        return;
      }
    }
  }
  t.missing(`meter '${node.name}' in table ${node.family} ${node.table}`, node.nameAt);
}

/** The chain of a rule. */
export function chainOfRule(t: Transaction, rule: RuleNode): NftChain {
  const { family, tableAt, chain } = rule;
  const table = t.lastTable(family, rule.table) ?? findTable(t, family, rule.table, tableAt);
  const found = table.chains.get(chain);
  return found ?? findChain(t, { family, table: rule.table, tableAt, name: chain, nameAt: rule.chainAt });
}

/** Where in a chain the rule with a handle or at an index stands; it must exist. */
export function findRule(t: Transaction, rules: readonly NftRule[], node: RuleNode): number {
  const { handle, index } = node;
  const place = handle === undefined ? index! : rules.findIndex((one) => one.handle === handle);
  if (place < 0 || place >= rules.length) {
    const id = handle === undefined ? `at index ${index}` : `with handle ${handle}`;
    t.missing(`rule ${id} in chain '${node.chain}' of table ${node.family} ${node.table}`, node.handleAt);
  }
  return place;
}

/** The longest name that the kernel takes. */
const NAME_MAX = 255;

/** Refuses a name that is too long (measured). */
export function checkNewName(
  t: Transaction,
  { name, nameAt }: { name: string; nameAt?: At | undefined },
): void {
  if (name.length <= NAME_MAX) return;
  const isByTool = name.length > NAME_MAX + 1;
  t.fail(
    isByTool ? 'name too long, 256 characters maximum allowed' : 'Numerical result out of range',
    nameAt,
    `a name has at most ${NAME_MAX} characters`,
  );
}
