import { IP_CT_UNTRACKED } from '../packet/packet.ts';
import type { Expr } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { NFT_CONTINUE } from './verdict.ts';

/** `notrack`: connection tracking leaves the packet alone. Without effect once it has a flow. */
export class NotrackExpr implements Expr {
  readonly name = 'notrack';

  eval(state: HookState): number {
    if (state.pkt.flow === 0 && state.conntrack.template === null) state.pkt.ctinfo = IP_CT_UNTRACKED;
    return NFT_CONTINUE;
  }
}
