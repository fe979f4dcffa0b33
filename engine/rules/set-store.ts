import type { VerdictExpr } from './expr-verdict.ts';
import type { RuleObject } from './rule-object.ts';
import type { StatefulExpr } from './stateful.ts';

/** Few: an anonymous set says how many elements it has, and rulesets have thousands with two or three. */
const START = 4;
const NO_WORDS: Int32Array = new Int32Array(0);

/** Milliseconds of the kernel's clock tick (HZ is 250). */
export const ONE_JIFFY = 4;

/** Whole ticks, in ms: elements expire by the kernel's clock (measured: `timeout 70ms` lasts 17 ticks). */
export function jiffies(ms: number): number {
  return Math.floor(ms / ONE_JIFFY) * ONE_JIFFY;
}

/**
 * The elements of a set, one a row: keys, ends and data as words of one array each, and what few sets have (timeouts,
 * expressions, tags) only where it is used. Free rows are used again unless it was asked not to.
 */
export class ElementStore {
  /** Words of a key. */
  readonly keyWords: number;
  /** Words of a value in a data map. */
  readonly dataWords: number;
  /** First words of the keys, as they stand in registers. */
  keys: Int32Array;
  /** The same for the ends of ranges; null in sets without. */
  ends: Int32Array | null;
  data: Int32Array;
  /** 1 where a row holds an element. */
  live: Uint8Array = new Uint8Array(START);
  /** Milliseconds, 0 for never; null while no element has one. */
  timeouts: Float64Array | null = null;
  /** When each is gone (ms), Infinity for never. */
  expires: Float64Array | null = null;
  /** Milliseconds left of elements, by row, whose time begins with the next packet; null if there are none. */
  waiting: Map<number, number> | null = null;
  readonly verdicts: (VerdictExpr | null)[] = [];
  readonly objects: (RuleObject | null)[] = [];
  readonly exprs: (readonly StatefulExpr[] | undefined)[] = [];
  readonly tags: unknown[] = [];
  /** Elements held. */
  count = 0;
  /** Rows 0 to `used` - 1 may hold elements. */
  used = 0;
  private readonly free: number[] = [];
  private readonly reuses: boolean;

  /** @param ranged whether elements have ends, `reuses` whether rows may hold other elements later */
  constructor(keyWords: number, dataWords: number, ranged: boolean, reuses: boolean) {
    this.reuses = reuses;
    this.keyWords = keyWords;
    this.dataWords = dataWords;
    this.keys = new Int32Array(START * keyWords);
    this.ends = ranged ? new Int32Array(START * keyWords) : null;
    this.data = dataWords === 0 ? NO_WORDS : new Int32Array(START * dataWords);
  }

  /** The rows that hold elements. */
  rows(): number[] {
    const out: number[] = [];
    for (let row = 0; row < this.used; row++) if (this.live[row] === 1) out.push(row);
    return out;
  }

  /** Makes room for so many rows more. */
  reserve(more: number): void {
    const wanted = this.used + more;
    if (wanted <= this.live.length) return;
    const rows = Math.max(wanted, this.live.length * 2);
    this.keys = grown(this.keys, rows * this.keyWords);
    if (this.ends !== null) this.ends = grown(this.ends, rows * this.keyWords);
    if (this.dataWords > 0) this.data = grown(this.data, rows * this.dataWords);
    const live = new Uint8Array(rows);
    live.set(this.live);
    this.live = live;
    if (this.expires === null) return;
    this.timeouts = grownDoubles(this.timeouts!, rows, 0);
    this.expires = grownDoubles(this.expires, rows, Number.POSITIVE_INFINITY);
  }

  /** Takes a row; its key and value are the caller's to write. */
  take(): number {
    this.count++;
    const row = this.free.pop() ?? this.used++;
    if (row >= this.live.length) this.reserve(1);
    this.live[row] = 1;
    if (this.expires !== null) {
      this.timeouts![row] = 0;
      this.expires[row] = Number.POSITIVE_INFINITY;
    }
    return row;
  }

  /** Gives a row back. */
  release(row: number): void {
    this.count--;
    this.live[row] = 0;
    this.waiting?.delete(row);
    if (this.reuses) this.free.push(row);
    if (this.tags.length > row) this.tags[row] = undefined;
    if (this.exprs.length > row) this.exprs[row] = undefined;
  }

  /** Sets when an element is gone (ms). */
  setExpiry(row: number, timeout: number, expires: number): void {
    if (this.expires === null) {
      this.timeouts = new Float64Array(this.live.length);
      this.expires = new Float64Array(this.live.length).fill(Number.POSITIVE_INFINITY);
    }
    this.timeouts![row] = timeout;
    this.expires[row] = expires;
  }

  /** An element's time begins with the next packet; until then it is gone at no time (NaN). */
  wait(row: number, timeout: number, left: number): void {
    this.setExpiry(row, timeout, Number.NaN);
    this.waiting ??= new Map();
    this.waiting.set(row, left);
  }

  /** The next packet is here. */
  begin(now: number): void {
    const { waiting } = this;
    this.waiting = null;
    for (const [row, left] of waiting ?? [])
      this.setExpiry(row, this.timeouts![row]!, jiffies(now) + jiffies(left));
  }

  /** Whether an element's time has run out. */
  isExpired(row: number, now: number): boolean {
    return this.expires !== null && this.expires[row]! <= now;
  }

  /** Empties the store. */
  clear(): void {
    this.count = 0;
    this.used = 0;
    this.free.length = 0;
    this.live.fill(0);
    this.timeouts = null;
    this.expires = null;
    this.waiting = null;
    this.verdicts.length = 0;
    this.objects.length = 0;
    this.exprs.length = 0;
    this.tags.length = 0;
  }
}

function grown(words: Int32Array, length: number): Int32Array {
  const out = new Int32Array(length);
  out.set(words);
  return out;
}

function grownDoubles(values: Float64Array, length: number, rest: number): Float64Array {
  const out = new Float64Array(length);
  out.set(values);
  return out.fill(rest, values.length);
}
