import type { ChainNode } from './ast.ts';
import { findChain } from './ruleset-find.ts';
import { changedRule } from './ruleset-rule.ts';
import type { NftChain, NftTable } from './ruleset-state.ts';
import type { Transaction } from './ruleset-transaction.ts';
import { retarget, ruleUses } from './ruleset-uses.ts';

/** `rename chain`: in the transaction it has its old name still, behind it the new one (measured). */
export function renameChain(t: Transaction, node: ChainNode): void {
  const chain = findChain(t, node);
  const { family, name, chains } = chain.table;
  const newname = node.newname ?? '';
  const key = `${family} ${name} ${newname}`;
  if (chains.has(newname) || t.newNames.has(key)) {
    t.fail('File exists', node.nameAt, `there is a chain '${newname}' already`);
  }
  // nft asks for it by a handle, which only the kernel gives.
  if (t.isNew(chain)) {
    t.fail('No such file or directory', node.nameAt, 'it is made by the same file: give it its name there');
  }
  t.newNames.add(key);
  t.atCommit(() => giveName(t, chain, newname));
}

/** Whatever leads to the chain leads to it by its new name. */
function giveName(t: Transaction, chain: NftChain, newname: string): void {
  const { chains } = chain.table;
  const old = chain.name;
  if (chains.get(old) !== chain || chains.has(newname)) {
    return;
  }
  const entries = [...chains].map(([key, value]): [string, NftChain] => [key === old ? newname : key, value]);
  t.deleteWhere(chains, () => true);
  for (const [key, value] of entries) {
    chains.set(key, value);
  }
  chain.name = newname;
  t.forgetUses(chain.table);
  renameInRules(t, chain.table, old, newname);
  renameInMaps(t, chain.table, old, newname);
}

function renameInRules(t: Transaction, table: NftTable, old: string, newname: string): void {
  for (const chain of table.chains.values()) {
    if (!chain.rules.some((rule) => ruleUses(rule, `chain ${old}`))) {
      continue;
    }
    const rules = t.rulesOf(chain);
    for (const [i, rule] of rules.entries()) {
      if (ruleUses(rule, `chain ${old}`)) {
        rules[i] = changedRule(t, chain, rule, retarget(rule.node, old, newname));
      }
    }
  }
}

function renameInMaps(t: Transaction, table: NftTable, old: string, newname: string): void {
  for (const set of table.sets.values()) {
    if (set.node.map?.[0]?.type !== 'verdict') {
      continue;
    }
    for (const [key, element] of set.elements) {
      const renamed = retarget(element, old, newname);
      if (renamed !== element) {
        t.set(set.elements, key, renamed);
      }
    }
  }
}
