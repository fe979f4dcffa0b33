import { hashKey } from '../base/hash.ts';
import { Random } from '../base/random.ts';
import { R_DELETED, R_EXPIRED, R_FLUSHED } from '../base/reason.ts';
import { AF_INET, type Packet } from '../packet/packet.ts';
import { AddressPool } from './address-pool.ts';
import { BySource } from './by-source.ts';
import { type EventSink, IPCT_DESTROY, IPCT_NEW, IPCT_RELATED, IPCT_REPLY } from './events.ts';
import { Expectations } from './expectations.ts';
import { BLOCK, ExpiryWheel } from './expiry-wheel.ts';
import * as F from './flow-table.ts';
import * as S from './status.ts';
import * as T from './tuple.ts';

const TIMER = F.F_EXPIRES / 2;
/** The latest time (ms) that ECMAScript's dates know; whole numbers are exact up to there. */
const MAX_TIME = 8.64e15;

/** Counts of what happened, with the names of `conntrack -S`. */
export interface Stats {
  found: number;
  invalid: number;
  /** Flows that were made by command: Linux does not count those that packets make (measured). */
  insert: number;
  /** Ours: all flows that entered the table. */
  created: number;
  insert_failed: number;
  drop: number;
  early_drop: number;
  error: number;
  clash_resolve: number;
}

/**
 * The life of flows: made unconfirmed, entered into the table, refreshed by packets, expired or removed. What
 * there is of each packet's way is in {@link Conntrack}, which adds to this.
 */
export class Flows {
  readonly table: F.FlowTable;
  readonly pool: AddressPool;
  /** Flows that are expected. */
  readonly expectations: Expectations;
  /** Whatever Linux draws at random while it handles flows: ports that take the place of others. */
  readonly random: Random;
  /** Flows whose source translation was decided, by who opened them. */
  readonly bySource: BySource;
  readonly stats: Stats = {
    found: 0,
    invalid: 0,
    insert: 0,
    created: 0,
    insert_failed: 0,
    drop: 0,
    early_drop: 0,
    error: 0,
    clash_resolve: 0,
  };
  /** Whole milliseconds: the time of the packet that is being handled. */
  now = 0;
  /** How the last translation was chosen: NAT_* of nat/choice.ts. */
  natChoice = 0;
  /** Told of every event, if anybody wants to know. */
  sink: EventSink | null = null;

  /** F.FLAG_* of new flows. */
  protected newFlags = 0;
  protected readonly wheel: ExpiryWheel;
  private readonly rivalScratch: T.Tuple = new Int32Array(T.TUPLE_WORDS);
  /** Flows whose timer was set to what has already passed: gone before the next packet, even at the same time. */
  private readonly overdue: number[] = [];
  /** Until when time is to pass (ms). A field, because V8 boxes numbers of that size in a call. */
  private wanted: number = Number.NaN;
  /** When the flow that is being removed came to its end (ms); a field for the same reason. */
  private moment: number = Number.NaN;
  protected nextId = 1;

  /** @param seed keys the hash tables */
  constructor(seed: number) {
    const key = hashKey(seed);
    this.table = new F.FlowTable(key);
    this.pool = new AddressPool(key);
    this.expectations = new Expectations(this.pool);
    this.random = new Random(seed);
    this.bySource = new BySource(this.table);
    this.wheel = new ExpiryWheel(this.table);
  }

  /**
   * Lets time pass: every flow whose timer ran out by `now` (ms) leaves the table, in order. A time before the
   * last one, or one that no date can have, counts as the last one.
   */
  tick(now: number): void {
    this.wanted = now;
    this.catchUp();
  }

  /** Lets time pass up to a packet. Most come within the same millisecond as the one before. */
  tickTo(pkt: Packet): void {
    if (pkt.time < this.now + 1 && this.overdue.length === 0) return;
    this.wanted = pkt.time;
    this.catchUp();
  }

  private catchUp(): void {
    if (this.overdue.length > 0) this.expireOverdue();
    if (!(this.wanted >= this.now + 1 && this.wanted <= MAX_TIME)) return;
    const target = Math.floor(this.wanted);
    while (this.expectations.nextDue <= target) {
      this.now = Math.max(this.now, this.expectations.nextDue);
      this.wheel.advance(this);
      this.giveUp();
    }
    this.now = target;
    this.wheel.advance(this);
  }

  /** Gives up what was expected by {@link now}. */
  protected giveUp(): void {
    for (const expected of this.expectations.due(this.now)) this.expectations.remove(expected);
  }

  /** When {@link tick} has something to do next at the earliest (ms), Infinity if never. */
  nextDue(): number {
    return this.overdue.length > 0 ? this.now : Math.min(this.wheel.nextDue(), this.expectations.nextDue);
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
    this.destroy(flow, R_DELETED);
  }

  /** Removes a flow for the sake of another. @param reason R_* */
  evict(flow: number, reason: number): void {
    this.destroy(flow, reason);
  }

  /** Removes every flow. */
  flush(): void {
    this.eachFlow((flow) => this.destroy(flow, R_FLUSHED));
  }

  /** Calls `visit` for each flow in the table, oldest row first. It may delete the flow it is given. */
  eachFlow(visit: (flow: number) => void): void {
    for (let row = 1; row < this.table.limit; row++) if (this.isConfirmed(row)) visit(row);
  }

  /** Sets the time (ms) that a flow in the table has left, as `conntrack -U -t` does. */
  setTimeout(flow: number, left: number): void {
    const at = flow * (F.ROW_WORDS / 2) + TIMER;
    const before = this.table.doubles[at]!;
    const due = this.now + Math.floor(left);
    this.table.doubles[at] = due;
    if (due < before) this.sooner(flow);
  }

  /** Starts a flow's timer anew without counting a packet (nf_ct_refresh), unless it is fixed. @param timeout ms */
  prolong(flow: number, timeout: number): void {
    if ((this.table.words[flow * F.ROW_WORDS + F.F_STATUS]! & S.IPS_FIXED_TIMEOUT) !== 0) return;
    if (this.isConfirmed(flow)) this.setTimeout(flow, timeout);
    else this.table.doubles[flow * (F.ROW_WORDS / 2) + TIMER] = timeout;
  }

  /** Sets a flow's mark. */
  setMark(flow: number, mark: number): void {
    this.table.words[flow * F.ROW_WORDS + F.F_MARK] = mark;
  }

  /**
   * A packet of a flow was accepted: starts its timer anew and counts it (nf_ct_refresh_acct).
   * @param timeout ms
   */
  refresh(flow: number, pkt: Packet, dir: number, timeout: number): void {
    const { words, doubles } = this.table;
    const at = flow * F.ROW_WORDS;
    const timer = flow * (F.ROW_WORDS / 2) + TIMER;
    const status = words[at + F.F_STATUS]!;
    if ((status & (S.IPS_FIXED_TIMEOUT | S.IPS_CONFIRMED)) === S.IPS_CONFIRMED) {
      const due = this.now + timeout;
      const before = doubles[timer]!;
      doubles[timer] = due;
      // Nearly always the flow is queued for a moment before that, and the wheel will look at it then.
      if (timeout < (this.wheel.ahead(flow) + 1) * BLOCK && due < before) this.sooner(flow);
    } else if ((status & S.IPS_FIXED_TIMEOUT) === 0) doubles[timer] = timeout;
    if ((words[at + F.F_EVENTS]! & F.FLAG_ACCT) !== 0) this.account(flow, pkt, dir);
  }

  /** Counts a packet without touching the timer. */
  account(flow: number, pkt: Packet, dir: number): void {
    if ((this.table.words[flow * F.ROW_WORDS + F.F_EVENTS]! & F.FLAG_ACCT) === 0) return;
    const counters = this.table.counters!;
    const at = flow * 4 + dir * 2;
    counters[at]!++;
    counters[at + 1]! += pkt.end - pkt.off;
  }

  /** Milliseconds that a confirmed flow has left. */
  left(flow: number): number {
    return this.table.doubles[flow * (F.ROW_WORDS / 2) + TIMER]! - this.now;
  }

  /** Caches an event until the packet has come to its end. */
  cacheEvent(flow: number, events: number): void {
    this.table.words[flow * F.ROW_WORDS + F.F_EVENTS]! |= events;
  }

  /** Removes a flow because of the packet that is being handled (nf_ct_kill). */
  kill(flow: number, reason: number): void {
    this.destroy(flow, reason);
  }

  /** Called by the expiry wheel. */
  expire(row: number): void {
    this.moment = this.wheel.now;
    this.remove(row, R_EXPIRED);
  }

  /**
   * Makes a flow for a packet that belongs to none. It cannot be found until {@link enter}.
   * @param t the packet's tuple, `replyPorts` the T_PORTS of its answer
   */
  protected create(pkt: Packet, t: T.Tuple, replyPorts: number): number {
    const flow = this.table.alloc();
    const w = this.table.words;
    const at = flow * F.ROW_WORDS;
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
    w[at + F.F_EVENTS] = this.newFlags;
    if ((this.newFlags & F.FLAG_ACCT) !== 0) this.table.wantCounters().fill(0, flow * 4, flow * 4 + 4);
    return flow;
  }

  /**
   * Changes the tuple by which a flow's answers are known; it must not be in the table yet
   * (nf_conntrack_alter_reply).
   * @param src as T_SRC: an IPv4 address or a handle of the pool; `dst` and `ports` the same
   */
  alterReply(flow: number, src: number, dst: number, ports: number): void {
    const w = this.table.words;
    const at = flow * F.ROW_WORDS;
    if (w[at + F.F_KIND]! >>> 8 !== AF_INET) {
      if (src !== w[at + F.F_DST]!) this.pool.hold(src);
      if (dst !== w[at + F.F_SRC]!) this.pool.hold(dst);
      this.releaseReply(flow);
    }
    w[at + F.F_RSRC] = src;
    w[at + F.F_RDST] = dst;
    w[at + F.F_RPORTS] = ports;
  }

  /**
   * The word of an address in tuples. Of an IPv6 address that nobody holds yet, it is good only until something is
   * released.
   * @param words one for IPv4, four for IPv6
   */
  addressWord(words: readonly number[]): number {
    return words.length === 1 ? words[0]! | 0 : this.pool.intern(words[0]!, words[1]!, words[2]!, words[3]!);
  }

  /** IPv6 addresses of the reply tuple are held on their own only where they are not those of the original one. */
  private releaseReply(flow: number): void {
    const w = this.table.words;
    const at = flow * F.ROW_WORDS;
    if (w[at + F.F_RSRC] !== w[at + F.F_DST]) this.pool.release(w[at + F.F_RSRC]!);
    if (w[at + F.F_RDST] !== w[at + F.F_SRC]) this.pool.release(w[at + F.F_RDST]!);
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

  /** A flow in the table that holds one of the two tuples of an unconfirmed one, or 0. */
  protected rivalOf(flow: number): number {
    const w = this.table.words;
    const at = flow * F.ROW_WORDS;
    const t = this.rivalScratch;
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

  /** Enters a flow into the table and starts its timer. It must have no rival. */
  protected enter(flow: number): void {
    const { words, doubles } = this.table;
    const at = flow * F.ROW_WORDS;
    words[at + F.F_STATUS]! |= S.IPS_CONFIRMED;
    doubles[flow * (F.ROW_WORDS / 2) + TIMER]! += this.now;
    if ((words[at + F.F_EVENTS]! & F.FLAG_TSTAMP) !== 0) this.table.wantStarts()[flow] = this.now;
    if (doubles[flow * (F.ROW_WORDS / 2) + TIMER]! <= this.now) this.overdue.push(flow);
    this.table.insert(flow);
    this.wheel.add(flow);
    this.stats.created++;
    this.cacheEvent(flow, words[at + F.F_MASTER] === 0 ? IPCT_NEW : IPCT_RELATED);
  }

  /** A flow's timer was set to an earlier time. */
  private sooner(flow: number): void {
    if (this.left(flow) <= 0) this.overdue.push(flow);
    this.wheel.moved(flow);
  }

  private expireOverdue(): void {
    // A row may be another flow's meanwhile: its timer tells.
    for (const flow of this.overdue)
      if (this.isConfirmed(flow) && this.left(flow) <= 0) this.destroy(flow, R_EXPIRED);
    this.overdue.length = 0;
  }

  /** Takes a flow out of the table, tells whoever listens, and frees it. */
  protected destroy(flow: number, reason: number): void {
    this.moment = this.now;
    this.remove(flow, reason);
  }

  private remove(flow: number, reason: number): void {
    const inTable = this.isConfirmed(flow);
    this.table.words[flow * F.ROW_WORDS + F.F_STATUS]! |= S.IPS_DYING;
    if (this.sink !== null && this.isTold(flow, IPCT_DESTROY))
      this.sink.event(flow, IPCT_DESTROY, this.moment, reason);
    if (inTable) {
      this.wheel.remove(flow);
      this.table.remove(flow);
    }
    this.discard(flow);
  }

  /** Frees a row that is in no list. */
  protected discard(flow: number): void {
    const w = this.table.words;
    const at = flow * F.ROW_WORDS;
    if ((w[at + F.F_STATUS]! & S.IPS_SRC_NAT) !== 0) this.bySource.remove(flow);
    if (w[at + F.F_KIND]! >>> 8 !== AF_INET) {
      this.releaseReply(flow);
      this.pool.release(w[at + F.F_SRC]!);
      this.pool.release(w[at + F.F_DST]!);
    }
    w[at + F.F_STATUS]! |= S.IPS_DYING;
    this.table.release(flow);
  }

  /** Whether a flow is in the table. */
  protected isConfirmed(flow: number): boolean {
    const status = this.table.words[flow * F.ROW_WORDS + F.F_STATUS]!;
    return (status & (S.IPS_CONFIRMED | S.IPS_DYING)) === S.IPS_CONFIRMED;
  }

  /** Whether whoever listens is told of these events of a flow. */
  protected isTold(flow: number, _events: number): boolean {
    return (this.table.words[flow * F.ROW_WORDS + F.F_EVENTS]! & F.FLAG_SILENT) === 0;
  }

  /** A packet in reply direction was accepted. */
  protected seenReply(flow: number): void {
    const at = flow * F.ROW_WORDS + F.F_STATUS;
    const w = this.table.words;
    if ((w[at]! & S.IPS_SEEN_REPLY) !== 0) return;
    w[at]! |= S.IPS_SEEN_REPLY;
    this.cacheEvent(flow, IPCT_REPLY);
  }

  /** Sends out the events that were cached while the packet was under way. */
  protected deliver(flow: number): void {
    const at = flow * F.ROW_WORDS + F.F_EVENTS;
    const w = this.table.words;
    const events = w[at]! & F.EVENT_BITS;
    if (events === 0) return;
    w[at]! &= ~F.EVENT_BITS;
    if (this.sink !== null && this.isTold(flow, events)) this.sink.event(flow, events, this.now, 0);
  }
}
