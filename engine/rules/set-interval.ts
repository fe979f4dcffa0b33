import type { SetIndex } from './set-index.ts';
import type { ElementStore } from './set-store.ts';

/** Above so many new rows it is quicker to sort all anew than to shift for each. */
const FEW = 32;
/** Rows that a sort key of a 32-bit digest and a row number has room for: 2^21. */
const SORT_ROWS = 0x200000;

/** The bytes of a register word in the order in which keys compare: as one big-endian number. */
function big(word: number): number {
  return ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

/**
 * Ranges that do not overlap, sorted by where they start. The 32 bits behind what all starts have in common lead
 * through a table of buckets, about as many as there are ranges, to the few that may hold a key: how long that takes
 * does not grow with their number.
 */
export class IntervalIndex implements SetIndex {
  private readonly store: ElementStore;
  private readonly width: number;
  /** Starts and ends in order, as big-endian numbers, unsigned. */
  private starts = new Uint32Array(0);
  private ends = new Uint32Array(0);
  /** The rows in order. */
  private rows: Int32Array = new Int32Array(0);
  private size = 0;
  /** Rows that are not in order yet. */
  private pending: number[] = [];
  private dirty = false;
  /** Bits that all starts have in common. */
  private prefix = 0;
  private shift = 32;
  private buckets: Int32Array = new Int32Array(2);
  private readonly keyScratch: Uint32Array;

  constructor(store: ElementStore) {
    this.store = store;
    this.width = store.keyWords;
    this.keyScratch = new Uint32Array(store.keyWords);
  }

  find(words: Int32Array, at: number, now: number): number {
    if (this.dirty) this.rebuild();
    const key = this.keyScratch;
    for (let i = 0; i < this.width; i++) key[i] = big(words[at + i]!);
    const index = this.last(key);
    if (index < 0 || this.compare(this.ends, index, key) < 0) return -1;
    const row = this.rows[index]!;
    return this.store.isExpired(row, now) ? -1 : row;
  }

  /** Place of the last range that starts at or before a key, -1 if there is none. */
  private last(key: Uint32Array): number {
    if (this.size === 0) return -1;
    const side = this.besides(key);
    if (side !== 0) return side < 0 ? -1 : this.size - 1;
    const bucket = this.shift === 32 ? 0 : digest(key, 0, this.width, this.prefix) >>> this.shift;
    let low = this.buckets[bucket]!;
    let high = this.buckets[bucket + 1]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(this.starts, middle, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Compares the bits that all starts have in common with a key's: 0 if they are the key's as well. */
  private besides(key: Uint32Array): number {
    let left = this.prefix;
    for (let i = 0; left > 0; i++, left -= 32) {
      const ignored = left >= 32 ? 0 : 32 - left;
      const a = key[i]! >>> ignored;
      const b = this.starts[i]! >>> ignored;
      if (a !== b) return a < b ? -1 : 1;
    }
    return 0;
  }

  private compare(values: Uint32Array, index: number, key: Uint32Array): number {
    const at = index * this.width;
    for (let i = 0; i < this.width; i++) {
      const a = values[at + i]!;
      const b = key[i]!;
      if (a !== b) return a < b ? -1 : 1;
    }
    return 0;
  }

  exact(key: Int32Array, end: Int32Array | null): number {
    const index = this.lastOf(key);
    if (index < 0) return -1;
    const row = this.rows[index]!;
    const { keys, ends } = this.store;
    for (let i = 0; i < this.width; i++) {
      if (keys[row * this.width + i] !== key[i]) return -1;
      if (ends![row * this.width + i] !== (end ?? key)[i]) return -1;
    }
    return row;
  }

  overlaps(key: Int32Array, end: Int32Array | null): boolean {
    const index = this.lastOf(end ?? key);
    if (index < 0) return false;
    const start = this.keyScratch;
    for (let i = 0; i < this.width; i++) start[i] = big(key[i]!);
    return this.compare(this.ends, index, start) >= 0;
  }

  private lastOf(words: Int32Array): number {
    if (this.dirty) this.rebuild();
    const key = this.keyScratch;
    for (let i = 0; i < this.width; i++) key[i] = big(words[i]!);
    return this.last(key);
  }

  insert(row: number): void {
    this.pending.push(row);
    this.dirty = true;
  }

  remove(row: number): void {
    if (this.dirty) this.rebuild();
    const at = this.rows.subarray(0, this.size).indexOf(row);
    this.rows.copyWithin(at, at + 1, this.size);
    this.starts.copyWithin(at * this.width, (at + 1) * this.width, this.size * this.width);
    this.ends.copyWithin(at * this.width, (at + 1) * this.width, this.size * this.width);
    this.size--;
    this.dirty = true;
  }

  /** Takes out many rows at once. */
  removeAll(gone: ReadonlySet<number>): void {
    if (this.dirty) this.rebuild();
    const left = this.rows.slice(0, this.size).filter((row) => !gone.has(row));
    this.size = left.length;
    for (let i = 0; i < left.length; i++) this.write(i, left[i]!);
    this.makeBuckets();
  }

  reserve(): void {}

  /** Of rows that were written without being compared: each that overlaps another, and that other one. */
  clashes(): [row: number, other: number][] {
    if (this.dirty) this.rebuild();
    const { rows, starts, width } = this;
    const out: [number, number][] = [];
    const start = this.keyScratch;
    let reaches = 0;
    for (let i = 1; i < this.size; i++) {
      for (let k = 0; k < width; k++) start[k] = starts[i * width + k]!;
      if (this.compare(this.ends, reaches, start) < 0) reaches = i;
      else if (rows[i]! > rows[reaches]!) out.push([rows[i]!, rows[reaches]!]);
      else {
        out.push([rows[reaches]!, rows[i]!]);
        reaches = i;
      }
    }
    return out;
  }

  clear(): void {
    this.size = 0;
    this.pending = [];
    this.dirty = false;
  }

  order(): number[] {
    if (this.dirty) this.rebuild();
    return Array.from(this.rows.subarray(0, this.size));
  }

  private rebuild(): void {
    this.dirty = false;
    const added = this.pending;
    this.pending = [];
    if (added.length > 0) this.grow(this.size + added.length);
    if (added.length <= FEW) for (const row of added) this.insertOne(row);
    else this.sortAll(added);
    this.makeBuckets();
  }

  private grow(size: number): void {
    if (size <= this.rows.length) return;
    const room = Math.max(size, this.rows.length * 2);
    const rows = new Int32Array(room);
    rows.set(this.rows.subarray(0, this.size));
    const starts = new Uint32Array(room * this.width);
    starts.set(this.starts.subarray(0, this.size * this.width));
    const ends = new Uint32Array(room * this.width);
    ends.set(this.ends.subarray(0, this.size * this.width));
    this.rows = rows;
    this.starts = starts;
    this.ends = ends;
  }

  private insertOne(row: number): void {
    const { width, keyScratch: key, store } = this;
    for (let i = 0; i < width; i++) key[i] = big(store.keys[row * width + i]!);
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(this.starts, middle, key) <= 0) low = middle + 1;
      else high = middle;
    }
    this.rows.copyWithin(low + 1, low, this.size);
    this.starts.copyWithin((low + 1) * width, low * width, this.size * width);
    this.ends.copyWithin((low + 1) * width, low * width, this.size * width);
    this.size++;
    this.write(low, row);
  }

  private write(index: number, row: number): void {
    const { width, store } = this;
    this.rows[index] = row;
    for (let i = 0; i < width; i++) {
      this.starts[index * width + i] = big(store.keys[row * width + i]!);
      this.ends[index * width + i] = big(store.ends![row * width + i]!);
    }
  }

  /** Sorts by the 32 bits behind the common prefix, as numbers, and puts right what those do not tell apart. */
  private sortAll(added: readonly number[]): void {
    const { store, width } = this;
    for (const row of added) this.rows[this.size++] = row;
    const rows = this.rows.slice(0, this.size);
    for (let i = 0; i < rows.length; i++) this.write(i, rows[i]!);
    const prefix = this.commonPrefix();
    const order = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++)
      order[i] = digest(this.starts, i * width, width, prefix) * SORT_ROWS + (i % SORT_ROWS);
    if (rows.length <= SORT_ROWS) order.sort();
    const sorted = Array.from(order, (value) => rows[value % SORT_ROWS]!);
    if (width > 1 || rows.length > SORT_ROWS) sorted.sort((a, b) => compareKeys(store, a, b));
    for (let i = 0; i < sorted.length; i++) this.write(i, sorted[i]!);
  }

  /** How many leading bits all starts share, 0 if there is only one. */
  private commonPrefix(): number {
    const { starts, width, size } = this;
    for (let word = 0; word < width; word++) {
      let differing = 0;
      for (let i = 0; i < size; i++) differing |= starts[i * width + word]! ^ starts[word]!;
      if (differing !== 0) return word * 32 + Math.clz32(differing);
    }
    return 0;
  }

  private makeBuckets(): void {
    const { size, width, starts } = this;
    this.prefix = this.commonPrefix();
    let bits = 0;
    while (bits < 24 && 1 << bits < size) bits++;
    this.shift = 32 - bits;
    const buckets = new Int32Array((1 << bits) + 1);
    for (let i = 0; i < size; i++) {
      const bucket = bits === 0 ? 0 : digest(starts, i * width, width, this.prefix) >>> this.shift;
      buckets[bucket + 1]!++;
    }
    for (let i = 1; i < buckets.length; i++) buckets[i]! += buckets[i - 1]!;
    this.buckets = buckets;
  }
}

/** 32 bits of a key from bit `prefix` on, unsigned. */
function digest(values: Uint32Array, at: number, width: number, prefix: number): number {
  const word = prefix >>> 5;
  const bit = prefix & 31;
  const high = values[at + word]!;
  if (bit === 0 || word + 1 >= width) return (high << bit) >>> 0;
  return ((high << bit) | (values[at + word + 1]! >>> (32 - bit))) >>> 0;
}

function compareKeys(store: ElementStore, a: number, b: number): number {
  const { keys, keyWords } = store;
  for (let i = 0; i < keyWords; i++) {
    const x = big(keys[a * keyWords + i]!) >>> 0;
    const y = big(keys[b * keyWords + i]!) >>> 0;
    if (x !== y) return x - y;
  }
  return 0;
}
