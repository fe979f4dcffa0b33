import type { Span } from '../base/error.ts';
import type { CommandOp, Family, RuleNode } from './ast.ts';
import type { StmtNode } from './ast-stmt.ts';
import { evalRule, listedStatements, type RulePlan } from './eval.ts';
import { noteChanged } from './ruleset-changed.ts';
import { chainOfRule, findRule } from './ruleset-find.ts';
import type { NftChain, NftRule } from './ruleset-state.ts';
import type { Transaction } from './ruleset-transaction.ts';
import { countHandles } from './ruleset-uses.ts';

/** A rule with what its evaluation found. */
class EvaluatedRule implements NftRule {
  readonly handle: number;
  readonly node: RuleNode;
  readonly comment: string | undefined;
  readonly at: Span | null;
  readonly plan: RulePlan | null;
  private readonly family: Family;
  private listed: readonly StmtNode[] | null = null;

  constructor(handle: number, node: RuleNode, at: Span | null, plan: RulePlan | null, family: Family) {
    this.handle = handle;
    this.node = node;
    this.comment = node.comment;
    this.at = at;
    this.plan = plan;
    this.family = family;
  }

  /** Made at the first look: most rules are never listed. */
  get expr(): readonly StmtNode[] {
    this.listed ??= listedStatements(this.node, this.family, this.plan);
    return this.listed;
  }
}

/** The same rule with other statements. */
export function changedRule(t: Transaction, chain: NftChain, rule: NftRule, node: RuleNode): NftRule {
  return new EvaluatedRule(rule.handle, node, rule.at, evalRule(node, chain, t), chain.table.family);
}

/** Evaluates a rule and gives it its handle. */
function makeRule(t: Transaction, chain: NftChain, node: RuleNode): NftRule {
  t.skipIfBroken(chain.table, node.expr);
  const plan = evalRule(node, chain, t);
  // The kernel numbers a rule's anonymous sets and chains before the rule.
  for (let count = countHandles(plan?.statements ?? node.expr); count > 0; count--) {
    t.nextHandle(chain.table);
  }
  const handle = t.nextHandle(chain.table);
  const rule = new EvaluatedRule(handle, node, t.span(node.at), plan, chain.table.family);
  t.usesOf(chain.table)?.rules([rule], 1);
  noteChanged(t, chain, node);
  return rule;
}

/** Adds a rule before (0) or behind (1) the one that a command names. */
function addPlaced(t: Transaction, chain: NftChain, node: RuleNode, behind: 0 | 1): void {
  const past = t.pastOf(chain);
  const place = past === undefined ? findRule(t, chain.rules, node) : past.find(t, node);
  const rule = makeRule(t, chain, node);
  const at = past === undefined ? place + behind : past.insert(rule, place + behind);
  t.rulesOf(chain).splice(at, 0, rule);
}

/** A command about a rule. */
export function applyRule(t: Transaction, op: CommandOp, node: RuleNode): void {
  const chain = chainOfRule(t, node);
  const isNew = op === 'add' || op === 'insert';
  if (!isNew) {
    changeRule(t, chain, op, node);
  } else if (node.handle !== undefined || node.index !== undefined) {
    addPlaced(t, chain, node, op === 'add' ? 1 : 0);
  } else {
    const rule = makeRule(t, chain, node);
    if (op === 'insert') {
      t.pastOf(chain)?.insert(rule, 0);
      t.rulesOf(chain).unshift(rule);
    } else {
      t.pastOf(chain)?.push(rule);
      t.rulesOf(chain).push(rule);
    }
  }
}

/** Deletes or replaces a rule. */
function changeRule(t: Transaction, chain: NftChain, op: CommandOp, node: RuleNode): void {
  const place = findRule(t, chain.rules, node);
  const old = chain.rules[place]!;
  t.usesOf(chain.table)?.rules([old], -1);
  const past = t.keepPast(chain);
  if (op === 'replace') {
    const rule = makeRule(t, chain, node);
    past.replace(old, rule);
    t.rulesOf(chain)[place] = rule;
  } else {
    past.delete(old);
    t.rulesOf(chain).splice(place, 1);
  }
}
