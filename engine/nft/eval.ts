import type { Family, RuleBody, RuleNode, SetNode } from './ast.ts';
import type { ExprNode } from './ast-expr.ts';
import type { StmtNode } from './ast-stmt.ts';
import { canonicalRule } from './eval-canonical.ts';
import { evalNamed } from './eval-elements.ts';
import { Refusal, Scope } from './eval-scope.ts';
import { setShape } from './eval-set.ts';
import { evalStatements } from './eval-stmt.ts';
import { setInnerEvaluation } from './eval-verdict.ts';
import type { EvalContext, NftChain, NftSet, NftTable } from './ruleset-state.ts';

/** What the evaluation keeps of a rule: its statements with all that nft inserts, in the order written. */
export interface RulePlan {
  readonly statements: readonly StmtNode[];
}

const innerPlans: WeakMap<RuleBody, RulePlan> = new WeakMap();

/** The statements of a rule in braces behind a jump, with all that nft inserts. */
export function innerPlan(rule: RuleBody): RulePlan {
  return innerPlans.get(rule) ?? { statements: rule.expr };
}

setInnerEvaluation((scope, rules) =>
  rules.map((rule) => {
    const inner = new Scope(scope.table, scope.chain, scope.context);
    evalStatements(inner, rule.expr);
    const evaluated: RuleBody = { ...rule, expr: canonicalRule(scope.family, inner.out) };
    innerPlans.set(evaluated, { statements: inner.out });
    return evaluated;
  }),
);

/** Runs an evaluation; what it refuses becomes an error of the context, and `otherwise` the answer. */
function guarded<T>(context: EvalContext, otherwise: T, evaluate: () => T): T {
  try {
    return evaluate();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (context.isWhole || !error.isAfterEffect) context.error(error.message, error.at, error.hint);
    return otherwise;
  }
}

/** Checks and evaluates a rule that is about to be added (NftHooks.evalRule). */
export function evalRule(rule: RuleNode, chain: NftChain, context: EvalContext): RulePlan | null {
  const scope = new Scope(chain.table, chain, context);
  return guarded<RulePlan | null>(context, null, () => {
    evalStatements(scope, rule.expr);
    // A copy: an array that was pushed to has room for many more.
    return { statements: scope.out.slice() };
  });
}

/** The statements of a rule as listings print them; as they were written where the evaluation refused them. */
export function listedStatements(rule: RuleNode, family: Family, plan: RulePlan | null): readonly StmtNode[] {
  return plan === null ? rule.expr : canonicalRule(family, plan.statements);
}

/** Finds the types of a set or map that is about to be made (NftHooks.evalSet). */
export function evalSet(set: SetNode, kind: 'set' | 'map', table: NftTable, context: EvalContext): unknown {
  return guarded<unknown>(context, null, () => setShape(new Scope(table, null, context), set, kind));
}

/** Evaluates elements that are about to be added or deleted (NftHooks.evalElements). */
export function evalElements(
  elements: readonly ExprNode[],
  set: NftSet,
  context: EvalContext,
  added: boolean = false,
): readonly ExprNode[] {
  if (set.plan === null) return [];
  return guarded<readonly ExprNode[]>(context, [], () =>
    evalNamed(new Scope(set.table, null, context), elements, set, added),
  );
}
