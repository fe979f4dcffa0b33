import type { HookState } from './hook-state.ts';
import type { StatefulExpr } from './stateful.ts';
import { NFT_CONTINUE } from './verdict.ts';

/** `last`: remembers when a packet came here last. */
export class LastExpr implements StatefulExpr {
  readonly name = 'last';
  /** Virtual time (ms), NaN if never. */
  used: number = Number.NaN;

  eval(state: HookState): number {
    this.used = state.now;
    return NFT_CONTINUE;
  }

  clone(): LastExpr {
    return new LastExpr();
  }
}
