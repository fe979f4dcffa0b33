import { didYouMean } from '../base/suggest.ts';
import type { RuleBody } from './ast.ts';
import type { ExprNode, VerdictNode } from './ast-expr.ts';
import type { Scope } from './eval-scope.ts';

let evaluateInner: (scope: Scope, rules: readonly RuleBody[]) => readonly RuleBody[] = (_scope, rules) =>
  rules;

/** Tells {@link evalVerdict} how rules in braces behind a jump are evaluated: statements hold verdicts, and these rules. */
export function setInnerEvaluation(evaluate: typeof evaluateInner): void {
  evaluateInner = evaluate;
}

/** Whether an expression is a verdict. */
export function isVerdict(node: object): node is VerdictNode {
  return (
    'accept' in node ||
    'drop' in node ||
    'continue' in node ||
    'return' in node ||
    'jump' in node ||
    'goto' in node
  );
}

/** Checks a verdict: the chain that it goes to must exist and must not be a base chain. */
export function evalVerdict(scope: Scope, node: ExprNode): ExprNode & VerdictNode {
  if (!isVerdict(node)) {
    const { at } = node as ExprNode;
    return scope.refuse('expected a verdict here', at, 'accept, drop, continue, return, jump or goto');
  }
  const target = 'jump' in node ? node.jump : 'goto' in node ? node.goto : null;
  if (target === null) return node;
  if (target.rules !== undefined) {
    const inner = { ...target, rules: evaluateInner(scope, target.rules) };
    return 'jump' in node ? { jump: inner, at: node.at } : { goto: inner, at: node.at };
  }
  const at = target.targetAt ?? node.at;
  const found = scope.table.chains.get(target.target);
  if (found === undefined) {
    return scope.lacks(`no chain ${target.target} in table ${scope.table.name}`, at, () =>
      didYouMean(target.target, [...scope.table.chains.keys()]),
    );
  }
  if (found.base !== null)
    return scope.refuse(`${target.target} is a base chain: rules cannot jump to it`, at);
  return node;
}

/** Whether nothing may follow a verdict. */
export function isTerminal(node: object): boolean {
  return isVerdict(node) && !('continue' in node);
}
