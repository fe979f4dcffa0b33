import type { RuleBody } from './ast.ts';
import type { StmtNode } from './ast-stmt.ts';

/** The rules in braces behind a jump; null for any other statement. */
export function innerRules(stmt: StmtNode): readonly RuleBody[] | null {
  if ('jump' in stmt) return stmt.jump.rules ?? null;
  return 'goto' in stmt ? (stmt.goto.rules ?? null) : null;
}

/** Visits statements, and those of rules in braces among them. */
export function visitStatements(statements: readonly StmtNode[], visit: (stmt: StmtNode) => void): void {
  for (const stmt of statements) {
    visit(stmt);
    for (const rule of innerRules(stmt) ?? []) visitStatements(rule.expr, visit);
  }
}
