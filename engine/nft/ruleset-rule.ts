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

/** A command about a rule. */
export function applyRule(t: Transaction, op: CommandOp, node: RuleNode): void {
  const chain = chainOfRule(t, node);
  const placed = node.handle !== undefined || node.index !== undefined;
  const place = placed ? findRule(t, chain.rules, node) : -1;
  switch (op) {
    case 'delete':
    case 'destroy':
      t.usesOf(chain.table)?.rules([chain.rules[place]!], -1);
      t.rulesOf(chain).splice(place, 1);
      return;
    case 'replace':
      t.usesOf(chain.table)?.rules([chain.rules[place]!], -1);
      t.rulesOf(chain)[place] = makeRule(t, chain, node);
      return;
    case 'insert': {
      const rule = makeRule(t, chain, node);
      t.rulesOf(chain).splice(placed ? place : 0, 0, rule);
      return;
    }
    default: {
      const rule = makeRule(t, chain, node);
      const rules = t.rulesOf(chain);
      if (placed) {
        rules.splice(place + 1, 0, rule);
      } else {
        rules.push(rule);
      }
    }
  }
}
