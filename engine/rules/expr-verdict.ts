import type { Chain } from './chain.ts';
import type { Expr } from './expr.ts';
import type { HookState } from './hook-state.ts';

/** `immediate` into the verdict register: accept, drop, continue, return, jump, goto. */
export class VerdictExpr implements Expr {
  readonly name = 'immediate';
  /** NF_ACCEPT, NF_DROP, NFT_CONTINUE, NFT_RETURN, NFT_JUMP or NFT_GOTO. */
  readonly code: number;
  /** Where a jump or goto goes. */
  readonly chain: Chain | null;

  constructor(code: number, chain: Chain | null = null) {
    this.code = code;
    this.chain = chain;
  }

  eval(state: HookState): number {
    if (this.chain !== null) state.target = this.chain;
    return this.code;
  }
}
