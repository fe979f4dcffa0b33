import { F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import { IPS_HELPER } from '../conntrack/status.ts';
import type { Expr } from './expr.ts';
import { flowNotes } from './flow-notes.ts';
import type { HookState } from './hook-state.ts';
import { NFT_CONTINUE } from './verdict.ts';

/** A `ct helper` object: assigns a helper to a flow that is not confirmed yet. Until helpers exist only its name. */
export class CtHelperExpr implements Expr {
  readonly name = 'ct helper';
  readonly helper: string;
  /** Transport protocol that the helper is for. */
  readonly proto: number;

  constructor(helper: string, proto: number) {
    this.helper = helper;
    this.proto = proto;
  }

  eval(state: HookState): number {
    const { pkt, conntrack } = state;
    if (pkt.flow === 0 || pkt.proto !== this.proto) return NFT_CONTINUE;
    const at = pkt.flow * ROW_WORDS + F_STATUS;
    const words = conntrack.table.words;
    if ((words[at]! & IPS_HELPER) !== 0) return NFT_CONTINUE;
    flowNotes(conntrack).setHelper(pkt.flow, this.helper);
    words[at]! |= IPS_HELPER;
    return NFT_CONTINUE;
  }
}
