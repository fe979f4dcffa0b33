import {
  type Conntrack,
  createExpectation,
  createFlow,
  type ExpectRecord,
  F_PROTO,
  findExpectation,
  findFlow,
  flushExpectations,
  ROW_WORDS,
  readExpectation,
  type TupleRecord,
  updateFlow,
  zeroCounters,
} from '@keepstate/engine';
import { rowEntry, unconfirmedEntry } from '../conntrack/row-entry.ts';
import { oneCpuOf } from '../conntrack/stats.ts';
import type {
  Change,
  ConntrackTable,
  Entry,
  NewEntry,
  NewExpectation,
  TableStats,
} from '../conntrack/table.ts';
import { invert, isWhole } from '../conntrack/tuple.ts';
import type { Errno } from '../conntrack/words.ts';
import { changeOf, errnoOf, specOf } from './live-change.ts';

/** Rows of a slice that are looked at, whatever is in them. */
const LOOKED = 16384;

/** Which flows of a table. */
export type Which = 'conntrack' | 'dying' | 'unconfirmed';

/** The table of a running keepstate. Each method takes the time first: what has run out by then is gone. */
export class LiveTable implements ConntrackTable {
  readonly readOnly = null;
  private readonly conntrack: Conntrack;
  private readonly clock: () => number;

  /** @param clock the time (ms since the epoch), the same that packets have; it never goes back */
  constructor(conntrack: Conntrack, clock: () => number) {
    this.conntrack = conntrack;
    this.clock = clock;
  }

  get now(): number {
    this.conntrack.comeTo(this.clock());
    return this.conntrack.now;
  }

  /** All of them at once. {@link slices} lets packets have their turn meanwhile. */
  list(which: Which): readonly Entry[] {
    return [...this.slices(which, Number.POSITIVE_INFINITY)].flat();
  }

  /** As {@link list}; each flow's counters are 0 from then on. */
  listAndZero(): readonly Entry[] {
    return [...this.slices('conntrack', Number.POSITIVE_INFINITY, true)].flat();
  }

  /**
   * Flows in lists, to be asked for one at a time with turns for packets in between: each flow is as of its own slice;
   * one that comes or goes meanwhile may be in it or not, but none is in it twice.
   * @param most flows of a slice at the most
   * @param zero whether each flow's counters are set to 0 when it is read
   */
  *slices(which: Which, most: number, zero = false): Generator<readonly Entry[], void> {
    const { conntrack } = this;
    conntrack.comeTo(this.clock());
    if (which === 'dying') return;
    if (which === 'unconfirmed') {
      const held: Entry[] = [];
      conntrack.eachUnconfirmed((row) => held.push(unconfirmedEntry(conntrack, row)));
      yield held;
      return;
    }
    let slice: Entry[] = [];
    for (let row = 1, looked = 0; row < conntrack.table.limit; row++) {
      if (conntrack.isInTable(row)) {
        slice.push(rowEntry(conntrack, row));
        if (zero) zeroCounters(conntrack, row);
      }
      if (slice.length < most && (++looked < LOOKED || most === Number.POSITIVE_INFINITY)) continue;
      yield slice;
      conntrack.comeTo(this.clock());
      slice = [];
      looked = 0;
    }
    yield slice;
  }

  get(family: number, protonum: number, tuple: TupleRecord): Entry | null {
    const row = this.rowOf(protonum, tuple, 0);
    if (row === 0) return null;
    const entry = rowEntry(this.conntrack, row);
    return entry.family === family ? entry : null;
  }

  create(flow: NewEntry): Errno | null {
    const { conntrack } = this;
    const { family, protonum, zone, zoneOriginal, zoneReply } = flow;
    conntrack.comeTo(this.clock());
    const original = flow.original ?? (flow.reply === null ? null : invert(family, protonum, flow.reply));
    if (original === null || !isWhole(protonum, original)) return 'EINVAL';
    // The kernel looks for the original tuple before it looks at anything else.
    if (this.rowOf(protonum, original, zone ?? zoneOriginal ?? 0) !== 0) return 'EEXIST';
    // Measured: the kernel takes one way to give a zone.
    if ([zone, zoneOriginal, zoneReply].filter((z) => z !== null && z !== 0).length > 1) return 'EINVAL';
    if (flow.reply !== null && !isWhole(protonum, flow.reply)) return 'EINVAL';
    const made = createFlow(conntrack, specOf(flow, original));
    return typeof made === 'string' ? errnoOf(made) : null;
  }

  /** @returns the flow as it is then, null if it is gone with that, or the error */
  update(flow: Entry, change: Change): Entry | Errno | null {
    const { conntrack } = this;
    const row = this.find(flow);
    if (row === 0) return 'ENOENT';
    const entry = rowEntry(conntrack, row);
    const state = conntrack.table.words[row * ROW_WORDS + F_PROTO]! & 0xff;
    const refused = updateFlow(conntrack, row, changeOf(entry, change, state));
    if (refused !== null) return errnoOf(refused);
    const after = rowEntry(conntrack, row);
    return after.timeout > 0 ? after : null;
  }

  delete(flow: Entry): void {
    const row = this.find(flow);
    if (row !== 0) this.conntrack.delete(row);
  }

  flush(): void {
    this.conntrack.comeTo(this.clock());
    this.conntrack.flush();
  }

  zero(): void {
    this.conntrack.comeTo(this.clock());
    this.conntrack.eachFlow((row) => zeroCounters(this.conntrack, row));
  }

  /** Flows that hold a row, those of held packets too: what nf_conntrack_max limits. */
  count(): number {
    this.conntrack.comeTo(this.clock());
    return this.conntrack.table.count;
  }

  expectations(): readonly ExpectRecord[] {
    const { conntrack } = this;
    conntrack.comeTo(this.clock());
    return conntrack.expectations.all().map((expected) => readExpectation(conntrack, expected));
  }

  createExpectation({ protonum, tuple, mask, master, timeout }: NewExpectation): Errno | null {
    const { conntrack } = this;
    conntrack.comeTo(this.clock());
    const spec = { protonum, tuple, mask, master, masterProtonum: protonum, timeout: timeout * 1000 };
    const refused = createExpectation(conntrack, spec);
    return refused === null ? null : errnoOf(refused);
  }

  deleteExpectation({ id }: ExpectRecord): void {
    const { conntrack } = this;
    conntrack.comeTo(this.clock());
    const expected = findExpectation(conntrack, id);
    if (expected !== null) conntrack.unexpect(expected);
  }

  flushExpectations(): void {
    this.conntrack.comeTo(this.clock());
    flushExpectations(this.conntrack);
  }

  stats(): TableStats {
    const { stats, expectations } = this.conntrack;
    const { expect_new, expect_create, expect_delete } = expectations.counts;
    const own = {
      insert: stats.insert,
      expectNew: expect_new,
      expectCreate: expect_create,
      expectDelete: expect_delete,
    };
    return { ...own, cpus: oneCpuOf({ ...stats, ...own }) };
  }

  close(): void {
    // It lives on in its process.
  }

  /** The row of a flow that {@link list} or {@link get} gave, 0 if it is gone. */
  private find(flow: Entry): number {
    const row = this.rowOf(flow.protonum, flow.original, flow.zoneOriginal);
    return row !== 0 && this.conntrack.idOf(row) === flow.flowId ? row : 0;
  }

  private rowOf(protonum: number, tuple: TupleRecord, zone: number): number {
    this.conntrack.comeTo(this.clock());
    try {
      return findFlow(this.conntrack, { ...tuple, protonum, zone }) >> 1;
    } catch {
      // The addresses are none, or of two families.
      return 0;
    }
  }
}
