import { type HashKey, hashWords } from '../base/hash.ts';

const START = 64;

/**
 * Every IPv6 address that a flow holds, once. A tuple then holds a small number (the handle) where it would
 * hold four words, and a packet whose address is not here belongs to no flow. Handles are counted: when the
 * last flow lets go of one, it is free for another address.
 */
export class AddressPool {
  private readonly key: HashKey;
  /** Four words an address, by handle. Handle 0 is no address. */
  private words = new Int32Array(START * 4);
  /** How many references hold each handle; a free handle holds the next free one. */
  private refs = new Int32Array(START);
  /** Open-addressed table of handles. */
  private slots = new Int32Array(START * 2);
  private used = 1;
  private free = 0;
  private live = 0;

  /** @param key secret of the hash */
  constructor(key: HashKey) {
    this.key = key;
  }

  /** Addresses held. */
  get size(): number {
    return this.live;
  }

  /** One of the four words (0 to 3) of the address with a handle. */
  word(handle: number, index: number): number {
    return this.words[handle * 4 + index]!;
  }

  /**
   * The handle of an address, or 0 if no flow holds it.
   * @param at first of its 16 bytes
   */
  find(view: DataView, at: number): number {
    return this.slots[
      this.probe(view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), view.getInt32(at + 12))
    ]!;
  }

  /** The handle of an address given as four words, or 0 if no flow holds it. */
  lookup(a: number, b: number, c: number, d: number): number {
    return this.slots[this.probe(a, b, c, d)]!;
  }

  /** The handle of an address, which becomes one if it was none; not yet counted, see {@link hold}. */
  intern(a: number, b: number, c: number, d: number): number {
    let slot = this.probe(a, b, c, d);
    const found = this.slots[slot]!;
    if (found !== 0) return found;
    if ((this.live + 1) * 2 > this.slots.length) {
      this.rehash(this.slots.length * 2);
      slot = this.probe(a, b, c, d);
    }
    const handle = this.takeHandle();
    this.words[handle * 4] = a;
    this.words[handle * 4 + 1] = b;
    this.words[handle * 4 + 2] = c;
    this.words[handle * 4 + 3] = d;
    this.refs[handle] = 0;
    this.slots[slot] = handle;
    this.live++;
    return handle;
  }

  /** Counts one more reference. */
  hold(handle: number): void {
    this.refs[handle]!++;
  }

  /** Counts one reference less; the last one frees the handle. */
  release(handle: number): void {
    if (--this.refs[handle]! > 0) return;
    this.vacate(handle);
    this.refs[handle] = this.free;
    this.free = handle;
    this.live--;
  }

  private hash(a: number, b: number, c: number, d: number): number {
    return hashWords(this.key, a, b, c, d);
  }

  /** The slot that holds the address, or the empty one where it belongs. */
  private probe(a: number, b: number, c: number, d: number): number {
    const mask = this.slots.length - 1;
    const w = this.words;
    let slot = this.hash(a, b, c, d) & mask;
    for (;;) {
      const handle = this.slots[slot]!;
      if (handle === 0) return slot;
      const at = handle * 4;
      if (w[at + 3] === d && w[at + 2] === c && w[at + 1] === b && w[at] === a) return slot;
      slot = (slot + 1) & mask;
    }
  }

  private homeOf(handle: number): number {
    const at = handle * 4;
    const w = this.words;
    return this.hash(w[at]!, w[at + 1]!, w[at + 2]!, w[at + 3]!) & (this.slots.length - 1);
  }

  /** Empties the handle's slot and shifts back what had been pushed past it, so that no tombstone stays. */
  private vacate(handle: number): void {
    const mask = this.slots.length - 1;
    const at = handle * 4;
    let hole = this.probe(this.words[at]!, this.words[at + 1]!, this.words[at + 2]!, this.words[at + 3]!);
    let slot = hole;
    for (;;) {
      slot = (slot + 1) & mask;
      const other = this.slots[slot]!;
      if (other === 0) break;
      if (((slot - this.homeOf(other)) & mask) >= ((slot - hole) & mask)) {
        this.slots[hole] = other;
        hole = slot;
      }
    }
    this.slots[hole] = 0;
  }

  private takeHandle(): number {
    if (this.free !== 0) {
      const handle = this.free;
      this.free = this.refs[handle]!;
      return handle;
    }
    if (this.used === this.refs.length) {
      this.words = grown(this.words);
      this.refs = grown(this.refs);
    }
    return this.used++;
  }

  private rehash(length: number): void {
    const old = this.slots;
    this.slots = new Int32Array(length);
    const mask = length - 1;
    for (const handle of old) {
      if (handle === 0) continue;
      let slot = this.homeOf(handle);
      while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
      this.slots[slot] = handle;
    }
  }
}

/** A copy of twice the length. */
function grown(words: Int32Array): Int32Array<ArrayBuffer> {
  const out = new Int32Array(words.length * 2);
  out.set(words);
  return out;
}
