import type { HookState } from './hook-state.ts';
import type { StatefulExpr } from './stateful.ts';
import { NFT_BREAK, NFT_CONTINUE } from './verdict.ts';

/** NFT_QUOTA_F_INV: `quota over`. */
export const NFT_QUOTA_F_INV = 1;

/** `quota`: matches until so many bytes have passed, or (over) from then on. */
export class QuotaExpr implements StatefulExpr {
  readonly name = 'quota';
  readonly quota: number;
  readonly flags: number;
  /** Bytes so far. */
  consumed: number;

  /** @param quota and `consumed` in bytes, `flags` NFT_QUOTA_F_* */
  constructor(quota: number, flags: number, consumed = 0) {
    this.quota = quota;
    this.flags = flags;
    this.consumed = consumed;
  }

  eval(state: HookState): number {
    this.consumed += state.pkt.end - state.pkt.off;
    const over = this.consumed > this.quota;
    return over === ((this.flags & NFT_QUOTA_F_INV) !== 0) ? NFT_CONTINUE : NFT_BREAK;
  }

  clone(): QuotaExpr {
    return new QuotaExpr(this.quota, this.flags);
  }
}
