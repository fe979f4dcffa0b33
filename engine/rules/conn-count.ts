import type { Conntrack } from '../conntrack/conntrack.ts';
import {
  F_DST,
  F_ID,
  F_KIND,
  F_PORTS,
  F_PROTO,
  F_SRC,
  F_STATUS,
  F_ZONES,
  ROW_WORDS,
} from '../conntrack/flow-table.ts';
import { IPS_CONFIRMED, IPS_DYING } from '../conntrack/status.ts';
import { T_DST, T_KIND, T_PORTS, T_SRC, T_ZONE, TUPLE_WORDS, type Tuple } from '../conntrack/tuple.ts';
import { AF_INET } from '../packet/packet.ts';
import { IPPROTO_TCP } from '../packet/protocols.ts';
import { TCP_CLOSE, TCP_TIME_WAIT } from '../proto/tcp-states.ts';
import { ctDirection } from './expr-ct.ts';
import type { HookState } from './hook-state.ts';

/** Milliseconds of the kernel's clock tick (HZ is 250). */
const JIFFY = 4;

/** Numbers of an entry: row and id of a flow (0 for none), and its original tuple, or that of a packet without flow. */
const ENTRY: number = 2 + TUPLE_WORDS;

const tupleScratch: Tuple = new Int32Array(TUPLE_WORDS);

/**
 * Counts connections that exist at the same time, as `ct count` and `connlimit` do (kernel: nf_conncount). Measured:
 * a connection is counted in with each packet that comes before it is confirmed, and once with packets in reply
 * direction, but not with those in original direction once it is confirmed; those that are gone, closed, or never were
 * confirmed are counted out by the first packet of a later clock tick; if that packet's own connection is counted, only
 * those before it. The kernel keeps tuples and looks them up: a packet that never got a flow counts as long as another
 * flow has its tuple (here: of IPv4 only).
 */
export class ConnCount {
  private readonly entries: number[] = [];
  /** Clock tick of the last look at all of them. */
  private looked: number = Number.NaN;

  /** How many connections there were when it was last asked. */
  get count(): number {
    return this.entries.length / ENTRY;
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
    if (confirmed || tick !== this.looked) this.collect(conntrack, confirmed ? pkt.flow : 0);
    if (confirmed && ctDirection(pkt) === 0) return this.count;
    const flow = pkt.flow === 0 ? flowOf(state) : pkt.flow;
    if (flow < 0) return -1;
    const id = words[flow * ROW_WORDS + F_ID]!;
    const again = tick === this.looked && !confirmed;
    if (!confirmed) this.looked = tick;
    if (again || flow === 0 || !this.has(flow, id)) this.push(conntrack, flow, id);
    return this.count;
  }

  /** Whether nothing that is counted is there any more, so that this count is as good as a new one. */
  isIdle({ conntrack, now }: HookState): boolean {
    if (Math.floor(now / JIFFY) === this.looked) return false;
    for (let i = 0; i < this.entries.length; i += ENTRY) if (this.isThere(conntrack, i)) return false;
    return true;
  }

  private has(flow: number, id: number): boolean {
    const { entries } = this;
    for (let i = 0; i < entries.length; i += ENTRY)
      if (entries[i] === flow && entries[i + 1] === id) return true;
    return false;
  }

  /** Notes a flow with its tuple, or the tuple that {@link flowOf} has just read. */
  private push(conntrack: Conntrack, flow: number, id: number): void {
    const { words } = conntrack.table;
    const row = flow * ROW_WORDS;
    if (flow !== 0) {
      tupleScratch[T_SRC] = words[row + F_SRC]!;
      tupleScratch[T_DST] = words[row + F_DST]!;
      tupleScratch[T_PORTS] = words[row + F_PORTS]!;
      tupleScratch[T_KIND] = words[row + F_KIND]!;
      tupleScratch[T_ZONE] = words[row + F_ZONES]! & 0xffff;
    }
    this.entries.push(flow, id);
    for (let i = 0; i < TUPLE_WORDS; i++) this.entries.push(tupleScratch[i]!);
  }

  /** Counts out those that are gone, as far as the entry of `own` (a flow; 0 for none): the kernel's search ends there. */
  private collect(conntrack: Conntrack, own: number): void {
    const { entries } = this;
    let kept = 0;
    let found = false;
    for (let i = 0; i < entries.length; i += ENTRY) {
      if (!found && !this.isThere(conntrack, i)) continue;
      found ||= own !== 0 && entries[i] === own;
      for (let k = 0; k < ENTRY; k++) entries[kept + k] = entries[i + k]!;
      kept += ENTRY;
    }
    entries.length = kept;
  }

  private isThere(conntrack: Conntrack, at: number): boolean {
    const { entries } = this;
    const flow = entries[at]!;
    if (flow !== 0 && isOpen(conntrack, flow, entries[at + 1]!)) return true;
    for (let i = 0; i < TUPLE_WORDS; i++) tupleScratch[i] = entries[at + 2 + i]!;
    // The number of an IPv6 address that no flow holds any more may be another's by now.
    if (tupleScratch[T_KIND]! >>> 8 !== AF_INET) return false;
    const found = conntrack.get(tupleScratch) >> 1;
    return found !== 0 && isOpen(conntrack, found, conntrack.table.words[found * ROW_WORDS + F_ID]!);
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
