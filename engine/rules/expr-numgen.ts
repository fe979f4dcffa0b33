import { reciprocalScale } from '../base/jhash.ts';
import { type Expr, registerOffset } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { store32 } from './registers.ts';
import { NFT_CONTINUE } from './verdict.ts';

/** NFT_NG_INCREMENTAL: 0, 1, 2 … and from the start again. */
export const NFT_NG_INCREMENTAL = 0;
/** NFT_NG_RANDOM. */
export const NFT_NG_RANDOM = 1;

/** `numgen`: a number from `offset` to `offset` + `modulus` - 1. */
export class NumgenExpr implements Expr {
  readonly name = 'numgen';
  readonly dreg: number;
  readonly type: number;
  readonly modulus: number;
  readonly offset: number;
  private readonly at: number;
  private next = 0;

  /** @param type NFT_NG_* */
  constructor(dreg: number, type: number, modulus: number, offset: number) {
    this.dreg = dreg;
    this.type = type;
    this.modulus = modulus;
    this.offset = offset;
    this.at = registerOffset(dreg);
  }

  eval(state: HookState): number {
    let number: number;
    if (this.type === NFT_NG_RANDOM) number = reciprocalScale(state.random.word(), this.modulus);
    else {
      number = this.next;
      this.next = number + 1 < this.modulus ? number + 1 : 0;
    }
    store32(state, this.at, number + this.offset);
    return NFT_CONTINUE;
  }
}
