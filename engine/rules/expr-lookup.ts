import { type Expr, registerOffset } from './expr.ts';
import type { HookState } from './hook-state.ts';
import type { RuleSet } from './set.ts';
import { NFT_BREAK, NFT_CONTINUE } from './verdict.ts';

/** NFT_REG_VERDICT: where a verdict map puts what it finds. */
export const NFT_REG_VERDICT = 0;

/** `lookup`: whether a register is in a set, and of a map what belongs to it. */
export class LookupExpr implements Expr {
  readonly name = 'lookup';
  readonly set: RuleSet;
  readonly sreg: number;
  readonly dreg: number | null;
  readonly invert: boolean;
  private readonly from: number;
  private readonly to: number;

  /** @param dreg where a map's value goes, NFT_REG_VERDICT for a verdict map, null for a set */
  constructor(set: RuleSet, sreg: number, dreg: number | null = null, invert = false) {
    this.set = set;
    this.sreg = sreg;
    this.dreg = dreg;
    this.invert = invert;
    this.from = registerOffset(sreg) >> 2;
    this.to = dreg === null || dreg === NFT_REG_VERDICT ? -1 : registerOffset(dreg) >> 2;
  }

  eval(state: HookState): number {
    const { set } = this;
    const row = set.find(state, this.from);
    if (row < 0) return this.invert ? NFT_CONTINUE : NFT_BREAK;
    if (this.invert) return NFT_BREAK;
    if (this.to >= 0) set.copyData(row, state, this.to);
    const exprs = set.exprs(row);
    for (let i = 0; i < exprs.length; i++) if (exprs[i]!.eval(state) === NFT_BREAK) return NFT_BREAK;
    return this.dreg === NFT_REG_VERDICT ? set.verdict(row)!.eval(state) : NFT_CONTINUE;
  }
}
