import { IPCT_MARK } from '../conntrack/events.ts';
import { F_MARK, ROW_WORDS } from '../conntrack/flow-table.ts';
import { BARE_TEMPLATE } from '../conntrack/helper.ts';
import { CTINFO_NONE } from '../packet/packet.ts';
import * as C from './ct-keys.ts';
import { type Expr, registerOffset } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { NFT_CONTINUE } from './verdict.ts';

/** `ct … set`: changes a fact about the packet's flow. A packet without one is left alone. */
export class CtSetExpr implements Expr {
  readonly name = 'ct';
  readonly sreg: number;
  readonly key: number;
  readonly dir: number;
  private readonly at: number;

  /**
   * @param key NFT_CT_MARK, _LABELS, _ZONE, _EVENTMASK or _SECMARK
   * @param dir for a zone: 0 or 1 for one direction only, else -1
   */
  constructor(sreg: number, key: number, dir = -1) {
    this.sreg = sreg;
    this.key = key;
    this.dir = dir;
    this.at = registerOffset(sreg);
  }

  eval(state: HookState): number {
    const { pkt } = state;
    if (this.key === C.NFT_CT_ZONE) return this.zone(state);
    if (pkt.flow === 0) return NFT_CONTINUE;
    if (this.key === C.NFT_CT_MARK) setFlowMark(state, state.regView.getInt32(this.at, true));
    else if (this.key === C.NFT_CT_LABELS) {
      const labels = state.conntrack.labels(pkt.flow);
      // Measured: what is set is added to the labels that there are.
      for (let i = 0; i < 4; i++) labels[i]! |= state.words[(this.at >> 2) + i]!;
    }
    return NFT_CONTINUE;
  }

  /** Before tracking: which zone the packet is tracked in. Later it changes nothing. */
  private zone(state: HookState): number {
    const { pkt } = state;
    if (pkt.flow === 0 && pkt.ctinfo === CTINFO_NONE)
      state.conntrack.prepare(pkt, BARE_TEMPLATE, state.regView.getUint16(this.at, true), this.dir);
    return NFT_CONTINUE;
  }
}

/** Sets the mark of the packet's flow, and notes the event if it is another one. */
export function setFlowMark(state: HookState, mark: number): void {
  const { conntrack, pkt } = state;
  const words = conntrack.table.words;
  const at = pkt.flow * ROW_WORDS + F_MARK;
  if (words[at] === mark) return;
  words[at] = mark;
  conntrack.cacheEvent(pkt.flow, IPCT_MARK);
}
