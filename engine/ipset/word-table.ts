import type { Random } from '../base/random.ts';

/** No row. */
export const NO_ROW = -1;

/**
 * A hash table whose keys are a fixed number of words: open addressing with linear probing over rows that stay where
 * they are, so that callers keep what belongs to a row in arrays of their own. A search makes nothing and takes as
 * long in a large table as in a small one.
 */
export class WordTable {
  /** Words of a key. */
  readonly width: number;
  /** How many rows are taken. */
  count = 0;
  /** Rows ever handed out: they are numbered below this. */
  rows = 0;

  private words: Int32Array;
  private slots: Int32Array = new Int32Array(16).fill(NO_ROW);
  private readonly mask: number;
  private readonly mul: number;
  private readonly free: number[] = [];
  private alive: Uint8Array = new Uint8Array(8);

  /** @param random draws the hash's secret */
  constructor(width: number, random: Random) {
    this.width = width;
    this.words = new Int32Array(8 * width);
    this.mask = random.word();
    this.mul = random.word() | 1;
  }

  /** The row of a key, {@link NO_ROW} if there is none. */
  find(key: Int32Array): number {
    const { slots } = this;
    const last = slots.length - 1;
    for (let at = this.hash(key, 0) & last; ; at = (at + 1) & last) {
      const row = slots[at]!;
      if (row === NO_ROW || this.equal(row, key)) return row;
    }
  }

  /** The row of a key, made if there is none. */
  insert(key: Int32Array): number {
    const found = this.find(key);
    if (found !== NO_ROW) return found;
    if (2 * (this.count + 1) > this.slots.length) this.grow();
    const row = this.free.pop() ?? this.newRow();
    this.words.set(key.subarray(0, this.width), row * this.width);
    this.alive[row] = 1;
    this.count++;
    this.place(row);
    return row;
  }

  /** Takes a row out; its number may be handed out again. */
  remove(row: number): void {
    const { slots } = this;
    const last = slots.length - 1;
    let hole = this.hash(this.words, row * this.width) & last;
    while (slots[hole] !== row) hole = (hole + 1) & last;
    // Whoever was pushed past the hole moves up into it, so that no search ends too early.
    for (let at = (hole + 1) & last; slots[at] !== NO_ROW; at = (at + 1) & last) {
      const home = this.hash(this.words, slots[at]! * this.width) & last;
      if (((at - home) & last) >= ((at - hole) & last)) {
        slots[hole] = slots[at]!;
        hole = at;
      }
    }
    slots[hole] = NO_ROW;
    this.alive[row] = 0;
    this.free.push(row);
    this.count--;
  }

  /** Whether a row is taken. */
  has(row: number): boolean {
    return this.alive[row] === 1;
  }

  /** One word of a row's key. */
  word(row: number, i: number): number {
    return this.words[row * this.width + i]!;
  }

  /** Takes all rows out. */
  clear(): void {
    this.slots.fill(NO_ROW);
    this.alive.fill(0);
    this.free.length = 0;
    this.count = 0;
    this.rows = 0;
  }

  private hash(from: Int32Array, at: number): number {
    let h = this.mask;
    for (let i = 0; i < this.width; i++) {
      h = Math.imul(h ^ from[at + i]!, this.mul);
      h ^= h >>> 15;
    }
    h = Math.imul(h, 0x2c1b3c6d);
    return h ^ (h >>> 13);
  }

  private equal(row: number, key: Int32Array): boolean {
    const at = row * this.width;
    for (let i = 0; i < this.width; i++) if (this.words[at + i] !== key[i]) return false;
    return true;
  }

  private newRow(): number {
    const row = this.rows++;
    if (row < this.alive.length) return row;
    const words = new Int32Array(this.words.length * 2);
    words.set(this.words);
    this.words = words;
    const alive = new Uint8Array(this.alive.length * 2);
    alive.set(this.alive);
    this.alive = alive;
    return row;
  }

  private place(row: number): void {
    const last = this.slots.length - 1;
    let at = this.hash(this.words, row * this.width) & last;
    while (this.slots[at] !== NO_ROW) at = (at + 1) & last;
    this.slots[at] = row;
  }

  private grow(): void {
    this.slots = new Int32Array(this.slots.length * 2).fill(NO_ROW);
    for (let row = 0; row < this.rows; row++) if (this.has(row)) this.place(row);
  }
}
