import type { Rule } from './chain.ts';
import type { Expr } from './expr.ts';
import { CounterExpr } from './expr-counter.ts';
import { CtHelperExpr } from './expr-ct-helper.ts';
import { CtSetExpr } from './expr-ct-set.ts';
import { DupExpr } from './expr-dup.ts';
import { DynsetExpr } from './expr-dynset.ts';
import { ExthdrResetExpr } from './expr-exthdr-reset.ts';
import { ExthdrSetExpr } from './expr-exthdr-set.ts';
import { FwdExpr } from './expr-fwd.ts';
import { LastExpr } from './expr-last.ts';
import { LogExpr } from './expr-log.ts';
import { LookupExpr, NFT_REG_VERDICT } from './expr-lookup.ts';
import { MasqExpr, RedirExpr } from './expr-masq.ts';
import { MetaSetExpr } from './expr-meta-set.ts';
import { NatExpr } from './expr-nat.ts';
import { NotrackExpr } from './expr-notrack.ts';
import { PayloadSetExpr } from './expr-payload-set.ts';
import { QueueExpr, QueueRegExpr } from './expr-queue.ts';
import { RejectExpr } from './expr-reject.ts';
import { SynproxyExpr } from './expr-synproxy.ts';
import { TproxyExpr } from './expr-tproxy.ts';
import { VerdictExpr } from './expr-verdict.ts';
import { NF_ACCEPT, NF_DROP } from './verdict.ts';

/** Whether an expression writes into the packet, its marks or its flow, so that later tests may see something else. */
export function changesPacket(expr: Expr): boolean {
  return (
    expr instanceof MetaSetExpr ||
    expr instanceof CtSetExpr ||
    expr instanceof PayloadSetExpr ||
    expr instanceof ExthdrSetExpr ||
    expr instanceof ExthdrResetExpr ||
    expr instanceof NotrackExpr ||
    expr instanceof CtHelperExpr ||
    expr.name === 'target' ||
    expr.name === 'objref'
  );
}

/** Whether an expression gives a verdict, or may. */
export function decides(expr: Expr): boolean {
  return (
    expr instanceof VerdictExpr ||
    expr instanceof RejectExpr ||
    (expr instanceof LookupExpr && expr.dreg === NFT_REG_VERDICT) ||
    isStatement(expr)
  );
}

/** Statements that end a packet's way or may: none of them can be taken for a test. */
function isStatement(expr: Expr): boolean {
  return (
    expr instanceof NatExpr ||
    expr instanceof MasqExpr ||
    expr instanceof RedirExpr ||
    expr instanceof QueueExpr ||
    expr instanceof QueueRegExpr ||
    expr instanceof FwdExpr ||
    expr instanceof TproxyExpr ||
    expr instanceof SynproxyExpr ||
    expr.name === 'target'
  );
}

/** Whether an expression is what iptables calls a target, before which the rule's packets are counted. */
function isTarget(expr: Expr): boolean {
  return decides(expr) || changesPacket(expr) || expr instanceof LogExpr || expr instanceof DupExpr;
}

/** Place of the first expression before which iptables counts the packet; behind the last if the rule has no target. */
export function targetIndex(rule: Rule): number {
  const index = rule.exprs.findIndex(isTarget);
  return index < 0 ? rule.exprs.length : index;
}

/** {@link unknownOutcome}: nothing that anybody would see hangs on it. */
export const OUTCOME_NONE: number = -1;
/** {@link unknownOutcome}: anything may follow. */
export const OUTCOME_ANY: number = -2;

/**
 * What a rule does if an expression whose result is not known should match.
 * @param index of that expression
 * @returns NF_ACCEPT or NF_DROP if the rule then surely ends with that and does nothing else; OUTCOME_*
 */
export function unknownOutcome(rule: Rule, index: number): number {
  const { exprs } = rule;
  if (index === exprs.length - 1 || isStatement(exprs[index]!)) return OUTCOME_ANY;
  for (let i = index + 1; i < exprs.length; i++) {
    const expr = exprs[i]!;
    if (expr instanceof VerdictExpr)
      return expr.code === NF_ACCEPT || expr.code === NF_DROP ? expr.code : OUTCOME_ANY;
    if (expr instanceof RejectExpr) return NF_DROP;
    if (decides(expr) || changesPacket(expr) || expr instanceof DynsetExpr) return OUTCOME_ANY;
    if (expr instanceof CounterExpr || expr instanceof LogExpr || expr instanceof LastExpr) continue;
  }
  return OUTCOME_NONE;
}
