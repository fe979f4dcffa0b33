import { CTINFO_NONE, IP_CT_UNTRACKED } from '../packet/packet.ts';
import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH } from './extension.ts';
import { XtChange } from './xt-match.ts';

class NotrackTarget extends XtChange {
  apply(state: HookState): void {
    const { pkt, conntrack } = state;
    if (pkt.flow === 0 && pkt.ctinfo === CTINFO_NONE && conntrack.template === null)
      pkt.ctinfo = IP_CT_UNTRACKED;
  }
}

/** `-j NOTRACK`: the packet is not tracked. */
export const TARGET_NOTRACK: Extension<null> = {
  kind: 'target',
  name: 'NOTRACK',
  families: XT_BOTH,
  tables: ['raw'],
  options: [],
  init: () => null,
  save: () => '',
  lower: () => [new NotrackTarget()],
};
