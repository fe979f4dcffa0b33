import { type Expr, registerOffset } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { toWords } from './registers.ts';
import { NFT_CONTINUE } from './verdict.ts';

/** `immediate` with data: puts constant bytes into a register. Verdicts are {@link VerdictExpr}. */
export class ImmediateExpr implements Expr {
  readonly name = 'immediate';
  readonly dreg: number;
  readonly data: Uint8Array;
  private readonly at: number;
  private readonly padded: readonly number[];

  /** @param data 1 to 64 bytes */
  constructor(dreg: number, data: Uint8Array) {
    this.dreg = dreg;
    this.data = data;
    this.at = registerOffset(dreg) >> 2;
    this.padded = toWords(data);
  }

  eval(state: HookState): number {
    const { padded, at } = this;
    for (let i = 0; i < padded.length; i++) state.words[at + i] = padded[i]!;
    return NFT_CONTINUE;
  }
}
