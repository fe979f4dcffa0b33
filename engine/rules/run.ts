import type { Chain } from './chain.ts';
import type { HookState } from './hook-state.ts';
import { Runner } from './runner.ts';

/** Runners that wait. An effect of a rule may send a packet through rules of its own, which takes another one. */
const idle: Runner[] = [new Runner()];

/**
 * Evaluates a base chain and all chains that it reaches for the packet of `state`. Counts what the language counts,
 * the policy included; `state.chain` and `state.rule` say afterwards what decided (no rule: the policy). Chains are
 * compiled on first use and when their rules were replaced.
 * @returns the verdict
 */
export function runChain(chain: Chain, state: HookState): number {
  const runner = idle.pop() ?? new Runner();
  const verdict = runner.run(chain, state);
  idle.push(runner);
  return verdict;
}
