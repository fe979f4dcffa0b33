import type { Expr } from '../rules/expr.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';

/** An xtables match that says yes or no. */
export abstract class XtMatch implements Expr {
  readonly name = 'match';

  /** Whether the packet is as the match wants it. Makes nothing. */
  abstract matches(state: HookState): boolean;

  eval(state: HookState): number {
    return this.matches(state) ? NFT_CONTINUE : NFT_BREAK;
  }
}

/** An xtables target that changes something and lets the packet go on (XT_CONTINUE). */
export abstract class XtChange implements Expr {
  readonly name = 'target';

  /** Does it. */
  abstract apply(state: HookState): void;

  eval(state: HookState): number {
    this.apply(state);
    return NFT_CONTINUE;
  }
}
