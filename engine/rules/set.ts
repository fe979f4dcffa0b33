import type { VerdictExpr } from './expr-verdict.ts';
import type { HookState } from './hook-state.ts';
import type { RuleObject } from './rule-object.ts';
import { ConcatIndex } from './set-concat.ts';
import type { AddResult, NewElement, SetElement } from './set-element.ts';
import { HashIndex } from './set-hash.ts';
import type { SetIndex } from './set-index.ts';
import { IntervalIndex } from './set-interval.ts';
import type { RuleSetSpec } from './set-spec.ts';
import { ElementStore, jiffies } from './set-store.ts';
import type { StatefulExpr } from './stateful.ts';

const NO_EXPRS: readonly StatefulExpr[] = [];
const NO_WORDS: Int32Array = new Int32Array(0);
const FEW = 32;

/** A set or map as rules look things up in it. Lookups allocate nothing and take as long however many elements it has. */
export class RuleSet {
  readonly name: string;
  readonly spec: RuleSetSpec;
  readonly store: ElementStore;
  private readonly index: SetIndex;
  private readonly keyScratch: Int32Array;
  private readonly endScratch: Int32Array;
  private readonly dataScratch: Int32Array;
  /** Row of the catch-all element, -1 for none. */
  private catchall = -1;
  /** No element expires before this (ms). */
  private earliest: number = Number.POSITIVE_INFINITY;
  /** Grows with each change, so that copies made for the hot path know when they are old. */
  version = 0;
  /** When a packet last changed it (virtual time, ms), NaN if none did. */
  changed: number = Number.NaN;

  constructor(spec: RuleSetSpec) {
    this.name = spec.name;
    this.spec = spec;
    const ranged = spec.interval === true;
    const keyWords = (spec.keyLen + 3) >> 2;
    const concatenated = ranged && spec.fields !== undefined && spec.fields.length > 1;
    this.store = new ElementStore(keyWords, ((spec.dataLen ?? 0) + 3) >> 2, ranged, !concatenated);
    this.keyScratch = new Int32Array(keyWords);
    this.endScratch = ranged ? new Int32Array(keyWords) : NO_WORDS;
    this.dataScratch = this.store.dataWords > 0 ? new Int32Array(this.store.dataWords) : NO_WORDS;
    if (!ranged) this.index = new HashIndex(this.store, spec.keyLen);
    else if (concatenated) this.index = new ConcatIndex(this.store, spec.fields);
    else this.index = new IntervalIndex(this.store);
  }

  /** How many elements it holds, those included whose time has run out but that were not cleared away yet. */
  get size(): number {
    return this.store.count;
  }

  /**
   * Looks up the key in a packet's registers.
   * @param at first word of the register
   * @returns the element's row, or -1
   */
  find(state: HookState, at: number): number {
    if (this.store.waiting !== null) this.store.begin(state.now);
    const row = this.index.find(state.words, at, state.now);
    if (row >= 0 || this.catchall < 0) return row;
    return this.store.isExpired(this.catchall, state.now) ? -1 : this.catchall;
  }

  /** Copies an element's value into registers, from word `at` on. */
  copyData(row: number, state: HookState, at: number): void {
    const { data, dataWords } = this.store;
    for (let i = 0; i < dataWords; i++) state.words[at + i] = data[row * dataWords + i]!;
  }

  /** An element's verdict, null if it is no verdict map. */
  verdict(row: number): VerdictExpr | null {
    return this.store.verdicts[row] ?? null;
  }

  /** The object that an element refers to. */
  object(row: number): RuleObject | null {
    return this.store.objects[row] ?? null;
  }

  /** An element's counters, limits and so on. */
  exprs(row: number): readonly StatefulExpr[] {
    return this.store.exprs[row] ?? NO_EXPRS;
  }

  /**
   * Adds an element.
   * @param now virtual time (ms), from which its timeout counts; NaN: from the next packet on
   */
  add(element: NewElement, now: number): AddResult {
    if (element.catchall === true) return this.addCatchall(element, now);
    const key = this.key(element.key);
    const end = this.end(element.keyEnd);
    const old = this.index.exact(key, end);
    if (old >= 0 && !this.store.isExpired(old, now))
      return this.sameValue(old, element) ? 'exists' : 'conflict';
    if (old >= 0) this.drop(old);
    if (this.index.overlaps(key, end)) return 'conflict';
    if (!this.hasRoom(now)) return 'full';
    this.index.reserve(1);
    this.index.insert(this.write(key, end, element, now));
    this.version++;
    return 'added';
  }

  /**
   * Adds many elements at once: sorted once, not once each.
   * @returns those that were not added, by their place in `elements`, and why
   */
  addAll(elements: readonly NewElement[], now: number): { index: number; result: AddResult }[] {
    this.store.reserve(elements.length);
    const single =
      elements.length <= FEW || !(this.index instanceof IntervalIndex) || (this.spec.size ?? 0) > 0;
    if (!single) return this.addRanges(elements, now);
    this.index.reserve(elements.length);
    const out: { index: number; result: AddResult }[] = [];
    for (let index = 0; index < elements.length; index++) {
      const result = this.add(elements[index]!, now);
      if (result !== 'added') out.push({ index, result });
    }
    return out;
  }

  /** Writes all rows, then looks for those that overlap. */
  private addRanges(elements: readonly NewElement[], now: number): { index: number; result: AddResult }[] {
    const index = this.index as IntervalIndex;
    const places = new Int32Array(this.store.live.length);
    const out: { index: number; result: AddResult }[] = [];
    for (let i = 0; i < elements.length; i++) {
      const element = elements[i]!;
      if (element.catchall === true) {
        const result = this.addCatchall(element, now);
        if (result !== 'added') out.push({ index: i, result });
        continue;
      }
      const row = this.write(this.key(element.key), this.end(element.keyEnd), element, now);
      places[row] = i;
      index.insert(row);
    }
    const gone = new Set<number>();
    for (const [row, other] of index.clashes()) {
      const same = this.sameRange(row, other) && this.sameValue(other, elements[places[row]!]!);
      out.push({ index: places[row]!, result: same ? 'exists' : 'conflict' });
      gone.add(row);
    }
    if (gone.size > 0) index.removeAll(gone);
    for (const row of gone) this.store.release(row);
    this.version++;
    return out;
  }

  /** Removes an element. Returns false if there is none of exactly this key and end. */
  remove(key: Uint8Array, keyEnd: Uint8Array | null, now: number): boolean {
    const row = this.index.exact(this.key(key), this.end(keyEnd));
    if (row < 0) return false;
    const expired = this.store.isExpired(row, now);
    this.drop(row);
    return !expired;
  }

  /** Removes the catch-all element. */
  removeCatchall(): boolean {
    if (this.catchall < 0) return false;
    this.drop(this.catchall);
    return true;
  }

  /** The element that holds a key, null if there is none. */
  get(key: Uint8Array, now: number): SetElement | null {
    const row = this.index.find(this.key(key), 0, now);
    return row < 0 ? null : this.read(row);
  }

  /** All elements whose time has not run out, ranges in order, the catch-all last. */
  elements(now: number): SetElement[] {
    return this.rows(now).map((row) => this.read(row));
  }

  /** The rows of {@link elements}. */
  rows(now: number): number[] {
    const rows = this.index.order().filter((row) => row !== this.catchall);
    if (this.catchall >= 0) rows.push(this.catchall);
    return rows.filter((row) => !this.store.isExpired(row, now));
  }

  /** Removes all elements. */
  flush(): void {
    this.store.clear();
    this.index.clear();
    this.catchall = -1;
    this.earliest = Number.POSITIVE_INFINITY;
    this.version++;
  }

  /**
   * Takes the row of a packet's key, which becomes an element if it was none, for `add` and `update` statements.
   * @param at first word of the key's register
   * @param dataAt first word of the value's register, -1 without
   * @param timeout ms, 0 for the set's own
   * @param exprs what a new element gets copies of
   * @returns the row, or -1 if the set is full
   */
  ensure(
    state: HookState,
    at: number,
    dataAt: number,
    timeout: number,
    exprs: readonly StatefulExpr[],
  ): number {
    const { store } = this;
    const { now } = state;
    if (store.waiting !== null) store.begin(now);
    const found = this.index.find(state.words, at, now);
    if (found >= 0) return found;
    if (!this.hasRoom(now)) return -1;
    for (let i = 0; i < store.keyWords; i++) this.keyScratch[i] = state.words[at + i]!;
    this.clip(this.keyScratch);
    const stale = this.index.exact(this.keyScratch, null);
    if (stale >= 0) this.drop(stale);
    const row = store.take();
    store.keys.set(this.keyScratch, row * store.keyWords);
    if (dataAt >= 0)
      for (let i = 0; i < store.dataWords; i++)
        store.data[row * store.dataWords + i] = state.words[dataAt + i]!;
    this.expire(row, timeout, 0, now);
    if (exprs.length > 0) store.exprs[row] = exprs.map((expr) => expr.clone());
    this.index.insert(row);
    this.version++;
    this.changed = now;
    return row;
  }

  /** Starts an element's time anew. @param timeout ms, 0 for the set's own */
  refresh(row: number, timeout: number, now: number): void {
    const { timeouts } = this.store;
    if (timeouts === null || timeouts[row] === 0) return;
    const length = timeout > 0 ? timeout : (this.spec.timeout ?? 0);
    this.store.setExpiry(row, length, jiffies(now) + jiffies(length));
    this.changed = now;
  }

  /** Removes the element of a packet's key. */
  removeFound(state: HookState, at: number): boolean {
    const row = this.index.find(state.words, at, state.now);
    if (row < 0) return false;
    this.drop(row);
    this.changed = state.now;
    return true;
  }

  /** Whether one more fits, once those whose time has run out are cleared away. */
  private hasRoom(now: number): boolean {
    const most = this.spec.size ?? 0;
    if (most === 0 || this.store.count < most) return true;
    if (now < this.earliest) return false;
    this.collect(now);
    return this.store.count < most;
  }

  /** Clears away what has expired. */
  collect(now: number): void {
    const { store } = this;
    this.earliest = Number.POSITIVE_INFINITY;
    for (let row = 0; row < store.used; row++) {
      if (store.live[row] === 0 || store.expires === null) continue;
      if (store.expires[row]! <= now) this.drop(row);
      else if (store.expires[row]! > now) this.earliest = Math.min(this.earliest, store.expires[row]!);
    }
  }

  /** Removes the element of a row. */
  drop(row: number): void {
    if (row === this.catchall) this.catchall = -1;
    else this.index.remove(row);
    this.store.release(row);
    this.version++;
  }

  private addCatchall(element: NewElement, now: number): AddResult {
    if (this.catchall >= 0) return this.sameValue(this.catchall, element) ? 'exists' : 'conflict';
    this.catchall = this.write(new Int32Array(this.store.keyWords), null, element, now);
    this.version++;
    return 'added';
  }

  private write(key: Int32Array, end: Int32Array | null, element: NewElement, now: number): number {
    const { store } = this;
    const row = store.take();
    store.keys.set(key, row * store.keyWords);
    store.ends?.set(end ?? key, row * store.keyWords);
    if (element.data != null) store.data.set(pack(element.data, this.dataScratch), row * store.dataWords);
    if (this.spec.map === 'verdict') store.verdicts[row] = element.verdict ?? null;
    if (this.spec.map === 'object') store.objects[row] = element.object ?? null;
    const exprs = element.exprs ?? this.spec.exprs?.map((expr) => expr.clone());
    if (exprs !== undefined && exprs.length > 0) store.exprs[row] = exprs;
    if (element.tag !== undefined) store.tags[row] = element.tag;
    this.expire(row, element.timeout ?? 0, element.left ?? 0, now);
    return row;
  }

  private expire(row: number, own: number, left: number, now: number): void {
    const timeout = own > 0 ? own : (this.spec.timeout ?? 0);
    if (timeout === 0) return;
    if (Number.isNaN(now)) {
      this.store.wait(row, timeout, left > 0 ? left : timeout);
      this.earliest = Number.NEGATIVE_INFINITY;
      return;
    }
    const expires = jiffies(now) + jiffies(left > 0 ? left : timeout);
    this.store.setExpiry(row, timeout, expires);
    this.earliest = Math.min(this.earliest, expires);
  }

  private sameRange(row: number, other: number): boolean {
    const { keys, ends, keyWords } = this.store;
    for (let i = 0; i < keyWords; i++) {
      if (keys[row * keyWords + i] !== keys[other * keyWords + i]) return false;
      if (ends![row * keyWords + i] !== ends![other * keyWords + i]) return false;
    }
    return true;
  }

  private sameValue(row: number, element: NewElement): boolean {
    const { store } = this;
    if (this.spec.map === 'verdict') {
      const verdict = store.verdicts[row];
      return verdict?.code === element.verdict?.code && verdict?.chain === element.verdict?.chain;
    }
    if (this.spec.map === 'object') return store.objects[row] === element.object;
    if (element.data == null) return true;
    const data = pack(element.data, this.dataScratch);
    return data.every((word, i) => word === store.data[row * store.dataWords + i]);
  }

  private key(bytes: Uint8Array): Int32Array {
    return pack(bytes, this.keyScratch);
  }

  private end(bytes: Uint8Array | null | undefined): Int32Array | null {
    return this.store.ends === null || bytes == null ? null : pack(bytes, this.endScratch);
  }

  /** Zeros behind a short key's last byte. */
  private clip(key: Int32Array): void {
    const rest = this.spec.keyLen & 3;
    if (rest !== 0) key[this.store.keyWords - 1]! &= (1 << (rest * 8)) - 1;
  }

  /** The element of a row. */
  read(row: number): SetElement {
    const { store, spec } = this;
    const bytes = (from: Int32Array, at: number, length: number): Uint8Array =>
      new Uint8Array(from.buffer, from.byteOffset + at * 4, length).slice();
    const key = bytes(store.keys, row * store.keyWords, spec.keyLen);
    const end = store.ends === null ? null : bytes(store.ends, row * store.keyWords, spec.keyLen);
    return {
      key,
      keyEnd: end?.some((byte, i) => byte !== key[i]) === true ? end : null,
      data: spec.map === 'data' ? bytes(store.data, row * store.dataWords, spec.dataLen ?? 0) : null,
      verdict: store.verdicts[row] ?? null,
      object: store.objects[row] ?? null,
      timeout: store.timeouts?.[row] ?? 0,
      expires: store.expires?.[row] ?? Number.POSITIVE_INFINITY,
      exprs: this.exprs(row),
      catchall: row === this.catchall,
      tag: store.tags[row],
    };
  }
}

/** Bytes as words as they stand in registers, zeros behind them. */
function pack(bytes: Uint8Array, out: Int32Array): Int32Array {
  const { length } = bytes;
  for (let word = 0, at = 0; word < out.length; word++, at += 4) {
    let value = 0;
    for (let i = 0; i < 4 && at + i < length; i++) value |= bytes[at + i]! << (8 * i);
    out[word] = value;
  }
  return out;
}
