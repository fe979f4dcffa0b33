import { type Expr, registerOffset } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { NFT_CONTINUE } from './verdict.ts';

/** `immediate` with data: puts constant bytes into a register. Verdicts are {@link VerdictExpr}. */
export class ImmediateExpr implements Expr {
  readonly name = 'immediate';
  readonly dreg: number;
  readonly data: Uint8Array;
  private readonly at: number;
  private readonly padded: Uint8Array;

  /** @param data 1 to 64 bytes */
  constructor(dreg: number, data: Uint8Array) {
    this.dreg = dreg;
    this.data = data;
    this.at = registerOffset(dreg);
    this.padded = new Uint8Array((data.length + 3) & ~3);
    this.padded.set(data);
  }

  eval(state: HookState): number {
    state.regs.set(this.padded, this.at);
    return NFT_CONTINUE;
  }
}
