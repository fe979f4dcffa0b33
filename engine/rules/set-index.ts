/** How a set finds its elements by key. */
export interface SetIndex {
  /**
   * Finds the element that holds a key.
   * @param words the key's words as in registers, from `at` on
   * @param now virtual time (ms): elements whose time has run out are passed over
   * @returns its row, or -1
   */
  find(words: Int32Array, at: number, now: number): number;
  /** The row whose key and end are exactly these words, or -1. */
  exact(key: Int32Array, end: Int32Array | null): number;
  /** Whether a new element (key and end in words) may not stand beside those that are there. */
  overlaps(key: Int32Array, end: Int32Array | null): boolean;
  /** A row was written. */
  insert(row: number): void;
  /** A row is about to be released. */
  remove(row: number): void;
  /** So many rows are about to be written. */
  reserve(count: number): void;
  /** Every row was released. */
  clear(): void;
  /** Rows in the order in which they are listed. */
  order(): number[];
}
