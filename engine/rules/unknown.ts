import type { Chain, Rule } from './chain.ts';
import type { HookState } from './hook-state.ts';
import { OUTCOME_ANY, OUTCOME_NONE, unknownOutcome } from './rule-effects.ts';
import { NF_UNKNOWN, NFT_BREAK } from './verdict.ts';

/**
 * Rules met on the way of which it is not known whether they match. If all that follows leads to the verdict that
 * they would have given, it does not matter; else the verdict is unknown.
 */
export class Doubts {
  private chain: Chain | null = null;
  private rule: Rule | null = null;
  private why = '';
  private verdict = OUTCOME_NONE;

  /** Forgets everything, before a packet. */
  clear(): void {
    this.verdict = OUTCOME_NONE;
  }

  /** Whether there are any. */
  get any(): boolean {
    return this.verdict !== OUTCOME_NONE;
  }

  /**
   * An expression said NF_UNKNOWN.
   * @param index of the expression
   * @returns NFT_BREAK to go on as if the rule did not match, or NF_UNKNOWN
   */
  meet(state: HookState, chain: Chain, rule: Rule, index: number): number {
    const outcome = unknownOutcome(rule, index);
    if (outcome === OUTCOME_ANY) return NF_UNKNOWN;
    if (outcome === OUTCOME_NONE) return NFT_BREAK;
    if (this.any && this.verdict !== outcome) return NF_UNKNOWN;
    if (!this.any) {
      this.chain = chain;
      this.rule = rule;
      this.why = state.unknown;
    }
    this.verdict = outcome;
    return NFT_BREAK;
  }

  /** The verdict in the end, given what the rest of the rules said. */
  settle(state: HookState, verdict: number): number {
    if (!this.any || this.verdict === verdict || verdict === NF_UNKNOWN) return verdict;
    state.chain = this.chain;
    state.rule = this.rule;
    state.unknown = this.why;
    return NF_UNKNOWN;
  }
}
