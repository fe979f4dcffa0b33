import type { ExprNode } from './ast-expr.ts';
import type { StmtNode } from './ast-stmt.ts';
import { innerRules } from './ast-walk.ts';
import { innerPlan } from './eval.ts';
import { misplaced } from './eval-hooks.ts';
import type { EvalContext, NftBase, NftChain, NftRule, NftState, NftTable } from './ruleset-state.ts';

/** NFT_JUMP_STACK_SIZE: how deep jumps may go. */
const DEEPEST = 16;
const TOO_DEEP = `too many jumps: more than ${DEEPEST} chains deep`;

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

/** @param depth how many chains lead here, those in braces included */
function walk(chain: NftChain, about: Walk, depth = 0): void {
  const { path, done } = about;
  if ((done.get(chain) ?? -1) >= depth) return;
  done.set(chain, depth);
  path.add(chain);
  for (const rule of chain.rules) check(rule, statementsOf(rule), about, depth);
  path.delete(chain);
}

/** Checks the statements of a rule, or of one in its braces. */
function check(rule: NftRule, statements: readonly StmtNode[], about: Walk, depth: number): void {
  for (const name of targetsOf(statements, about.table)) {
    const next = about.table.chains.get(name);
    if (next === undefined) continue;
    if (about.path.has(next)) blame(about, rule, `jump to ${name} makes a loop`);
    else if (depth + 1 >= DEEPEST) blame(about, rule, TOO_DEEP);
    else walk(next, about, depth + 1);
  }
  for (const stmt of statements) {
    const wrong = misplaced(stmt, about.base, about.table.family);
    if (wrong !== null) blame(about, rule, wrong);
    const inner = innerRules(stmt) ?? [];
    if (inner.length > 0 && depth + 1 >= DEEPEST) blame(about, rule, TOO_DEEP);
    else for (const one of inner) check(rule, innerPlan(one).statements, about, depth + 1);
  }
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
const targets: WeakMap<readonly StmtNode[], readonly string[]> = new WeakMap();

/** The chains that statements may go to, but for those of named maps, which may change. */
function directTargets(statements: readonly StmtNode[]): readonly string[] {
  const known = targets.get(statements);
  if (known !== undefined) return known;
  const all: string[] = [];
  for (const stmt of statements) addDirectTargets(stmt, all);
  const found = all.length === 0 ? NONE : all;
  targets.set(statements, found);
  return found;
}

/** The chains that statements may go to. */
function targetsOf(statements: readonly StmtNode[], table: NftTable): readonly string[] {
  const direct = directTargets(statements);
  let named: string[] | null = null;
  for (const stmt of statements) {
    const elements = namedElements(stmt, table);
    if (elements === null) continue;
    named ??= [...direct];
    addPairTargets(elements, named);
  }
  return named ?? direct;
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
