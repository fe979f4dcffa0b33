import { ConnCount } from './conn-count.ts';
import type { HookState } from './hook-state.ts';
import type { StatefulExpr } from './stateful.ts';
import { NF_DROP, NFT_BREAK, NFT_CONTINUE } from './verdict.ts';

/** NFT_CONNLIMIT_F_INV: `ct count over`. */
export const NFT_CONNLIMIT_F_INV = 1;

/** `connlimit` (`ct count`): matches while there are no more connections than so many, or (over) from then on. */
export class ConnlimitExpr implements StatefulExpr {
  readonly name = 'connlimit';
  readonly count: number;
  readonly flags: number;
  private readonly list: ConnCount = new ConnCount();

  /** @param flags NFT_CONNLIMIT_F_* */
  constructor(count: number, flags: number) {
    this.count = count;
    this.flags = flags;
  }

  eval(state: HookState): number {
    const count = this.list.add(state);
    if (count < 0) return NF_DROP;
    const over = count > this.count;
    return over === ((this.flags & NFT_CONNLIMIT_F_INV) !== 0) ? NFT_CONTINUE : NFT_BREAK;
  }

  clone(): ConnlimitExpr {
    return new ConnlimitExpr(this.count, this.flags);
  }
}
