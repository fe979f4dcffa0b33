import type { Conntrack } from '../conntrack/conntrack.ts';
import { F_ID, F_KIND, F_PROTO, F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import { IPS_CONFIRMED, IPS_DYING } from '../conntrack/status.ts';
import { IPPROTO_TCP } from '../packet/protocols.ts';
import { TCP_CLOSE, TCP_TIME_WAIT } from '../proto/tcp-states.ts';
import type { HookState } from './hook-state.ts';

/** Counts connections that exist at the same time, as `ct count` and `connlimit` do (kernel: nf_conncount). */
export class ConnCount {
  /** Row and id of each flow, two numbers a flow; a row that is another flow's has another id. */
  private flows: number[] = [];

  /** How many connections there were when it was last asked. */
  get count(): number {
    return this.flows.length >> 1;
  }

  /**
   * Counts the packet's connection in, if it is not yet, and those out that are gone or closed.
   * @returns how many there are with it
   */
  add(state: HookState): number {
    const { conntrack, pkt } = state;
    const { flows } = this;
    const id = pkt.flow === 0 ? 0 : conntrack.table.words[pkt.flow * ROW_WORDS + F_ID]!;
    let kept = 0;
    let known = false;
    for (let i = 0; i < flows.length; i += 2) {
      const own = flows[i] === pkt.flow && flows[i + 1] === id;
      if (own) known = true;
      else if (!isOpen(conntrack, flows[i]!, flows[i + 1]!)) continue;
      flows[kept] = flows[i]!;
      flows[kept + 1] = flows[i + 1]!;
      kept += 2;
    }
    flows.length = kept;
    // A packet without flow counts for itself, but leaves nothing behind.
    if (pkt.flow === 0) return (kept >> 1) + 1;
    if (!known) flows.push(pkt.flow, id);
    return flows.length >> 1;
  }
}

/** Whether a flow is still in the table, and not a TCP connection that was closed. */
function isOpen(conntrack: Conntrack, flow: number, id: number): boolean {
  const { words } = conntrack.table;
  const at = flow * ROW_WORDS;
  if (words[at + F_ID] !== id) return false;
  if ((words[at + F_STATUS]! & (IPS_CONFIRMED | IPS_DYING)) !== IPS_CONFIRMED) return false;
  if ((words[at + F_KIND]! & 0xff) !== IPPROTO_TCP) return true;
  const state = words[at + F_PROTO]! & 0xff;
  return state !== TCP_TIME_WAIT && state !== TCP_CLOSE;
}
