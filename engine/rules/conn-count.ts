import type { Conntrack } from '../conntrack/conntrack.ts';
import { F_ID, F_KIND, F_PROTO, F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import { IPS_CONFIRMED, IPS_DYING } from '../conntrack/status.ts';
import { T_ZONE, TUPLE_WORDS, type Tuple } from '../conntrack/tuple.ts';
import { IPPROTO_TCP } from '../packet/protocols.ts';
import { TCP_CLOSE, TCP_TIME_WAIT } from '../proto/tcp-states.ts';
import { ctDirection } from './expr-ct.ts';
import type { HookState } from './hook-state.ts';

/** Milliseconds of the kernel's clock tick (HZ is 250). */
const JIFFY = 4;

const tupleScratch: Tuple = new Int32Array(TUPLE_WORDS);

/**
 * Counts connections that exist at the same time, as `ct count` and `connlimit` do (kernel: nf_conncount). Measured:
 * a connection is counted in with each packet that comes before it is confirmed, and once with packets in reply
 * direction, but not with those in original direction once it is confirmed; those that are gone, closed, or never were
 * confirmed are counted out by the first packet of a later clock tick.
 */
export class ConnCount {
  /** Row and id of each flow, two numbers a flow; a row that is another flow's by now has another id. */
  private readonly flows: number[] = [];
  /** Clock tick of the last look at all of them. */
  private looked: number = Number.NaN;

  /** How many connections there were when it was last asked. */
  get count(): number {
    return this.flows.length >> 1;
  }

  /**
   * Counts the packet's connection in, if it is a new one, and those out that are gone or closed.
   * @returns how many there are; -1 if the packet is such that nothing can be counted: the kernel drops it
   */
  add(state: HookState): number {
    const { conntrack, pkt } = state;
    const { words } = conntrack.table;
    const tick = Math.floor(state.now / JIFFY);
    const confirmed = pkt.flow !== 0 && (words[pkt.flow * ROW_WORDS + F_STATUS]! & IPS_CONFIRMED) !== 0;
    if (confirmed || tick !== this.looked) this.collect(conntrack);
    if (confirmed && ctDirection(pkt) === 0) return this.count;
    const flow = pkt.flow === 0 ? flowOf(state) : pkt.flow;
    if (flow < 0) return -1;
    const id = words[flow * ROW_WORDS + F_ID]!;
    const again = tick === this.looked && !confirmed;
    if (!confirmed) this.looked = tick;
    if (again || !this.has(flow, id)) this.flows.push(flow, id);
    return this.count;
  }

  private has(flow: number, id: number): boolean {
    const { flows } = this;
    for (let i = 0; i < flows.length; i += 2) if (flows[i] === flow && flows[i + 1] === id) return true;
    return false;
  }

  private collect(conntrack: Conntrack): void {
    const { flows } = this;
    let kept = 0;
    for (let i = 0; i < flows.length; i += 2) {
      if (!isOpen(conntrack, flows[i]!, flows[i + 1]!)) continue;
      flows[kept] = flows[i]!;
      flows[kept + 1] = flows[i + 1]!;
      kept += 2;
    }
    flows.length = kept;
  }
}

/** The flow that has the tuple of a packet without one all the same, 0 if there is none; -1 if it has no tuple. */
function flowOf({ conntrack, pkt }: HookState): number {
  if (pkt.l4 < 0) return -1;
  tupleScratch[T_ZONE] = pkt.zone;
  if (!conntrack.tupleOf(pkt.view, pkt.off, pkt.family, pkt.l4, pkt.end, pkt.proto, tupleScratch)) return -1;
  return conntrack.get(tupleScratch) >> 1;
}

/** Whether a flow is in the table, and not a TCP connection that was closed. */
function isOpen(conntrack: Conntrack, flow: number, id: number): boolean {
  const { words } = conntrack.table;
  const at = flow * ROW_WORDS;
  if (flow === 0 || words[at + F_ID] !== id) return false;
  if ((words[at + F_STATUS]! & (IPS_CONFIRMED | IPS_DYING)) !== IPS_CONFIRMED) return false;
  if ((words[at + F_KIND]! & 0xff) !== IPPROTO_TCP) return true;
  const state = words[at + F_PROTO]! & 0xff;
  return state !== TCP_TIME_WAIT && state !== TCP_CLOSE;
}
