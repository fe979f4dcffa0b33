import type { Entry } from '../conntrack/table.ts';
import type { States } from '../control/protocol.ts';
import type { Filter } from '../filter.ts';
import { Subject, subjectOfFlow } from '../filter-subject.ts';
import { compareRows, type Order, type SortKey } from './order.ts';

/** A flow that is shown. */
export interface Row {
  /** As it was read last. */
  entry: Entry;
  /** When that was (ms, as {@link Sampler.add} was told). */
  at: number;
  /** Both directions together, a second; null if it is not counted, or was seen once only. */
  byteRate: number | null;
  packetRate: number | null;
  /** By what it is sorted. */
  key: SortKey;
  /** It is no longer in the table. */
  isGone: boolean;
}

/** What came of going through the table once. */
export interface Snapshot {
  /** The first of those that fit, in order. */
  readonly rows: readonly Row[];
  /** How many flows there were, and how many of them fit the filter. */
  readonly total: number;
  readonly matched: number;
  readonly states: States;
  /** Whether flows are counted (nf_conntrack_acct), as far as there were any. */
  readonly counts: boolean;
}

/** What to keep of a table, and in what order. */
export interface Wish {
  readonly filter: Filter | null;
  readonly order: Order;
  readonly reversed: boolean;
}

/** Counters of a flow when they were read. */
interface Sample {
  bytes: number;
  packets: number;
  at: number;
  /** Number of the pass that saw it last. */
  pass: number;
}

/** What went by since a counter was read; one that was set back counts from 0. */
function since(before: number, now: number): number {
  return now >= before ? now - before : now;
}

function perSecond(amount: number, ms: number): number | null {
  return ms > 0 ? (amount * 1000) / ms : null;
}

/** Counters of both directions, null of a flow that is not counted. */
function totals({ counters }: Entry): { bytes: number; packets: number } | null {
  if (counters === null) return null;
  const { original, reply } = counters;
  return { bytes: original.bytes + reply.bytes, packets: original.packets + reply.packets };
}

/** Takes a flow that was read anew for a row. @param entry null if it is gone */
export function refreshRow(row: Row, entry: Entry | null, now: number): void {
  if (entry === null) {
    row.isGone = true;
    return;
  }
  const before = totals(row.entry);
  const after = totals(entry);
  if (before !== null && after !== null && now > row.at) {
    row.byteRate = perSecond(since(before.bytes, after.bytes), now - row.at);
    row.packetRate = perSecond(since(before.packets, after.packets), now - row.at);
  }
  row.entry = entry;
  row.at = now;
}

/**
 * Goes through the flows of a table again and again, and keeps the first of them in some order, however many there are:
 * of all others only what rates are made of.
 */
export class Sampler {
  private readonly most: number;
  private readonly samples: Map<number, Sample> = new Map();
  private readonly subject: Subject = new Subject();
  private pass = 0;
  /** When the last pass that came to its end began: what was not there is younger. */
  private passedAt: number | null = null;
  private beganAt = 0;
  private wish: Wish | null = null;
  private rows: Row[] = [];
  private total = 0;
  private matched = 0;
  private counts = false;
  private states: Record<string, Record<string, number>> = {};

  /** @param most rows to keep */
  constructor(most: number) {
    this.most = most;
  }

  /** Flows whose counters are remembered until the next pass. */
  get remembered(): number {
    return this.samples.size;
  }

  /** Begins a pass. @param now ms, of any clock that goes forwards */
  begin(wish: Wish, now: number): void {
    this.wish = wish;
    this.pass++;
    this.beganAt = now;
    this.rows = [];
    this.total = 0;
    this.matched = 0;
    this.counts = false;
    this.states = {};
  }

  /** Takes flows of the pass. */
  add(entries: readonly Entry[], now: number): void {
    for (const entry of entries) this.addOne(entry, now);
  }

  /** Ends the pass. */
  end(): Snapshot {
    for (const [id, { pass }] of this.samples) if (pass !== this.pass) this.samples.delete(id);
    this.passedAt = this.beganAt;
    return this.soFar();
  }

  /** What the pass has found until now. */
  soFar(): Snapshot {
    this.cut();
    const { total, matched, states, counts } = this;
    return { rows: [...this.rows], total, matched, states, counts };
  }

  private addOne(entry: Entry, now: number): void {
    const { filter, order } = this.wish!;
    this.total++;
    const { protocol } = entry;
    this.states[protocol] ??= {};
    const counts = this.states[protocol];
    const state = entry.state ?? '';
    counts[state] = (counts[state] ?? 0) + 1;
    const row: Row = { entry, at: now, byteRate: null, packetRate: null, key: 0, isGone: false };
    this.rate(row, now);
    if (filter !== null) {
      const { subject } = this;
      subjectOfFlow(entry, subject);
      subject.byteRate = row.byteRate ?? -1;
      subject.packetRate = row.packetRate ?? -1;
      if (!filter(subject)) return;
    }
    this.matched++;
    row.key = order.key(row);
    this.rows.push(row);
    if (this.rows.length >= 2 * this.most + 256) this.cut();
  }

  private cut(): void {
    const { order, reversed } = this.wish!;
    this.rows.sort(compareRows(order, reversed));
    if (this.rows.length > this.most) this.rows.length = this.most;
  }

  private rate(row: Row, now: number): void {
    const { flowId } = row.entry;
    const after = totals(row.entry);
    if (after === null) return;
    this.counts = true;
    const { bytes, packets } = after;
    const sample = this.samples.get(flowId);
    if (sample === undefined) {
      if (this.passedAt !== null) {
        row.byteRate = perSecond(bytes, now - this.passedAt);
        row.packetRate = perSecond(packets, now - this.passedAt);
      }
      this.samples.set(flowId, { bytes, packets, at: now, pass: this.pass });
      return;
    }
    row.byteRate = perSecond(since(sample.bytes, bytes), now - sample.at);
    row.packetRate = perSecond(since(sample.packets, packets), now - sample.at);
    sample.bytes = bytes;
    sample.packets = packets;
    sample.at = now;
    sample.pass = this.pass;
  }
}
