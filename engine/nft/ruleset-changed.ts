import type { RuleNode } from './ast.ts';
import type { StmtNode } from './ast-stmt.ts';
import { visitStatements } from './ast-walk.ts';
import { shapeOf } from './eval-elements.ts';
import { setFlags } from './list-set.ts';
import { changeSet } from './ruleset-set.ts';
import type { NftChain, NftSet } from './ruleset-state.ts';
import type { Transaction } from './ruleset-transaction.ts';

/** What the kernel takes for the size of a set that says none, once a rule changes it (measured). */
const DYNAMIC_SIZE = 65535;

/**
 * What becomes of the sets that a rule changes: they have a size from then on, and those that nft has not told the
 * kernel of yet are dynamic (measured; not so maps).
 */
export function noteChanged(t: Transaction, { table }: NftChain, { expr }: RuleNode): void {
  visitStatements(expr, (stmt) => {
    const name = 'set' in stmt ? stmt.set.set : 'map' in stmt ? stmt.map.map : undefined;
    const set = name === undefined ? undefined : table.sets.get(name);
    if (set === undefined) return;
    refuseChange(t, set, stmt);
    const { size = DYNAMIC_SIZE, flags = [] } = set.node;
    const becomesDynamic = 'set' in stmt && t.isNew(set) && !flags.includes('dynamic');
    if (!becomesDynamic && set.node.size !== undefined) return;
    changeSet(t, set, { ...set.node, size, flags: becomesDynamic ? [...flags, 'dynamic'] : set.node.flags });
  });
}

const DYNAMIC_HINT = "say 'flags dynamic' where the set is declared";

/** What the kernel says to a rule that changes a set (all measured). */
function refuseChange(t: Transaction, set: NftSet, stmt: StmtNode): void {
  const inner = 'set' in stmt ? stmt.set.stmt : 'map' in stmt ? stmt.map.stmt : undefined;
  const kinds = (inner ?? []).map((one) => Object.keys(one)[0]).join();
  const flags = setFlags(set.node);
  if (flags.includes('constant'))
    t.fail('Device or resource busy', stmt.at, `'${set.name}' is constant: no packet can change it`);
  const { size, stmt: declared = [] } = set.node;
  const isDynamic = flags.includes('dynamic') || ('set' in stmt && t.isNew(set));
  const { expires } = shapeOf(set);
  // A table of fixed size is quicker, and takes no elements from packets.
  const isFixed = size !== undefined && size !== DYNAMIC_SIZE && !expires;
  if (!isDynamic && isFixed) t.fail('Operation not supported', stmt.at, DYNAMIC_HINT);
  if (!isDynamic && kinds !== '') t.fail('Invalid argument', stmt.at, DYNAMIC_HINT);
  if (kinds === '' || declared.length === 0) return;
  if (kinds !== declared.map((one) => Object.keys(one)[0]).join())
    t.fail('Operation not supported', stmt.at, `the elements of '${set.name}' have other statements`);
}
