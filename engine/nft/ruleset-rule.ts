import type { CommandOp, RuleNode } from './ast.ts';
import { evalRule } from './eval.ts';
import { chainOfRule, findRule } from './ruleset-find.ts';
import type { NftChain, NftRule } from './ruleset-state.ts';
import type { Transaction } from './ruleset-transaction.ts';
import { countHandles } from './ruleset-uses.ts';

/** Evaluates a rule and gives it its handle. */
function makeRule(t: Transaction, chain: NftChain, node: RuleNode): NftRule {
  t.skipIfBroken(chain.table, node.expr);
  const { expr, plan } = evalRule(node, chain, t);
  // The kernel numbers a rule's anonymous sets and chains before the rule.
  for (let count = countHandles(expr); count > 0; count--) {
    t.nextHandle(chain.table);
  }
  const handle = t.nextHandle(chain.table);
  const rule: NftRule = { handle, node, expr, comment: node.comment, at: t.span(node.at), plan };
  t.usesOf(chain.table)?.rules([rule], 1);
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
