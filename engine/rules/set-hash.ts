import { hashSeed, setHashSeed } from '../base/hash-seed.ts';
import { Random } from '../base/random.ts';
import type { SetIndex } from './set-index.ts';
import type { ElementStore } from './set-store.ts';

/** Slots of a new table: no more than V8 keeps with the array itself. */
const START = 8;
/** Registers hold sixteen words. */
const MOST_WORDS = 16;

/** For each word of a key a mask and two odd multipliers, as base/hash.ts has them for tuples. */
const MASK = new Int32Array(MOST_WORDS);
const MUL = new Int32Array(MOST_WORDS);
const MIX = new Int32Array(MOST_WORDS);

function drawKey(): void {
  const random = new Random(hashSeed());
  for (let i = 0; i < MOST_WORDS; i++) {
    MASK[i] = random.word();
    MUL[i] = random.word() | 1;
    MIX[i] = random.word() | 1;
  }
}

drawKey();

/**
 * Keys the hash tables of rules: whoever knows the key can choose addresses that all meet in one place. To be called
 * before any rules are read, by programs whose packets come from strangers.
 * @param seed any number that they cannot know
 */
export function keyHashTables(seed: number): void {
  setHashSeed(seed);
  drawKey();
}

/** A key without what stands behind it in its last register. */
const maskedScratch = new Int32Array(MOST_WORDS);

/** The hash of `count` words from `at`. */
export function hashKeyWords(words: Int32Array, at: number, count: number): number {
  let h = 0;
  for (let i = 0; i < count; i++) {
    const x = Math.imul(words[at + i]! ^ MASK[i]!, MUL[i]!);
    h ^= Math.imul(x ^ (x >>> 15), MIX[i]!);
  }
  h = Math.imul(h ^ (h >>> 16), 0x45d9f3b);
  return h ^ (h >>> 15);
}

/** Single keys: an open-addressed table of [hash, row + 1] pairs, at most half full. */
export class HashIndex implements SetIndex {
  private readonly store: ElementStore;
  private slots = new Int32Array(START * 2);
  private mask = START - 1;
  private occupied = 0;
  /** Which bits of a key's last word count: registers may hold more behind a short value. */
  private readonly lastMask: number;

  /** @param keyLen bytes of a key */
  constructor(store: ElementStore, keyLen: number) {
    this.store = store;
    const rest = keyLen & 3;
    this.lastMask = rest === 0 ? -1 : (1 << (rest * 8)) - 1;
  }

  find(words: Int32Array, at: number, now: number): number {
    const { keyWords } = this.store;
    let from = words;
    let first = at;
    if (this.lastMask !== -1 && (words[at + keyWords - 1]! & ~this.lastMask) !== 0) {
      from = this.masked(words, at);
      first = 0;
    }
    const row = this.probe(from, first);
    return row >= 0 && this.store.isExpired(row, now) ? -1 : row;
  }

  private masked(words: Int32Array, at: number): Int32Array {
    const { keyWords } = this.store;
    for (let i = 0; i < keyWords; i++) maskedScratch[i] = words[at + i]!;
    maskedScratch[keyWords - 1]! &= this.lastMask;
    return maskedScratch;
  }

  private probe(words: Int32Array, at: number): number {
    const { slots, mask } = this;
    const { keys, keyWords } = this.store;
    const tag = hashKeyWords(words, at, keyWords);
    for (let slot = tag & mask; ; slot = (slot + 1) & mask) {
      const row = slots[slot * 2 + 1]! - 1;
      if (row < 0) return -1;
      if (slots[slot * 2] !== tag) continue;
      const key = row * keyWords;
      let i = 0;
      while (i < keyWords && keys[key + i] === words[at + i]) i++;
      if (i === keyWords) return row;
    }
  }

  exact(key: Int32Array): number {
    return this.probe(key, 0);
  }

  overlaps(): boolean {
    return false;
  }

  insert(row: number): void {
    if (++this.occupied * 2 > this.mask + 1) this.resize((this.mask + 1) * 2);
    const { keyWords, keys } = this.store;
    this.place(hashKeyWords(keys, row * keyWords, keyWords), row + 1);
  }

  private place(tag: number, entry: number): void {
    const { slots, mask } = this;
    let slot = tag & mask;
    while (slots[slot * 2 + 1] !== 0) slot = (slot + 1) & mask;
    slots[slot * 2] = tag;
    slots[slot * 2 + 1] = entry;
  }

  reserve(count: number): void {
    let size = this.mask + 1;
    while ((this.occupied + count) * 2 > size) size *= 2;
    if (size > this.mask + 1) this.resize(size);
  }

  private resize(size: number): void {
    const old = this.slots;
    this.slots = new Int32Array(size * 2);
    this.mask = size - 1;
    for (let i = 0; i < old.length; i += 2) if (old[i + 1] !== 0) this.place(old[i]!, old[i + 1]!);
  }

  /** Empties the slot and shifts back what had been pushed past it, so that no tombstone stays. */
  remove(row: number): void {
    const { slots, mask } = this;
    const { keyWords, keys } = this.store;
    let hole = hashKeyWords(keys, row * keyWords, keyWords) & mask;
    while (slots[hole * 2 + 1] !== row + 1) hole = (hole + 1) & mask;
    for (let slot = (hole + 1) & mask; slots[slot * 2 + 1] !== 0; slot = (slot + 1) & mask) {
      const home = slots[slot * 2]! & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots[hole * 2] = slots[slot * 2]!;
      slots[hole * 2 + 1] = slots[slot * 2 + 1]!;
      hole = slot;
    }
    slots[hole * 2 + 1] = 0;
    this.occupied--;
  }

  clear(): void {
    this.slots = new Int32Array(START * 2);
    this.mask = START - 1;
    this.occupied = 0;
  }

  order(): number[] {
    return this.store.rows();
  }
}
