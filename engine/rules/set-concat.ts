import { hashKeyWords } from './set-hash.ts';
import type { SetIndex } from './set-index.ts';
import type { ElementStore } from './set-store.ts';

/** An element whose ranges would fall into more prefixes than this is compared as it is. */
const MOST_PREFIXES = 4096;

/** A range of a field, cut into prefixes: value and mask, each as many bytes as the field has. */
interface Prefix {
  readonly value: Uint8Array;
  readonly mask: Uint8Array;
}

/** All elements that look at the same bits of the key, in a hash table of the masked keys. */
class Shape {
  readonly mask: Int32Array;
  /** Masked keys, one an entry. */
  private keys: Int32Array;
  private readonly entryRows: number[] = [];
  /** The next entry with the same masked key, -1 for none. */
  private readonly next: number[] = [];
  private slots: Int32Array = new Int32Array(32);

  constructor(mask: Int32Array) {
    this.mask = mask;
    this.keys = new Int32Array(16 * mask.length);
  }

  /** @param key masked */
  add(key: Int32Array, row: number): void {
    const width = this.mask.length;
    const entry = this.entryRows.length;
    if ((entry + 1) * 2 > this.slots.length) this.grow();
    if ((entry + 1) * width > this.keys.length) {
      const keys = new Int32Array(this.keys.length * 2);
      keys.set(this.keys);
      this.keys = keys;
    }
    this.keys.set(key, entry * width);
    this.entryRows.push(row);
    const slot = this.slotOf(key);
    this.next.push(this.slots[slot]! - 1);
    this.slots[slot] = entry + 1;
  }

  /** The slot of a masked key: the one that holds it, or the empty one where it belongs. */
  private slotOf(key: Int32Array): number {
    const width = this.mask.length;
    const { slots, keys } = this;
    const last = slots.length - 1;
    for (let slot = hashKeyWords(key, 0, width) & last; ; slot = (slot + 1) & last) {
      const entry = slots[slot]! - 1;
      if (entry < 0) return slot;
      let i = 0;
      while (i < width && keys[entry * width + i] === key[i]) i++;
      if (i === width) return slot;
    }
  }

  private grow(): void {
    const heads = this.slots.filter((entry) => entry > 0);
    this.slots = new Int32Array(this.slots.length * 2);
    const width = this.mask.length;
    for (const entry of heads)
      this.slots[this.slotOf(this.keys.subarray((entry - 1) * width, entry * width))] = entry;
  }

  /** The lowest row that is below `best`, holds the key and has not expired; `best` if there is none. */
  find(key: Int32Array, best: number, store: ElementStore, now: number): number {
    for (let entry = this.slots[this.slotOf(key)]! - 1; entry >= 0; entry = this.next[entry]!) {
      const row = this.entryRows[entry]!;
      if (row < best && store.live[row] === 1 && !store.isExpired(row, now)) best = row;
    }
    return best;
  }
}

/**
 * Concatenations of which some fields are ranges. Each range is cut into prefixes; all combinations that look at the
 * same bits of the key share a hash table. A lookup asks each of these, of which real sets need a handful: its time
 * does not grow with the number of elements. Of several elements that hold a key the one that was added first wins.
 */
export class ConcatIndex implements SetIndex {
  private readonly store: ElementStore;
  private readonly fields: readonly number[];
  private shapes: Shape[] = [];
  /** Rows that no shape holds. */
  private wide: number[] = [];
  /** Keys and ends together, to find an element by both. */
  private whole: Shape;
  private readonly scratch: Int32Array;
  private readonly wholeScratch: Int32Array;
  private readonly maskScratch: Int32Array;

  /**
   * @param store that never uses a row again
   * @param fields bytes of each field; in the key each is filled up to four
   */
  constructor(store: ElementStore, fields: readonly number[]) {
    this.store = store;
    this.fields = fields;
    this.scratch = new Int32Array(store.keyWords);
    this.wholeScratch = new Int32Array(store.keyWords * 2);
    this.maskScratch = new Int32Array(store.keyWords);
    this.whole = new Shape(this.wholeScratch.slice().fill(-1));
  }

  find(words: Int32Array, at: number, now: number): number {
    const none = this.store.used;
    const { scratch, shapes } = this;
    let best = none;
    for (let s = 0; s < shapes.length; s++) {
      const shape = shapes[s]!;
      for (let i = 0; i < scratch.length; i++) scratch[i] = words[at + i]! & shape.mask[i]!;
      best = shape.find(scratch, best, this.store, now);
    }
    for (let i = 0; i < this.wide.length; i++) {
      const row = this.wide[i]!;
      const { live } = this.store;
      if (row < best && live[row] === 1 && this.holds(row, words, at) && !this.store.isExpired(row, now))
        best = row;
    }
    return best === none ? -1 : best;
  }

  /** Compares field by field, each as a big-endian number. */
  private holds(row: number, words: Int32Array, at: number): boolean {
    const { keys, ends, keyWords } = this.store;
    let word = 0;
    for (const bytes of this.fields) {
      const count = (bytes + 3) >> 2;
      if (compareBig(words, at + word, keys, row * keyWords + word, count) < 0) return false;
      if (compareBig(words, at + word, ends!, row * keyWords + word, count) > 0) return false;
      word += count;
    }
    return true;
  }

  exact(key: Int32Array, end: Int32Array | null): number {
    const { wholeScratch: both, store } = this;
    both.set(key);
    both.set(end ?? key, key.length);
    const row = this.whole.find(both, store.used, store, Number.NEGATIVE_INFINITY);
    return row === store.used ? -1 : row;
  }

  /** The kernel refuses an element whose start or end lies in another one. */
  overlaps(key: Int32Array, end: Int32Array | null): boolean {
    return (
      this.find(key, 0, Number.NEGATIVE_INFINITY) >= 0 ||
      (end !== null && this.find(end, 0, Number.NEGATIVE_INFINITY) >= 0)
    );
  }

  insert(row: number): void {
    const { keys, ends, keyWords } = this.store;
    const both = this.wholeScratch;
    for (let i = 0; i < keyWords; i++) {
      both[i] = keys[row * keyWords + i]!;
      both[keyWords + i] = ends![row * keyWords + i]!;
    }
    this.whole.add(both, row);
    this.place(row);
  }

  /** Entries of rows that hold nothing any more are passed over. */
  remove(): void {}

  reserve(): void {}

  clear(): void {
    this.shapes = [];
    this.wide = [];
    this.whole = new Shape(this.whole.mask);
  }

  order(): number[] {
    return this.store.rows();
  }

  private place(row: number): void {
    const { keys, ends, keyWords } = this.store;
    const { scratch, maskScratch } = this;
    const from = row * keyWords;
    if (!prefixMaskWords(keys, ends!, from, this.fields, maskScratch)) {
      this.placeRanges(row);
      return;
    }
    for (let i = 0; i < keyWords; i++) scratch[i] = keys[from + i]!;
    this.shapeOf(maskScratch).add(scratch, row);
  }

  /** An element of which a range is no prefix. */
  private placeRanges(row: number): void {
    const { keys, ends, keyWords } = this.store;
    const key = new Uint8Array(keys.buffer, keys.byteOffset + row * keyWords * 4, keyWords * 4);
    const end = new Uint8Array(ends!.buffer, ends!.byteOffset + row * keyWords * 4, keyWords * 4);
    const choices: Prefix[][] = [];
    let at = 0;
    let count = 1;
    for (const bytes of this.fields) {
      const prefixes = cutRange(key.subarray(at, at + bytes), end.subarray(at, at + bytes));
      choices.push(prefixes);
      count *= prefixes.length;
      at += (bytes + 3) & ~3;
    }
    if (count > MOST_PREFIXES) this.wide.push(row);
    else this.combine(choices, 0, 0, new Uint8Array(keyWords * 4), new Uint8Array(keyWords * 4), row);
  }

  /** Enters every combination of one prefix a field. */
  private combine(
    choices: readonly Prefix[][],
    field: number,
    at: number,
    value: Uint8Array,
    mask: Uint8Array,
    row: number,
  ): void {
    if (field === choices.length) {
      const maskWords = new Int32Array(mask.slice().buffer);
      this.shapeOf(maskWords).add(new Int32Array(value.slice().buffer), row);
      return;
    }
    for (const prefix of choices[field]!) {
      value.set(prefix.value, at);
      mask.set(prefix.mask, at);
      this.combine(choices, field + 1, at + ((this.fields[field]! + 3) & ~3), value, mask, row);
    }
  }

  private shapeOf(mask: Int32Array): Shape {
    for (const shape of this.shapes) if (sameWords(shape.mask, mask)) return shape;
    const shape = new Shape(mask.slice());
    this.shapes.push(shape);
    return shape;
  }
}

function compareBig(a: Int32Array, aAt: number, b: Int32Array, bAt: number, count: number): number {
  for (let i = 0; i < count; i++) {
    let x = a[aAt + i]!;
    let y = b[bAt + i]!;
    if (x === y) continue;
    // The first byte in memory, the lowest of the word, weighs most.
    while ((x & 0xff) === (y & 0xff)) {
      x >>>= 8;
      y >>>= 8;
    }
    return (x & 0xff) - (y & 0xff);
  }
  return 0;
}

/** A range of big-endian numbers as the fewest prefixes that make it up. */
export function cutRange(from: Uint8Array, to: Uint8Array): Prefix[] {
  const mask = prefixMask(from, to);
  if (mask !== null) return [{ value: from, mask }];
  const bits = from.length * 8;
  let low = toBigInt(from);
  const high = toBigInt(to);
  const all = (1n << BigInt(bits)) - 1n;
  const out: Prefix[] = [];
  while (low <= high) {
    let size = 0n;
    while (size < bits && (low & (1n << size)) === 0n && low + (1n << (size + 1n)) - 1n <= high) size++;
    out.push({
      value: toBytes(low, from.length),
      mask: toBytes(all ^ ((1n << size) - 1n), from.length),
    });
    low += 1n << size;
  }
  return out;
}

/** The mask of a range that is one prefix, as nearly all are; null if it is none. */
function prefixMask(from: Uint8Array, to: Uint8Array): Uint8Array | null {
  const mask = new Uint8Array(from.length);
  let i = 0;
  while (i < from.length && from[i] === to[i]) mask[i++] = 0xff;
  if (i === from.length) return mask;
  const free = from[i]! ^ to[i]!;
  if ((free & (free + 1)) !== 0 || (from[i]! & free) !== 0) return null;
  mask[i] = 0xff ^ free;
  while (++i < from.length) if (from[i] !== 0 || to[i] !== 0xff) return null;
  return mask;
}

function toBigInt(bytes: Uint8Array): bigint {
  let out = 0n;
  for (const byte of bytes) out = (out << 8n) | BigInt(byte);
  return out;
}

function toBytes(value: bigint, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let i = length - 1; i >= 0; i--) {
    out[i] = Number(value & 0xffn);
    value >>= 8n;
  }
  return out;
}

function sameWords(a: Int32Array, b: Int32Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * The mask of a key of which every field's range is one prefix. Returns false if one is none.
 * @param from first word of the element
 */
function prefixMaskWords(
  keys: Int32Array,
  ends: Int32Array,
  from: number,
  fields: readonly number[],
  out: Int32Array,
): boolean {
  let word = 0;
  for (const length of fields) {
    const count = (length + 3) >> 2;
    let isOpen = false;
    for (let i = 0; i < count; i++) {
      const bytes = Math.min(4, length - i * 4);
      const mask = prefixMaskWord(keys[from + word]!, ends[from + word]!, bytes, isOpen);
      if (mask === NO_PREFIX) return false;
      isOpen ||= mask !== WHOLE[bytes];
      out[word++] = mask;
    }
  }
  return true;
}

/** By bytes of a word that count: the word of which all their bits are set. */
const WHOLE: readonly number[] = [0, 0xff, 0xffff, 0xffffff, -1];
/** No mask of a prefix: its lowest bit in memory order is not set, but others are. */
const NO_PREFIX = 1;

/** @param isOpen whether the word lies behind a prefix, so that it must hold every number */
function prefixMaskWord(key: number, end: number, bytes: number, isOpen: boolean): number {
  if (isOpen) return key === 0 && end === WHOLE[bytes] ? 0 : NO_PREFIX;
  let mask = 0;
  let open = false;
  for (let i = 0; i < bytes; i++) {
    const low = (key >>> (8 * i)) & 0xff;
    const high = (end >>> (8 * i)) & 0xff;
    const free = low ^ high;
    if (open ? low !== 0 || high !== 0xff : (free & (free + 1)) !== 0 || (low & free) !== 0) return NO_PREFIX;
    if (!open) mask |= (0xff ^ free) << (8 * i);
    open ||= free !== 0;
  }
  return mask;
}
