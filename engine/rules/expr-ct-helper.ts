import { F_KIND, F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import type { Helper } from '../conntrack/helper.ts';
import { IPS_CONFIRMED } from '../conntrack/status.ts';
import type { Expr } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { NFT_CONTINUE } from './verdict.ts';

/** A `ct helper` object: gives a flow that is not confirmed yet a helper. */
export class CtHelperExpr implements Expr {
  readonly name = 'ct helper';
  readonly helper: string;
  /** Transport protocol that the helper is for. */
  readonly proto: number;
  /** AF_* of the flows that get it. */
  readonly families: readonly number[];

  constructor(helper: string, proto: number, families: readonly number[]) {
    this.helper = helper;
    this.proto = proto;
    this.families = families;
  }

  eval(state: HookState): number {
    const { pkt, conntrack } = state;
    if (pkt.flow === 0) return NFT_CONTINUE;
    const at = pkt.flow * ROW_WORDS;
    const w = conntrack.table.words;
    if ((w[at + F_STATUS]! & IPS_CONFIRMED) !== 0) return NFT_CONTINUE;
    const kind = w[at + F_KIND]!;
    if ((kind & 255) !== this.proto || !this.families.includes(kind >>> 8)) return NFT_CONTINUE;
    const helper: Helper | null = conntrack.findHelper(this.helper, kind >>> 8, this.proto);
    if (helper !== null) conntrack.appoint(pkt.flow, helper);
    return NFT_CONTINUE;
  }
}
