import { type Conntrack, F_KIND, protocolName, ROW_WORDS } from '@keepstate/engine';
import type { States } from '../control/protocol.ts';
import { eachFlowInSlices } from './rows.ts';

/** A count is good for so long (ms). */
const FRESH = 1000;

/** Counts flows by protocol and state, in slices, and not more often than once a second. */
export class Census {
  private readonly conntrack: Conntrack;
  private states: States = {};
  private taken: number = Number.NEGATIVE_INFINITY;
  private under: Promise<States> | null = null;

  constructor(conntrack: Conntrack) {
    this.conntrack = conntrack;
  }

  /** The flows by protocol and state, as of at most a second ago. */
  take(): Promise<States> {
    if (performance.now() - this.taken < FRESH) return Promise.resolve(this.states);
    this.under ??= this.count().finally(() => {
      this.under = null;
    });
    return this.under;
  }

  private async count(): Promise<States> {
    const { conntrack } = this;
    const byProtocol = new Map<number, Map<string, number>>();
    await eachFlowInSlices(conntrack, (row) => {
      const proto = conntrack.table.words[row * ROW_WORDS + F_KIND]! & 255;
      const state = conntrack.tracker(proto).state(conntrack, row) ?? '';
      let counts = byProtocol.get(proto);
      if (counts === undefined) {
        counts = new Map();
        byProtocol.set(proto, counts);
      }
      counts.set(state, (counts.get(state) ?? 0) + 1);
    });
    const states: Record<string, Record<string, number>> = {};
    for (const [proto, counts] of [...byProtocol].sort((a, b) => a[0] - b[0])) {
      // Several protocols are called unknown.
      const name = protocolName(proto);
      const of = states[name] ?? {};
      states[name] = of;
      for (const [state, n] of counts) of[state] = (of[state] ?? 0) + n;
    }
    this.states = states;
    this.taken = performance.now();
    return states;
  }
}
