import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH } from './extension.ts';
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
  save: () => '',
  lower: () => [new TraceTarget()],
};
