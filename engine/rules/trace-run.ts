import type { Chain, Rule } from './chain.ts';
import type { HookState } from './hook-state.ts';
import { targetIndex } from './rule-effects.ts';
import { Doubts } from './unknown.ts';
import {
  NF_ACCEPT,
  NF_DROP,
  NF_UNKNOWN,
  NFT_BREAK,
  NFT_CONTINUE,
  NFT_GOTO,
  NFT_JUMP,
  NFT_RETURN,
} from './verdict.ts';

/** NFT_JUMP_STACK_SIZE: how deep jumps may go in nf_tables. */
export const JUMP_STACK_SIZE = 16;

/** Told of every step of a packet through a chain. */
export interface RuleTrace {
  /** A chain is entered. */
  enter(chain: Chain, how: 'hook' | 'jump' | 'goto'): void;
  /**
   * All of a rule matched.
   * @param verdict NF_*, or NFT_CONTINUE, NFT_JUMP, NFT_GOTO, NFT_RETURN
   * @param target where a jump or goto goes, else null
   */
  matched(chain: Chain, rule: Rule, index: number, verdict: number, target: Chain | null): void;
  /**
   * A rule did not match.
   * @param expr index of the expression that failed, `part` that of the part of the text, -1 if the rule has none
   */
  unmatched(chain: Chain, rule: Rule, index: number, expr: number, part: number): void;
  /** Whether a rule matches is not known. */
  unknown(chain: Chain, rule: Rule, index: number, expr: number, part: number, why: string): void;
  /** A chain that was jumped to came to its end, or a rule returned from it. */
  returned(chain: Chain): void;
  /** The policy of a base chain decided. */
  policy(chain: Chain, verdict: number): void;
}

/** Which part of a rule's text an expression belongs to, -1 if none. */
function partOf(rule: Rule, expr: number): number {
  let part = -1;
  for (let i = 0; i < rule.parts.length && rule.parts[i]!.first <= expr; i++) part = i;
  return part;
}

/** A packet's way through a base chain and the chains it reaches, rule by rule and expression by expression. */
class TraceRun {
  private readonly state: HookState;
  private readonly trace: RuleTrace;
  private readonly base: Chain;
  private readonly doubts: Doubts = new Doubts();
  private readonly stack: { chain: Chain; index: number }[] = [];
  private chain: Chain;
  private index = 0;

  constructor(base: Chain, state: HookState, trace: RuleTrace) {
    this.state = state;
    this.trace = trace;
    this.base = base;
    this.chain = base;
  }

  run(): number {
    this.trace.enter(this.base, 'hook');
    for (;;) {
      const rule = this.chain.rules[this.index];
      if (rule === undefined) {
        if (this.leave()) continue;
        return this.doubts.settle(this.state, this.policy());
      }
      const code = this.rule(rule);
      if (code === NFT_CONTINUE || code === NFT_BREAK) this.index++;
      else if (code === NFT_RETURN) {
        if (!this.leave()) return this.doubts.settle(this.state, this.policy());
      } else if (code === NFT_JUMP || code === NFT_GOTO) {
        if (!this.follow(code)) return NF_DROP;
      } else {
        this.state.chain = this.chain;
        this.state.rule = rule;
        return this.doubts.settle(this.state, code);
      }
    }
  }

  /** Evaluates one rule, and tells. */
  private rule(rule: Rule): number {
    const { state, trace, chain, index } = this;
    state.chain = chain;
    state.rule = rule;
    const target = rule.counters === null ? -1 : targetIndex(rule);
    let code = NFT_CONTINUE;
    for (let i = 0; i < rule.exprs.length && code === NFT_CONTINUE; i++) {
      if (i === target) count(rule, state);
      code = rule.exprs[i]!.eval(state);
      if (code === NFT_BREAK) trace.unmatched(chain, rule, index, i, partOf(rule, i));
      else if (code === NF_UNKNOWN) {
        trace.unknown(chain, rule, index, i, partOf(rule, i), state.unknown);
        return this.doubts.meet(state, chain, rule, i);
      }
    }
    if (code === NFT_BREAK) return code;
    if (target === rule.exprs.length) count(rule, state);
    const jumps = code === NFT_JUMP || code === NFT_GOTO;
    trace.matched(chain, rule, index, code, jumps ? state.target : null);
    return code;
  }

  private follow(code: number): boolean {
    if (code === NFT_JUMP) {
      if (this.base.table.backend === 'nft' && this.stack.length >= JUMP_STACK_SIZE) return false;
      this.stack.push({ chain: this.chain, index: this.index + 1 });
    }
    this.chain = this.state.target!;
    this.index = 0;
    this.trace.enter(this.chain, code === NFT_JUMP ? 'jump' : 'goto');
    return true;
  }

  /** Back to where the chain was jumped to from. Returns false if that was the hook. */
  private leave(): boolean {
    const back = this.stack.pop();
    if (back === undefined) return false;
    this.trace.returned(this.chain);
    this.chain = back.chain;
    this.index = back.index;
    return true;
  }

  private policy(): number {
    const { base, state } = this;
    const verdict = base.base?.policy ?? NF_ACCEPT;
    if (base.policyCounters !== null) {
      base.policyCounters.packets++;
      base.policyCounters.bytes += state.pkt.end - state.pkt.off;
    }
    state.chain = base;
    state.rule = null;
    this.trace.policy(base, verdict);
    return verdict;
  }
}

function count(rule: Rule, state: HookState): void {
  rule.counters!.packets++;
  rule.counters!.bytes += state.pkt.end - state.pkt.off;
}

/**
 * As {@link runChain}, and tells every step: slower, and for the same packet with the same result.
 * @returns the verdict
 */
export function traceChain(chain: Chain, state: HookState, trace: RuleTrace): number {
  return new TraceRun(chain, state, trace).run();
}
