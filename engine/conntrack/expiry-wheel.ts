import { F_NEXT, F_PREV, F_QUEUED, type FlowTable, ROW_WORDS } from './flow-table.ts';

/**
 * Milliseconds of a block: one slot of the far wheel, the whole of the near one. A row is looked at when the block
 * comes up in which it is queued (F_QUEUED): a timer that is set to a later time needs no {@link ExpiryWheel.moved}.
 */
export const BLOCK = 1024;
/** Blocks that the far wheel spans (70 minutes); what is due later is queued at its end and looked at again. */
const FAR = 4096;
const TIMER = 5;

/**
 * Who has the clock (whole ms) and is told of a flow whose timer ran out, at the wheel's own {@link ExpiryWheel.now}.
 * It must take the row out of the wheel. Times are fields, because V8 boxes numbers of their size in a call.
 */
export interface ExpirySink {
  readonly now: number;
  expire(row: number): void;
}

/**
 * Timers of all flows: two wheels of linked lists through the rows. The near wheel has a list a millisecond
 * for the current block, the far one a list a block. A refreshed flow stays where it is queued and moves on
 * when its list comes up, so a packet costs no list work, whatever the number of flows. Flows expire in order
 * of time, to the millisecond.
 */
export class ExpiryWheel {
  private readonly table: FlowTable;
  /** First row of each list, or the list's own mark (-1 - slot) if it is empty. */
  private readonly first: Int32Array = new Int32Array(BLOCK + FAR);
  /** Last row of each list, likewise. */
  private readonly last: Int32Array = new Int32Array(BLOCK + FAR);
  /** The millisecond that is being worked off, or was last. */
  now: number = Number.NEGATIVE_INFINITY;
  private block = 0;
  private near = 0;
  private size = 0;

  /** @param table whose rows are queued */
  constructor(table: FlowTable) {
    this.table = table;
    for (let slot = 0; slot < this.first.length; slot++) this.first[slot] = this.last[slot] = -1 - slot;
  }

  /** Queues a row by its timer. */
  add(row: number): void {
    // A timer that is due already goes to the next millisecond that is worked off.
    const due = Math.max(this.table.doubles[row * (ROW_WORDS / 2) + TIMER]!, this.now + 1);
    const block = Math.floor(due / BLOCK);
    this.size++;
    if (block <= this.block) {
      this.near++;
      this.link(row, due - this.block * BLOCK, this.block);
    } else {
      const queued = Math.min(block, this.block + FAR - 1);
      this.link(row, BLOCK + (queued % FAR), queued);
    }
  }

  /** Takes a row out. */
  remove(row: number): void {
    const w = this.table.words;
    const at = row * ROW_WORDS;
    const next = w[at + F_NEXT]!;
    const prev = w[at + F_PREV]!;
    if (prev < 0) this.first[-1 - prev] = next;
    else w[prev * ROW_WORDS + F_NEXT] = next;
    if (next < 0) this.last[-1 - next] = prev;
    else w[next * ROW_WORDS + F_PREV] = prev;
    this.size--;
    if (this.ahead(row) === 0) this.near--;
  }

  /**
   * How many blocks after the current one a row is queued, 0 to FAR - 1. Its word holds the low 32 bits of the
   * block's number, which they are too few for from September 2039 on.
   */
  ahead(row: number): number {
    return (this.table.words[row * ROW_WORDS + F_QUEUED]! - this.block) | 0;
  }

  /** Tells the wheel that a queued row's timer was set to an earlier time. A later one needs no work at all. */
  moved(row: number): void {
    const ahead = this.ahead(row);
    const sooner = this.table.doubles[row * (ROW_WORDS / 2) + TIMER]! / BLOCK - this.block;
    if (sooner >= ahead + 1 || (sooner >= ahead && ahead > 0)) return;
    this.remove(row);
    this.add(row);
  }

  /** Works off all that is due up to and including the sink's `now`, in order of time. */
  advance(sink: ExpirySink): void {
    const { now } = sink;
    if (now <= this.now) return;
    const block = Math.floor(now / BLOCK);
    if (block !== this.block) this.turn(block, sink);
    this.sweepNear(now - block * BLOCK, sink);
  }

  /** Works off what is left of the current block, and all blocks before another one, which is the current one then. */
  private turn(block: number, sink: ExpirySink): void {
    while (this.block < block && this.size > 0) {
      this.sweepNear(BLOCK - 1, sink);
      this.block++;
      this.spread();
    }
    this.block = block;
  }

  /** When {@link advance} has something to do next at the earliest (ms), Infinity if never. */
  nextDue(): number {
    if (this.size === 0) return Number.POSITIVE_INFINITY;
    if (this.near === 0) return (this.block + 1) * BLOCK;
    for (let ms = Math.max(this.now + 1, this.block * BLOCK); ; ms++) {
      const slot = ms - this.block * BLOCK;
      if (slot >= BLOCK) return ms;
      if (this.first[slot]! > 0) return ms;
    }
  }

  /** Works off the near wheel up to and including a slot of the current block. */
  private sweepNear(last: number, sink: ExpirySink): void {
    const start = this.block * BLOCK;
    for (let slot = Math.max(this.now + 1 - start, 0); slot <= last && this.near > 0; slot++) {
      this.now = start + slot;
      while (this.first[slot]! > 0) this.settle(this.first[slot]!, sink);
    }
    this.now = start + last;
  }

  /** A row whose list came up expires if it is due, else it is queued anew. */
  private settle(row: number, sink: ExpirySink): void {
    if (this.table.doubles[row * (ROW_WORDS / 2) + TIMER]! <= this.now) {
      sink.expire(row);
      return;
    }
    this.remove(row);
    this.add(row);
  }

  /** Brings the far list of the current block into the near wheel. */
  private spread(): void {
    const slot = BLOCK + (this.block % FAR);
    let row = this.first[slot]!;
    this.first[slot] = this.last[slot] = -1 - slot;
    while (row > 0) {
      const next = this.table.words[row * ROW_WORDS + F_NEXT]!;
      this.size--;
      this.add(row);
      row = next;
    }
  }

  private link(row: number, slot: number, queued: number): void {
    const w = this.table.words;
    const at = row * ROW_WORDS;
    const prev = this.last[slot]!;
    w[at + F_NEXT] = -1 - slot;
    w[at + F_PREV] = prev;
    w[at + F_QUEUED] = queued;
    this.last[slot] = row;
    if (prev < 0) this.first[slot] = row;
    else w[prev * ROW_WORDS + F_NEXT] = row;
  }
}
