import { VerdictExpr } from '../rules/expr-verdict.ts';
import { NF_ACCEPT, NF_DROP, NFT_CONTINUE, NFT_GOTO, NFT_JUMP, NFT_RETURN } from '../rules/verdict.ts';
import type { VerdictNode } from './ast-expr.ts';
import type { LowerTable } from './lower-table.ts';

/** A verdict as it runs. */
export function verdictExpr(about: LowerTable, node: VerdictNode): VerdictExpr {
  if ('accept' in node) return new VerdictExpr(NF_ACCEPT);
  if ('drop' in node) return new VerdictExpr(NF_DROP);
  if ('continue' in node) return new VerdictExpr(NFT_CONTINUE);
  if ('return' in node) return new VerdictExpr(NFT_RETURN);
  const target = 'jump' in node ? node.jump : node.goto;
  const chain =
    target.rules === undefined ? (about.chains.get(target.target) ?? null) : about.inner(target.rules);
  return new VerdictExpr('jump' in node ? NFT_JUMP : NFT_GOTO, chain);
}
