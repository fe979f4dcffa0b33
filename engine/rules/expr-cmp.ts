import { type Expr, registerOffset } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { compareRegister } from './registers.ts';
import { NFT_BREAK, NFT_CONTINUE } from './verdict.ts';

/** NFT_CMP_EQ. */
export const NFT_CMP_EQ = 0;
/** NFT_CMP_NEQ. */
export const NFT_CMP_NEQ = 1;
/** NFT_CMP_LT. */
export const NFT_CMP_LT = 2;
/** NFT_CMP_LTE. */
export const NFT_CMP_LTE = 3;
/** NFT_CMP_GT. */
export const NFT_CMP_GT = 4;
/** NFT_CMP_GTE. */
export const NFT_CMP_GTE = 5;

/** `cmp`: a register against constant bytes, compared as big-endian numbers are: byte by byte from the first. */
export class CmpExpr implements Expr {
  readonly name = 'cmp';
  readonly sreg: number;
  readonly op: number;
  readonly data: Uint8Array;
  private readonly at: number;

  /** @param op NFT_CMP_* */
  constructor(sreg: number, op: number, data: Uint8Array) {
    this.sreg = sreg;
    this.op = op;
    this.data = data;
    this.at = registerOffset(sreg);
  }

  eval(state: HookState): number {
    return holds(this.op, compareRegister(state.regs, this.at, this.data)) ? NFT_CONTINUE : NFT_BREAK;
  }
}

function holds(op: number, difference: number): boolean {
  switch (op) {
    case NFT_CMP_EQ:
      return difference === 0;
    case NFT_CMP_NEQ:
      return difference !== 0;
    case NFT_CMP_LT:
      return difference < 0;
    case NFT_CMP_LTE:
      return difference <= 0;
    case NFT_CMP_GT:
      return difference > 0;
    default:
      return difference >= 0;
  }
}
