import { type Expr, registerOffset } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { NFT_META_MARK, NFT_META_NFTRACE, NFT_META_PKTTYPE, NFT_META_PRIORITY } from './meta-keys.ts';
import { NFT_CONTINUE } from './verdict.ts';

/** PACKET_OTHERHOST: the last type that `meta pkttype set` may give or change. */
const LAST_TYPE = 3;

/** `meta … set`: changes a fact about the packet. */
export class MetaSetExpr implements Expr {
  readonly name = 'meta';
  readonly sreg: number;
  readonly key: number;
  private readonly at: number;

  /** @param key NFT_META_MARK, _PRIORITY, _PKTTYPE, _NFTRACE or _SECMARK (which nothing here reads) */
  constructor(sreg: number, key: number) {
    this.sreg = sreg;
    this.key = key;
    this.at = registerOffset(sreg);
  }

  eval(state: HookState): number {
    const { pkt, regs, regView } = state;
    switch (this.key) {
      case NFT_META_MARK:
        pkt.mark = regView.getInt32(this.at, true);
        break;
      case NFT_META_PRIORITY:
        pkt.priority = regView.getInt32(this.at, true);
        break;
      case NFT_META_PKTTYPE: {
        const type = regs[this.at]!;
        if (type <= LAST_TYPE && pkt.pkttype <= LAST_TYPE) pkt.pkttype = type;
        break;
      }
      case NFT_META_NFTRACE:
        pkt.nftrace = regs[this.at]! === 0 ? 0 : 1;
        break;
    }
    return NFT_CONTINUE;
  }
}
