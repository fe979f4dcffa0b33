import type { Chain, Rule } from '../rules/chain.ts';
import { VerdictExpr } from '../rules/expr-verdict.ts';
import { NF_ACCEPT, NF_DROP, NFT_CONTINUE, NFT_JUMP, NFT_RETURN } from '../rules/verdict.ts';
import { conditionsOf } from './conditions.ts';

/** What becomes of a packet that a rule matches; 'leaves' for what ends the chain otherwise (goto, queue, nat). */
export type Outcome = 'accept' | 'drop' | 'return' | 'leaves' | 'jump' | 'goes on';

const DROPS = new Set(['reject']);
const LEAVES = new Set(['queue', 'nat', 'masq', 'redir', 'fwd']);
/** xtables targets after which the packet does not come to the next rule. */
const FINAL_TARGETS: Readonly<Record<string, Outcome>> = {
  ACCEPT: 'accept',
  DROP: 'drop',
  REJECT: 'drop',
  RETURN: 'return',
  QUEUE: 'leaves',
  NFQUEUE: 'leaves',
  SNAT: 'leaves',
  DNAT: 'leaves',
  MASQUERADE: 'leaves',
  REDIRECT: 'leaves',
  NETMAP: 'leaves',
  SYNPROXY: 'leaves',
};

function ofVerdict(code: number): Outcome {
  switch (code) {
    case NF_ACCEPT:
      return 'accept';
    case NF_DROP:
      return 'drop';
    case NFT_RETURN:
      return 'return';
    case NFT_JUMP:
      return 'jump';
    case NFT_CONTINUE:
      return 'goes on';
    default:
      return 'leaves';
  }
}

/** What a rule does with the packets that it matches. */
export function outcomeOf(rule: Rule): Outcome {
  const last = rule.exprs.at(-1);
  if (last === undefined) return 'goes on';
  if (last instanceof VerdictExpr) return ofVerdict(last.code);
  if (DROPS.has(last.name)) return 'drop';
  if (LEAVES.has(last.name)) return 'leaves';
  const target = /^-[jg] (\S+)/.exec(rule.parts.at(-1)?.text ?? '')?.[1];
  return (target === undefined ? undefined : FINAL_TARGETS[target]) ?? 'goes on';
}

/** The chains that a rule may go to. */
export function targetsOf(rule: Rule): Chain[] {
  return rule.exprs.flatMap((e) => {
    if (e instanceof VerdictExpr) return e.chain === null ? [] : [e.chain];
    const set = (e as { set?: { elements?: (now: number) => readonly { verdict: VerdictExpr | null }[] } })
      .set;
    return set?.elements?.(0).flatMap((m) => m.verdict?.chain ?? []) ?? [];
  });
}

/** Whether a rule matches every packet. */
export function isUnconditional(rule: Rule): boolean {
  const { fields, opaque, fickle } = conditionsOf(rule);
  return fields.size === 0 && opaque.size === 0 && !fickle;
}

/** Whether no packet comes out of a chain at its end, back to the rule that jumped there. */
function neverReturns(chain: Chain, seen: ReadonlySet<Chain> = new Set()): boolean {
  if (seen.has(chain)) return false;
  const within = new Set([...seen, chain]);
  if (chain.rules.some((rule) => outcomeOf(rule) === 'return')) return false;
  return chain.rules.some((rule) => isUnconditional(rule) && endsHere(rule, within));
}

/** Whether a packet that a rule matches never comes to the rule behind it. */
export function endsHere(rule: Rule, seen: ReadonlySet<Chain> = new Set()): boolean {
  const outcome = outcomeOf(rule);
  if (outcome === 'goes on') return false;
  if (outcome !== 'jump') return true;
  const [target] = targetsOf(rule);
  return target !== undefined && neverReturns(target, seen);
}
