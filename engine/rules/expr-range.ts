import { type Expr, registerOffset } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { compareRegister } from './registers.ts';
import { NFT_BREAK, NFT_CONTINUE } from './verdict.ts';

/** NFT_RANGE_EQ. */
export const NFT_RANGE_EQ = 0;
/** NFT_RANGE_NEQ. */
export const NFT_RANGE_NEQ = 1;

/** `range`: whether a register lies between two values, both included. */
export class RangeExpr implements Expr {
  readonly name = 'range';
  readonly sreg: number;
  readonly op: number;
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  private readonly at: number;

  /** @param op NFT_RANGE_* */
  constructor(sreg: number, op: number, from: Uint8Array, to: Uint8Array) {
    this.sreg = sreg;
    this.op = op;
    this.from = from;
    this.to = to;
    this.at = registerOffset(sreg);
  }

  eval(state: HookState): number {
    const { regs } = state;
    const inside =
      compareRegister(regs, this.at, this.from) >= 0 && compareRegister(regs, this.at, this.to) <= 0;
    return inside === (this.op === NFT_RANGE_EQ) ? NFT_CONTINUE : NFT_BREAK;
  }
}
