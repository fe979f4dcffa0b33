import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { XtChange } from './xt-match.ts';

class TraceTarget extends XtChange {
  apply(state: HookState): void {
    state.pkt.nftrace = 1;
  }
}

/** `-j TRACE`: from here on every rule that matches the packet is logged. */
export const TARGET_TRACE: Extension<null> = {
  kind: 'target',
  name: 'TRACE',
  families: XT_BOTH,
  options: [],
  init: () => null,
  check: (_, { backend, table }) => {
    // iptables-nft makes `meta nftrace set 1` of it, which works everywhere.
    if (backend === 'legacy' && table !== 'raw')
      throw new XtError(`TRACE target: only valid in raw table, not ${table}`);
  },
  save: () => '',
  lower: () => [new TraceTarget()],
};
