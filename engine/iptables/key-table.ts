/**
 * A hash table of keys of a few words each, which makes nothing for a look-up. A row is a number from 1 on that
 * stays the same until it is removed; whoever owns the table keeps its own arrays by row.
 */
export class KeyTable {
  /** The keys, `words` to a row. */
  keys: Int32Array;
  /** How many rows are in use. */
  size = 0;
  /** Rows from 1 to here may be in use. */
  last = 0;
  private readonly words: number;
  private heads: Int32Array;
  private next: Int32Array;
  /** 1 for rows in use. */
  private used: Uint8Array;
  private free = 0;

  /** @param words of a key */
  constructor(words: number) {
    this.words = words;
    this.heads = new Int32Array(FIRST_ROWS);
    this.next = new Int32Array(FIRST_ROWS);
    this.used = new Uint8Array(FIRST_ROWS);
    this.keys = new Int32Array(FIRST_ROWS * words);
  }

  /** How many rows there is room for, row 0 included. */
  get capacity(): number {
    return this.next.length;
  }

  private bucket(key: Int32Array): number {
    let h = 0;
    for (let i = 0; i < this.words; i++) {
      h = Math.imul(h ^ key[i]!, 0x9e3779b1);
      h ^= h >>> 15;
    }
    return h & (this.heads.length - 1);
  }

  /** The row of a key, 0 if there is none. */
  find(key: Int32Array): number {
    for (let row = this.heads[this.bucket(key)]!; row !== 0; row = this.next[row]!)
      if (this.same(row, key)) return row;
    return 0;
  }

  private same(row: number, key: Int32Array): boolean {
    const at = row * this.words;
    for (let i = 0; i < this.words; i++) if (this.keys[at + i] !== key[i]) return false;
    return true;
  }

  /** Whether a row is in use. */
  has(row: number): boolean {
    return this.used[row] === 1;
  }

  /** A new row for a key that is not in the table. */
  add(key: Int32Array): number {
    if (this.free === 0 && this.last + 1 >= this.capacity) this.grow();
    let row = this.free;
    if (row === 0) row = ++this.last;
    else this.free = this.next[row]!;
    this.keys.set(key, row * this.words);
    this.used[row] = 1;
    this.size++;
    const bucket = this.bucket(key);
    this.next[row] = this.heads[bucket]!;
    this.heads[bucket] = row;
    return row;
  }

  /** Frees a row. */
  remove(row: number): void {
    const bucket = this.bucket(this.keys.subarray(row * this.words, (row + 1) * this.words));
    let at = this.heads[bucket]!;
    if (at === row) this.heads[bucket] = this.next[row]!;
    else {
      while (this.next[at] !== row) at = this.next[at]!;
      this.next[at] = this.next[row]!;
    }
    this.used[row] = 0;
    this.next[row] = this.free;
    this.free = row;
    this.size--;
  }

  private grow(): void {
    const rows = this.capacity * 2;
    const { keys, used } = this;
    this.keys = new Int32Array(rows * this.words);
    this.keys.set(keys);
    this.used = new Uint8Array(rows);
    this.used.set(used);
    this.next = new Int32Array(rows);
    this.heads = new Int32Array(rows);
    for (let row = 1; row <= this.last; row++) {
      const bucket = this.bucket(this.keys.subarray(row * this.words, (row + 1) * this.words));
      this.next[row] = this.heads[bucket]!;
      this.heads[bucket] = row;
    }
  }
}

const FIRST_ROWS = 16;
