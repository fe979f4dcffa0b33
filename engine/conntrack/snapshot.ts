import type { Conntrack } from './conntrack.ts';
import * as F from './flow-table.ts';
import { savedExpectation, writeFlow } from './snapshot-flow.ts';
import {
  SECTION_END,
  SECTION_EXPECT,
  SECTION_FLOWS,
  SECTION_HEAD,
  SECTION_STATES,
  type SnapshotEnd,
  type SnapshotHead,
  STATE_DYING,
  STATE_GONE,
} from './snapshot-format.ts';
import { SnapshotWriter } from './snapshot-writer.ts';
import { IPS_CONFIRMED, IPS_DYING } from './status.ts';

/** Walks over the table after the first, for flows that came meanwhile; the last one is not sliced. */
const WALKS = 2;
/** A flow is in the table if of these it has CONFIRMED alone. */
const LIFE: number = IPS_CONFIRMED | IPS_DYING;
/** Expectations of a section. */
const EXPECT_SLICE = 512;

/**
 * All flows and expectations of a table as bytes, taken in slices between which packets go on.
 *
 * What is in it: exactly the flows, masters and expectations that there are when the last slice is taken
 * ({@link SnapshotEnd.time}). Each flow's state, timer and counters are those of the moment of its slice: a flow that
 * sees packets later is that much behind. Taken in one go (`next(Infinity)` until null) all is of one moment. Flows of
 * packets under way (held ones) are not in it, nor are expectations whose function has no name.
 */
export class Snapshot {
  /** Records written. */
  records = 0;
  /** Flows in the table; known when all is taken. */
  flows = 0;
  /** Expectations that no snapshot can keep: a helper gave them a function without a name. */
  unsaved = 0;

  private readonly ct: Conntrack;
  private readonly meta: unknown;
  private readonly out: SnapshotWriter = new SnapshotWriter();
  /** By row: number of the record + 1 of the flow that it held, and that flow's id. */
  private numbers: Int32Array;
  private ids: Int32Array;
  /** Records that were overtaken: pairs of a number and STATE_*. */
  private readonly states: number[] = [];
  /** Records that were written as dying. */
  private readonly dying: Set<number> = new Set();
  private row = 0;
  private walk = 0;

  /** @param meta anything that JSON has, for whoever restores */
  constructor(ct: Conntrack, meta: unknown = null) {
    this.ct = ct;
    this.meta = meta;
    this.numbers = new Int32Array(ct.table.limit);
    this.ids = new Int32Array(ct.table.limit);
  }

  /**
   * Takes the next slice. Nothing of the table is changed.
   * @param rows how many rows to look at, free ones too; the last slice also looks for what changed since theirs
   * @returns bytes to be written behind those of the slice before, maybe none; null if it is complete
   */
  next(rows: number): Uint8Array | null {
    if (this.walk > WALKS) return null;
    const { out, ct } = this;
    if (this.row === 0) {
      if (this.walk === 0) this.begin();
      this.row = 1;
    }
    const isLast = this.walk === WALKS;
    const stop = isLast ? ct.table.limit : Math.min(this.row + Math.max(rows, 1), ct.table.limit);
    this.takeRows(stop);
    if (isLast) this.end();
    if (stop < ct.table.limit) this.row = stop;
    else {
      this.row = 0;
      this.walk++;
    }
    return out.take();
  }

  private begin(): void {
    const { ct, meta, out } = this;
    const { settings, now } = ct;
    const head: SnapshotHead = {
      time: now,
      profile: settings.profile.name,
      settings: Object.fromEntries(settings.entries().map(({ sysctl, value }) => [sysctl.name, value])),
      meta,
    };
    out.prelude();
    out.json(SECTION_HEAD, head);
  }

  /** Writes the flows of rows from the present one on that have not been written yet; in the last walk, of all. */
  private takeRows(stop: number): void {
    const { ct, out } = this;
    this.grow();
    const first = this.records;
    out.open(SECTION_FLOWS);
    out.reserve(8);
    out.word(first);
    const at = out.position;
    out.word(0);
    if (this.walk === WALKS) this.settle();
    else for (let row = this.row; row < stop; row++) if (ct.isInTable(row)) this.take(row);
    if (this.records === first) out.cancel();
    else {
      out.patch(at, this.records - first);
      out.close();
    }
  }

  private grow(): void {
    const { limit } = this.ct.table;
    if (limit <= this.numbers.length) return;
    const numbers = new Int32Array(limit * 2);
    numbers.set(this.numbers);
    this.numbers = numbers;
    const ids = new Int32Array(limit * 2);
    ids.set(this.ids);
    this.ids = ids;
  }

  /** Writes a flow, and before it its masters, unless that is done. */
  private take(row: number): void {
    if (this.isWritten(row)) return;
    const w = this.ct.table.words;
    const master = w[row * F.ROW_WORDS + F.F_MASTER]!;
    if (master === 0 || this.isWritten(master)) {
      this.write(row, master);
      return;
    }
    // No recursion: whoever opens the flows decides how long the chain is.
    const chain = [row];
    for (
      let above = master;
      above !== 0 && !this.isWritten(above);
      above = w[above * F.ROW_WORDS + F.F_MASTER]!
    )
      chain.push(above);
    while (chain.length > 0) {
      const next = chain.pop()!;
      this.write(next, w[next * F.ROW_WORDS + F.F_MASTER]!);
    }
  }

  private isWritten(row: number): boolean {
    return this.numbers[row] !== 0 && this.ids[row] === this.ct.table.words[row * F.ROW_WORDS + F.F_ID];
  }

  private write(row: number, master: number): void {
    const w = this.ct.table.words;
    const there = this.numbers[row]!;
    if (there !== 0) this.states.push(there - 1, STATE_GONE);
    const number = this.records++;
    this.numbers[row] = number + 1;
    this.ids[row] = w[row * F.ROW_WORDS + F.F_ID]!;
    if ((w[row * F.ROW_WORDS + F.F_STATUS]! & IPS_DYING) !== 0) this.dying.add(number);
    writeFlow(this.out, this.ct, row, master === 0 ? -1 : this.numbers[master]! - 1);
  }

  private end(): void {
    const { ct, out, states } = this;
    const expected = this.expectations();
    if (states.length > 0) {
      out.open(SECTION_STATES);
      out.reserve(states.length * 4);
      for (const word of states) out.word(word);
      out.close();
    }
    for (let i = 0; i < expected.length; i += EXPECT_SLICE)
      out.json(SECTION_EXPECT, expected.slice(i, i + EXPECT_SLICE));
    const end: SnapshotEnd = {
      time: ct.now,
      records: this.records,
      flows: this.flows,
      expectations: expected.length,
      nextId: ct.nextFlowId,
      nextExpectId: ct.expectations.nextId,
      random: ct.random.state,
      check: out.check,
    };
    out.json(SECTION_END, end);
  }

  /**
   * Walks over all rows for the last time, and as fast as can be, for packets wait: writes flows that came, and finds
   * out which have left.
   */
  private settle(): void {
    const { ct, states, numbers, ids } = this;
    const { words: w, limit } = ct.table;
    for (let row = 1; row < limit; row++) {
      const at = row * F.ROW_WORDS;
      const inTable = (w[at + F.F_STATUS]! & LIFE) === IPS_CONFIRMED;
      const number = numbers[row]! - 1;
      const isSame = number >= 0 && ids[row] === w[at + F.F_ID];
      if (inTable) {
        if (!isSame) this.take(row);
        this.flows++;
      } else if (isSame && ct.isMaster(row)) {
        if (!this.dying.has(number)) states.push(number, STATE_DYING);
      } else if (number >= 0) {
        numbers[row] = 0;
        states.push(number, STATE_GONE);
      }
    }
  }

  private expectations(): unknown[] {
    const { ct, numbers, ids } = this;
    const saved: unknown[] = [];
    for (const expected of ct.expectations.all()) {
      const { master, onMatch } = expected;
      const isKnown = numbers[master]! > 0 && ids[master] === ct.table.words[master * F.ROW_WORDS + F.F_ID];
      if (!isKnown || !ct.isInTable(master)) continue;
      if (onMatch !== null && onMatch.fnName === undefined) this.unsaved++;
      else saved.push(savedExpectation(ct, expected, numbers[master]! - 1));
    }
    return saved;
  }
}

/** A whole snapshot at once, all of one moment. @param meta as of {@link Snapshot} */
export function snapshot(ct: Conntrack, meta: unknown = null): Uint8Array {
  const one = new Snapshot(ct, meta);
  const slices: Uint8Array[] = [];
  for (;;) {
    const slice = one.next(Number.POSITIVE_INFINITY);
    if (slice === null) break;
    slices.push(slice);
  }
  const bytes = new Uint8Array(slices.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const slice of slices) {
    bytes.set(slice, at);
    at += slice.length;
  }
  return bytes;
}
