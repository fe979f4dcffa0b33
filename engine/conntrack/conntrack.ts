import { hashKey } from '../base/hash.ts';
import {
  R_CLASH,
  R_CLASH_RESOLVED,
  R_DELETED,
  R_EARLY_DROP,
  R_EXPIRED,
  R_FLUSHED,
  R_NO_INVERSE,
  R_NO_TRANSPORT,
  R_NO_TUPLE,
  R_TABLE_FULL,
} from '../base/reason.ts';
import {
  AF_INET,
  because,
  CTINFO_INVALID,
  CTINFO_NONE,
  IP_CT_ESTABLISHED,
  IP_CT_ESTABLISHED_REPLY,
  IP_CT_NEW,
  IP_CT_RELATED,
  type Packet,
} from '../packet/packet.ts';
import { IPPROTO_UDP, IPPROTO_UDPLITE } from '../packet/protocols.ts';
import { AddressPool } from './address-pool.ts';
import { type EventSink, IPCT_DESTROY, IPCT_NEW, IPCT_NEW_MASK, IPCT_RELATED, IPCT_REPLY } from './events.ts';
import { ExpiryWheel } from './expiry-wheel.ts';
import * as F from './flow-table.ts';
import type { Settings } from './settings.ts';
import * as S from './status.ts';
import {
  NO_ANSWER,
  TRACK_ACCEPT,
  TRACK_CONTINUE,
  TRACK_DROP,
  TRACK_REPEAT,
  type Tracker,
} from './tracker.ts';
import * as T from './tuple.ts';

const { ROW_WORDS } = F;
const TIMER = F.F_EXPIRES / 2;
/** How many flows early drop looks at. The kernel looks at eight buckets; measured: one to three are evicted. */
const EVICTION_RANGE = 64;
const EVENT_BITS = 0xffff;

/** Counts of what happened, with the names of `conntrack -S`. */
export interface Stats {
  found: number;
  invalid: number;
  insert: number;
  insert_failed: number;
  drop: number;
  early_drop: number;
  error: number;
  clash_resolve: number;
}

/**
 * Connection tracking: finds or makes the flow of each packet, lets its tracker advance it, keeps the table.
 * The caller says what time it is with every packet; time never runs backwards here.
 */
export class Conntrack {
  readonly settings: Settings;
  readonly table: F.FlowTable;
  readonly pool: AddressPool;
  readonly stats: Stats = {
    found: 0,
    invalid: 0,
    insert: 0,
    insert_failed: 0,
    drop: 0,
    early_drop: 0,
    error: 0,
    clash_resolve: 0,
  };
  /** Whole milliseconds: the time of the packet that is being handled. */
  now = 0;
  /** Told of every event, if anybody wants to know. */
  sink: EventSink | null = null;

  private readonly trackers: readonly Tracker[];
  private readonly wheel: ExpiryWheel;
  private readonly tupleScratch: T.Tuple = new Int32Array(T.TUPLE_WORDS);
  private readonly otherScratch: T.Tuple = new Int32Array(T.TUPLE_WORDS);
  private readonly evictable: (row: number) => boolean;
  private nextId = 1;
  private version = -1;
  private max = 0;
  private flags = 0;

  /**
   * @param trackers one for each of the 256 protocol numbers
   * @param seed keys the hash tables
   */
  constructor(settings: Settings, trackers: readonly Tracker[], seed: number) {
    this.settings = settings;
    this.trackers = trackers;
    const key = hashKey(seed);
    this.table = new F.FlowTable(key);
    this.pool = new AddressPool(key);
    this.wheel = new ExpiryWheel(this.table);
    this.evictable = (row) =>
      (this.table.words[row * ROW_WORDS + F.F_STATUS]! & (S.IPS_ASSURED | S.IPS_DYING)) === 0;
    this.configure();
  }

  /** Lets time pass: every flow whose timer ran out by `now` (ms) leaves the table, in order. */
  tick(now: number): void {
    const whole = Math.floor(now);
    if (whole <= this.now) return;
    this.now = whole;
    this.wheel.advance(whole, this);
  }

  /** When {@link tick} has something to do next at the earliest (ms), Infinity if never. */
  nextDue(): number {
    return this.wheel.nextDue();
  }

  /**
   * Tracks a whole IP packet as PREROUTING does at priority -200: sets its flow and ctinfo. A new flow is not
   * in the table until {@link confirm}.
   * @param pkt dissected, reassembled
   * @param now ms; a time before the last one counts as the last one
   * @returns false if the packet is to be dropped (table full)
   */
  track(pkt: Packet, now: number): boolean {
    this.tick(now);
    if (this.version !== this.settings.version) this.configure();
    if (pkt.l4 < 0) return this.invalid(pkt, R_NO_TRANSPORT);
    const tracker = this.trackers[pkt.proto]!;
    if (tracker.error !== null) {
      const verdict = tracker.error(this, pkt);
      if (verdict !== TRACK_CONTINUE) return this.judged(pkt, verdict);
    }
    return this.trackFlow(pkt, tracker);
  }

  /**
   * The end of a packet's way: a new flow enters the table, cached events go out.
   * @returns false if the packet is to be dropped: another flow took its tuple meanwhile
   */
  confirm(pkt: Packet): boolean {
    const flow = pkt.flow;
    if (flow === 0) return true;
    const at = flow * ROW_WORDS;
    const w = this.table.words;
    const status = w[at + F.F_STATUS]!;
    if ((status & S.IPS_DYING) !== 0) return true;
    if ((status & S.IPS_CONFIRMED) === 0 && !this.insert(pkt, flow)) return false;
    this.deliver(pkt.flow);
    return true;
  }

  /** The packet was dropped on its way: a flow that it made is gone. */
  abandon(pkt: Packet): void {
    const flow = pkt.flow;
    if (
      flow !== 0 &&
      (this.table.words[flow * ROW_WORDS + F.F_STATUS]! & (S.IPS_CONFIRMED | S.IPS_DYING)) === 0
    )
      this.discard(flow);
  }

  /**
   * Finds the flow of a tuple that was written down elsewhere, as `conntrack -G` does.
   * @returns flow << 1 | direction, or 0
   */
  get(t: T.Tuple): number {
    return this.table.find(t);
  }

  /** Removes a flow from the table. */
  delete(flow: number): void {
    this.destroy(flow, R_DELETED, this.now);
  }

  /** Removes every flow. */
  flush(): void {
    this.eachFlow((flow) => this.destroy(flow, R_FLUSHED, this.now));
  }

  /** Calls `visit` for each flow in the table, oldest row first. It may delete the flow it is given. */
  eachFlow(visit: (flow: number) => void): void {
    for (let row = 1; row < this.table.limit; row++) if (this.isConfirmed(row)) visit(row);
  }

  /** Sets the time that a flow has left (ms), as `conntrack -U -t` does. */
  setTimeout(flow: number, left: number): void {
    const at = flow * (ROW_WORDS / 2) + TIMER;
    const before = this.table.doubles[at]!;
    this.table.doubles[at] = this.now + left;
    this.wheel.moved(flow, before, this.now + left);
  }

  /** Sets a flow's mark. */
  setMark(flow: number, mark: number): void {
    this.table.words[flow * ROW_WORDS + F.F_MARK] = mark;
  }

  // What trackers call.

  /**
   * A packet of a flow was accepted: starts its timer anew and counts it (nf_ct_refresh_acct).
   * @param timeout ms
   */
  refresh(flow: number, pkt: Packet, dir: number, timeout: number): void {
    const { words, doubles } = this.table;
    const at = flow * ROW_WORDS;
    const status = words[at + F.F_STATUS]!;
    if ((status & S.IPS_FIXED_TIMEOUT) === 0) {
      const timer = flow * (ROW_WORDS / 2) + TIMER;
      if ((status & S.IPS_CONFIRMED) === 0) doubles[timer] = timeout;
      else {
        const before = doubles[timer]!;
        const due = this.now + timeout;
        doubles[timer] = due;
        if (due < before) this.wheel.moved(flow, before, due);
      }
    }
    if ((words[at + F.F_EVENTS]! & F.FLAG_ACCT) !== 0) this.account(flow, pkt, dir);
  }

  /** Counts a packet without touching the timer. */
  account(flow: number, pkt: Packet, dir: number): void {
    if ((this.table.words[flow * ROW_WORDS + F.F_EVENTS]! & F.FLAG_ACCT) === 0) return;
    const counters = this.table.counters!;
    const at = flow * 4 + dir * 2;
    counters[at]!++;
    counters[at + 1]! += pkt.end - pkt.off;
  }

  /** Milliseconds that a confirmed flow has left. */
  left(flow: number): number {
    return this.table.doubles[flow * (ROW_WORDS / 2) + TIMER]! - this.now;
  }

  /** Caches an event until the packet has come to its end. */
  cacheEvent(flow: number, events: number): void {
    this.table.words[flow * ROW_WORDS + F.F_EVENTS]! |= events;
  }

  /** Removes a flow because of the packet that is being handled (nf_ct_kill). */
  kill(flow: number, reason: number): void {
    this.destroy(flow, reason, this.now);
  }

  /**
   * Writes the tuple of a packet, or of a packet quoted in another.
   * @param off first byte of its IP header
   * @param l4 first byte of its transport header
   * @param end first byte past it
   * @returns false if it has none
   */
  tupleOf(
    view: DataView,
    off: number,
    family: number,
    l4: number,
    end: number,
    proto: number,
    out: T.Tuple,
  ): boolean {
    if (family === AF_INET) {
      out[T.T_SRC] = view.getInt32(off + 12);
      out[T.T_DST] = view.getInt32(off + 16);
    } else {
      out[T.T_SRC] = this.pool.find(view, off + 8);
      out[T.T_DST] = this.pool.find(view, off + 24);
    }
    out[T.T_KIND] = proto | (family << 8);
    return this.trackers[proto]!.tuple(view, l4, end, out);
  }

  /** The tracker of a protocol. */
  tracker(proto: number): Tracker {
    return this.trackers[proto]!;
  }

  /** Called by the expiry wheel. */
  expire(row: number, at: number): void {
    this.destroy(row, R_EXPIRED, at);
  }

  private trackFlow(pkt: Packet, tracker: Tracker): boolean {
    for (;;) {
      const hit = this.resolve(pkt, tracker);
      if (hit === 0) return pkt.ctinfo !== CTINFO_NONE;
      const flow = hit >> 1;
      const dir = hit & 1;
      const verdict = tracker.packet(this, pkt, flow, dir);
      if (verdict === TRACK_ACCEPT) {
        if (pkt.ctinfo === IP_CT_ESTABLISHED_REPLY) this.seenReply(flow);
        return true;
      }
      if (verdict !== TRACK_REPEAT) {
        if (!this.isConfirmed(flow)) this.discard(flow);
        return this.judged(pkt, verdict);
      }
    }
  }

  /** Finds or makes the packet's flow (resolve_normal_ct). Returns flow << 1 | direction, or 0 with a reason. */
  private resolve(pkt: Packet, tracker: Tracker): number {
    const t = this.tupleScratch;
    if (!this.tupleOf(pkt.view, pkt.off, pkt.family, pkt.l4, pkt.end, pkt.proto, t)) {
      if (pkt.reason === 0) because(pkt, R_NO_TUPLE);
      this.invalid(pkt, pkt.reason);
      return 0;
    }
    t[T.T_ZONE] = pkt.zone;
    const hit = this.table.find(t);
    if (hit === 0) return this.open(pkt, tracker, t);
    pkt.flow = hit >> 1;
    if ((hit & 1) !== 0) pkt.ctinfo = IP_CT_ESTABLISHED_REPLY;
    else {
      const status = this.table.words[(hit >> 1) * ROW_WORDS + F.F_STATUS]!;
      if ((status & S.IPS_SEEN_REPLY) !== 0) pkt.ctinfo = IP_CT_ESTABLISHED;
      else pkt.ctinfo = (status & S.IPS_EXPECTED) !== 0 ? IP_CT_RELATED : IP_CT_NEW;
    }
    return hit;
  }

  /** Makes an unconfirmed flow (init_conntrack). */
  private open(pkt: Packet, tracker: Tracker, t: T.Tuple): number {
    const reply = tracker.invert(t[T.T_PORTS]!);
    if (reply === NO_ANSWER) {
      this.invalid(pkt, R_NO_INVERSE, (t[T.T_PORTS]! >> 8) & 255);
      return 0;
    }
    if (this.max !== 0 && this.table.count >= this.max && !this.earlyDrop(t)) {
      this.stats.drop++;
      because(pkt, R_TABLE_FULL, this.max);
      pkt.ctinfo = CTINFO_NONE;
      return 0;
    }
    const flow = this.table.alloc();
    this.writeTuples(flow, pkt, t, reply);
    pkt.flow = flow;
    pkt.ctinfo = IP_CT_NEW;
    return flow << 1;
  }

  private writeTuples(flow: number, pkt: Packet, t: T.Tuple, replyPorts: number): void {
    const w = this.table.words;
    const at = flow * ROW_WORDS;
    const v6 = pkt.family !== AF_INET;
    const src = v6 ? this.holdAddress(pkt.view, pkt.off + 8) : t[T.T_SRC]!;
    const dst = v6 ? this.holdAddress(pkt.view, pkt.off + 24) : t[T.T_DST]!;
    w[at + F.F_SRC] = src;
    w[at + F.F_DST] = dst;
    w[at + F.F_PORTS] = t[T.T_PORTS]!;
    w[at + F.F_RSRC] = dst;
    w[at + F.F_RDST] = src;
    w[at + F.F_RPORTS] = replyPorts;
    w[at + F.F_KIND] = t[T.T_KIND]!;
    w[at + F.F_ZONES] = pkt.zone | (pkt.zone << 16);
    w[at + F.F_ID] = this.nextId++;
    w[at + F.F_EVENTS] = this.flags;
    if ((this.flags & F.FLAG_ACCT) !== 0) this.table.wantCounters().fill(0, flow * 4, flow * 4 + 4);
  }

  private holdAddress(view: DataView, at: number): number {
    const handle = this.pool.intern(
      view.getInt32(at),
      view.getInt32(at + 4),
      view.getInt32(at + 8),
      view.getInt32(at + 12),
    );
    this.pool.hold(handle);
    return handle;
  }

  /** Enters a new flow into the table (__nf_conntrack_confirm). */
  private insert(pkt: Packet, flow: number): boolean {
    const rival = this.rivalOf(flow);
    if (rival !== 0) return this.resolveClash(pkt, flow, rival);
    const { words, doubles } = this.table;
    const at = flow * ROW_WORDS;
    words[at + F.F_STATUS]! |= S.IPS_CONFIRMED;
    doubles[flow * (ROW_WORDS / 2) + TIMER]! += this.now;
    if ((words[at + F.F_EVENTS]! & F.FLAG_TSTAMP) !== 0) this.table.wantStarts()[flow] = this.now;
    this.table.insert(flow);
    this.wheel.add(flow);
    this.stats.insert++;
    this.cacheEvent(flow, words[at + F.F_MASTER] === 0 ? IPCT_NEW : IPCT_RELATED);
    return true;
  }

  /** A flow in the table that holds one of the two tuples of an unconfirmed one, or 0. */
  private rivalOf(flow: number): number {
    const w = this.table.words;
    const at = flow * ROW_WORDS;
    const t = this.otherScratch;
    t[T.T_KIND] = w[at + F.F_KIND]!;
    for (let dir = 0; dir < 2; dir++) {
      t[T.T_SRC] = w[at + F.F_SRC + dir * 3]!;
      t[T.T_DST] = w[at + F.F_DST + dir * 3]!;
      t[T.T_PORTS] = w[at + F.F_PORTS + dir * 3]!;
      t[T.T_ZONE] = dir === 0 ? w[at + F.F_ZONES]! & 0xffff : w[at + F.F_ZONES]! >>> 16;
      const hit = this.table.find(t);
      if (hit !== 0) return hit >> 1;
    }
    return 0;
  }

  /**
   * Two packets of one new flow were under way at once. Of UDP, the later packet joins the flow that won if
   * both flows are the same in both directions; every other loser is dropped (nf_ct_resolve_clash).
   */
  private resolveClash(pkt: Packet, flow: number, rival: number): boolean {
    const proto = pkt.proto;
    if ((proto === IPPROTO_UDP || proto === IPPROTO_UDPLITE) && this.sameTuples(flow, rival)) {
      this.discard(flow);
      pkt.flow = rival;
      because(pkt, R_CLASH_RESOLVED, this.table.words[rival * ROW_WORDS + F.F_ID]!);
      this.stats.clash_resolve++;
      return true;
    }
    because(pkt, R_CLASH, this.table.words[rival * ROW_WORDS + F.F_ID]!);
    this.discard(flow);
    pkt.flow = 0;
    this.stats.insert_failed++;
    this.stats.drop++;
    return false;
  }

  private sameTuples(a: number, b: number): boolean {
    const w = this.table.words;
    for (let i = F.F_SRC; i <= F.F_ZONES; i++)
      if (w[a * ROW_WORDS + i] !== w[b * ROW_WORDS + i]) return false;
    return true;
  }

  private earlyDrop(t: T.Tuple): boolean {
    const victim = this.table.near(t, EVICTION_RANGE, this.evictable);
    if (victim === 0) return false;
    this.stats.early_drop++;
    this.destroy(victim, R_EARLY_DROP, this.now);
    return true;
  }

  private destroy(flow: number, reason: number, at: number): void {
    this.table.words[flow * ROW_WORDS + F.F_STATUS]! |= S.IPS_DYING;
    if (this.sink !== null) this.sink.event(flow, IPCT_DESTROY, at, reason);
    if (this.isConfirmed(flow)) {
      this.wheel.remove(flow);
      this.table.remove(flow);
    }
    this.discard(flow);
  }

  /** Frees a row that is in no list. */
  private discard(flow: number): void {
    const w = this.table.words;
    const at = flow * ROW_WORDS;
    if (w[at + F.F_KIND]! >>> 8 !== AF_INET) {
      this.pool.release(w[at + F.F_SRC]!);
      this.pool.release(w[at + F.F_DST]!);
    }
    w[at + F.F_STATUS]! = (w[at + F.F_STATUS]! | S.IPS_DYING) & ~S.IPS_CONFIRMED;
    this.table.release(flow);
  }

  private isConfirmed(flow: number): boolean {
    return (this.table.words[flow * ROW_WORDS + F.F_STATUS]! & S.IPS_CONFIRMED) !== 0;
  }

  private seenReply(flow: number): void {
    const at = flow * ROW_WORDS + F.F_STATUS;
    const w = this.table.words;
    if ((w[at]! & S.IPS_SEEN_REPLY) !== 0) return;
    w[at]! |= S.IPS_SEEN_REPLY;
    this.cacheEvent(flow, IPCT_REPLY);
  }

  private deliver(flow: number): void {
    const at = flow * ROW_WORDS + F.F_EVENTS;
    const w = this.table.words;
    const events = w[at]! & EVENT_BITS;
    if (events === 0) return;
    w[at]! &= ~EVENT_BITS;
    if (this.sink !== null) this.sink.event(flow, events, this.now, 0);
  }

  private judged(pkt: Packet, verdict: number): boolean {
    if (verdict === TRACK_ACCEPT) return true;
    this.invalid(pkt, pkt.reason, pkt.operands[0], pkt.operands[1], pkt.operands[2]);
    return verdict !== TRACK_DROP;
  }

  private invalid(pkt: Packet, reason: number, a = 0, b = 0, c = 0): true {
    because(pkt, reason, a, b, c);
    pkt.flow = 0;
    pkt.ctinfo = CTINFO_INVALID;
    this.stats.invalid++;
    return true;
  }

  private configure(): void {
    const s = this.settings;
    this.version = s.version;
    this.max = s.get('nf_conntrack_max');
    this.flags =
      (s.get('nf_conntrack_acct') ? F.FLAG_ACCT : 0) | (s.get('nf_conntrack_timestamp') ? F.FLAG_TSTAMP : 0);
    for (const tracker of new Set(this.trackers)) tracker.configure(s);
  }
}

/** Whether an event mask is announced as NEW rather than as an update. */
export function isNewEvent(events: number): boolean {
  return (events & IPCT_NEW_MASK) !== 0;
}
