import type { Random } from '../base/random.ts';

const START = 16;

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
  /** Pairs of a key's hash and its row + 1, 0 for none: with the hash beside it no other row's key is looked at. */
  private slots: Int32Array = new Int32Array(2 * START);
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
    const hash = this.hash(key, 0);
    for (let at = (hash << 1) & last; ; at = (at + 2) & last) {
      const row = slots[at + 1]! - 1;
      if (row === NO_ROW || (slots[at] === hash && this.equal(row, key))) return row;
    }
  }

  /** The row of a key, made if there is none. */
  insert(key: Int32Array): number {
    const found = this.find(key);
    if (found !== NO_ROW) return found;
    // At most half full.
    if (4 * (this.count + 1) > this.slots.length) this.grow();
    const row = this.free.pop() ?? this.newRow();
    const first = row * this.width;
    for (let i = 0; i < this.width; i++) this.words[first + i] = key[i]!;
    this.alive[row] = 1;
    this.count++;
    this.place(this.hash(key, 0), row + 1);
    return row;
  }

  /** Takes a row out; its number may be handed out again. */
  remove(row: number): void {
    const { slots } = this;
    const last = slots.length - 1;
    let hole = (this.hash(this.words, row * this.width) << 1) & last;
    while (slots[hole + 1] !== row + 1) hole = (hole + 2) & last;
    // Whoever was pushed past the hole moves up into it, so that no search ends too early.
    for (let at = (hole + 2) & last; slots[at + 1] !== 0; at = (at + 2) & last) {
      const home = (slots[at]! << 1) & last;
      if (((at - home) & last) >= ((at - hole) & last)) {
        slots[hole] = slots[at]!;
        slots[hole + 1] = slots[at + 1]!;
        hole = at;
      }
    }
    slots[hole + 1] = 0;
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
    this.slots.fill(0);
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

  private place(hash: number, entry: number): void {
    const { slots } = this;
    const last = slots.length - 1;
    let at = (hash << 1) & last;
    while (slots[at + 1] !== 0) at = (at + 2) & last;
    slots[at] = hash;
    slots[at + 1] = entry;
  }

  private grow(): void {
    const old = this.slots;
    this.slots = new Int32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 2) if (old[at + 1] !== 0) this.place(old[at]!, old[at + 1]!);
  }
}
