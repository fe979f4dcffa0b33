import type { ExprNode } from './ast-expr.ts';
import type { StmtNode } from './ast-stmt.ts';
import { misplaced } from './eval-hooks.ts';
import type { EvalContext, NftBase, NftChain, NftRule, NftState, NftTable } from './ruleset-state.ts';

/** NFT_JUMP_STACK_SIZE: how deep jumps may go. */
const DEEPEST = 16;

/** What one walk of a table's chains knows. */
interface Walk {
  readonly table: NftTable;
  readonly base: NftBase;
  readonly context: EvalContext;
  /** Chains that the way here went through. */
  readonly path: Set<NftChain>;
  /** How deep a chain was met already, so that it need not be walked again. */
  readonly done: Map<NftChain, number>;
  /** Rules that an error was given for. */
  readonly blamed: Set<NftRule>;
}

/**
 * What the kernel checks when a transaction is committed: from each base chain along all jumps, whether they form a
 * loop or go too deep, and whether each statement works in the base chain's type and hook.
 */
export function validateState(state: NftState, context: EvalContext): void {
  for (const table of state.tables.values()) {
    const blamed = new Set<NftRule>();
    for (const chain of table.chains.values()) {
      if (chain.base === null) continue;
      walk(chain, { table, base: chain.base, context, path: new Set(), done: new Map(), blamed });
    }
  }
}

function walk(chain: NftChain, about: Walk): void {
  const { path, done } = about;
  const depth = path.size;
  if ((done.get(chain) ?? -1) >= depth) return;
  done.set(chain, depth);
  path.add(chain);
  for (const rule of chain.rules) {
    for (const name of targetsOf(rule, about.table)) {
      const next = about.table.chains.get(name);
      if (next === undefined) continue;
      if (path.has(next)) blame(about, rule, `jump to ${name} makes a loop`);
      else if (depth + 1 >= DEEPEST) blame(about, rule, `too many jumps: more than ${DEEPEST} chains deep`);
      else walk(next, about);
    }
    for (const stmt of statementsOf(rule)) {
      const wrong = misplaced(stmt, about.base, about.table.family);
      if (wrong === null) continue;
      blame(about, rule, wrong);
      break;
    }
  }
  path.delete(chain);
}

function blame(about: Walk, rule: NftRule, message: string): void {
  if (about.blamed.has(rule)) return;
  about.blamed.add(rule);
  about.context.error(message, rule.node.at);
}

/** The statements of a rule with what nft inserted. */
export function statementsOf(rule: NftRule): readonly StmtNode[] {
  const plan = rule.plan as { statements?: readonly StmtNode[] } | null | undefined;
  return plan?.statements ?? rule.expr;
}

const NONE: readonly string[] = [];
const targets: WeakMap<NftRule, readonly string[]> = new WeakMap();

/** The chains that a rule may go to, but for those of named maps, which may change. */
function targetsOf(rule: NftRule, table: NftTable): readonly string[] {
  let known = targets.get(rule);
  if (known === undefined) {
    const all: string[] = [];
    for (const stmt of statementsOf(rule)) addDirectTargets(stmt, all);
    known = all.length === 0 ? NONE : all;
    targets.set(rule, known);
  }
  let named: string[] | null = null;
  for (const stmt of statementsOf(rule)) {
    const elements = namedElements(stmt, table);
    if (elements === null) continue;
    named ??= [...known];
    addPairTargets(elements, named);
  }
  return named ?? known;
}

function addDirectTargets(stmt: StmtNode, out: string[]): void {
  if ('jump' in stmt) out.push(stmt.jump.target);
  else if ('goto' in stmt) out.push(stmt.goto.target);
  else if ('vmap' in stmt && 'set' in stmt.vmap.data) addPairTargets(stmt.vmap.data.set, out);
}

function addPairTargets(elements: Iterable<ExprNode>, out: string[]): void {
  for (const node of elements) {
    if (!('pair' in node)) continue;
    const value = node.pair[1];
    if ('jump' in value) out.push(value.jump.target);
    else if ('goto' in value) out.push(value.goto.target);
  }
}

/** The elements of the named map that a statement looks up, null if it does not. */
function namedElements(stmt: StmtNode, table: NftTable): Iterable<ExprNode> | null {
  if (!('vmap' in stmt) || !('setref' in stmt.vmap.data)) return null;
  return table.sets.get(stmt.vmap.data.setref)?.elements.values() ?? null;
}
