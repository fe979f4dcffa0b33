import { type HashKey, hashWords } from '../base/hash.ts';
import { REQUEST_OF } from '../packet/icmp-pairs.ts';
import { IPPROTO_ICMP, IPPROTO_ICMPV6 } from '../packet/protocols.ts';
import { swapPorts, T_DST, T_KIND, T_PORTS, T_SRC, T_ZONE, type Tuple } from './tuple.ts';

/** Words of a row: 128 bytes, two cache lines; what every packet needs is in the first. */
export const ROW_WORDS = 32;
/** Original tuple: source, destination, ports. */
export const F_SRC = 0;
/** Original destination. */
export const F_DST = 1;
/** Original ports, as T_PORTS. */
export const F_PORTS = 2;
/** Reply tuple: source, destination, ports. */
export const F_RSRC = 3;
/** Reply destination. */
export const F_RDST = 4;
/** Reply ports. */
export const F_RPORTS = 5;
/** Protocol | family << 8, as T_KIND. */
export const F_KIND = 6;
/** Zone of the original direction | zone of the reply direction << 16. */
export const F_ZONES = 7;
/** IPS_* bits. */
export const F_STATUS = 8;
/** conntrack mark. */
export const F_MARK = 9;
/** Words 10 and 11 are one double: when the timer runs out (ms); its length while unconfirmed. */
export const F_EXPIRES = 10;
/** The id that users see; it outlives the row. */
export const F_ID = 12;
/** Flow that expected this one, 0 if none. */
export const F_MASTER = 13;
/** Neighbours in a list of the expiry wheel; in a free row the next free one. */
export const F_NEXT = 14;
/** Previous neighbour. */
export const F_PREV = 15;
/** First of 14 words that belong to the flow's tracker. */
export const F_PROTO = 16;
/** 1024 ms block of the expiry wheel in which the row is queued. */
export const F_QUEUED = 30;
/** Events cached for the end of the packet's way (IPCT_* bits) | MASQ_BITS | FLAG_*. */
export const F_EVENTS = 31;

/** In F_EVENTS: the cached events. */
export const EVENT_BITS = 0xffff;
/** In F_EVENTS: number of the device whose address the flow is masqueraded with, 0 if it is not or has a larger one. */
export const MASQ_BITS = 0xfff0000;
/** Where those begin. */
export const MASQ_SHIFT = 16;
/** In F_EVENTS: the flow has counters (nf_conntrack_acct was on when it was made). */
export const FLAG_ACCT: number = 1 << 30;
/** In F_EVENTS: the flow has a start time (nf_conntrack_timestamp was on). */
export const FLAG_TSTAMP: number = 1 << 29;
/** In F_EVENTS: nobody is told of the flow (nf_conntrack_events was 0 when it was made; measured). */
export const FLAG_SILENT: number = 1 << 28;

/** In F_EVENTS: a command made the flow, which gave it the extension of SYNPROXY, too (nfct_synproxy; measured). */
export const FLAG_SYNPROXY: number = 1 << 31;

const EMPTY: Int32Array = new Int32Array(0);
const START_ROWS = 1024;
/** A table that outgrows this many rows (2 MiB) makes room for all that it may ever need. */
const SMALL = 16 * START_ROWS;
/** But for no more than this many at once: 1 GiB of address space. */
const ROOM = 1 << 23;

/**
 * All flows: one row of 32 words each, and a hash table of [hash, row] pairs beside it. A flow is its row's
 * number; 0 is none. A flow without NAT has one hash for both directions (the hash does not mind the direction),
 * so it stands in the table once; a flow whose reply tuple differs stands there twice.
 */
export class FlowTable {
  /** The rows. Replaced when the table grows: fetch it anew for each packet. */
  words: Int32Array = EMPTY;
  /** The same memory as doubles; the timer of row r is at r * 16 + 5. */
  doubles: Float64Array = new Float64Array(this.words.buffer);
  /** packets, bytes of the original, packets, bytes of the reply direction; null while no flow counts. */
  counters: Float64Array | null = null;
  /** Start of each flow (ms); null while no flow has one. */
  starts: Float64Array | null = null;
  /** Flows that hold a row, confirmed or not: what nf_conntrack_max limits. */
  count = 0;
  /** How many flows may hold a row (nf_conntrack_max), 0 for no limit. Only for a good guess how much to grow. */
  most = 0;
  /** Flows that were ever inserted: if it did not change, no tuple has become findable meanwhile. */
  inserted = 0;
  /** Flows whose reply tuple is not the inverse of the original one, so that they stand in the table twice. */
  twofold = 0;

  private readonly key: HashKey;
  private slots: Int32Array = EMPTY;
  private mask = 0;
  private occupied = 0;
  private used = 1;
  private free = 0;

  /** @param key secret of the hash */
  constructor(key: HashKey) {
    this.key = key;
    // A second time, since V8 takes what is assigned once for constant: it would compile all that reads it anew when the
    // table grows.
    this.takeRows(new Int32Array(START_ROWS * ROW_WORDS));
    this.takeSlots(START_ROWS * 2);
  }

  /** Rows that were ever in use, plus one: rows 1 to `limit` - 1 may hold flows. */
  get limit(): number {
    return this.used;
  }

  /** Takes a row, all zero. It can not be found until {@link insert}. */
  alloc(): number {
    this.count++;
    const row = this.free;
    if (row === 0) {
      // Never used, so still zero.
      if (this.used * ROW_WORDS >= this.words.length) this.growRows();
      return this.used++;
    }
    this.free = this.words[row * ROW_WORDS + F_NEXT]!;
    // By hand: the call of fill() alone takes longer than these few words.
    const w = this.words;
    for (let i = row * ROW_WORDS, stop = i + ROW_WORDS; i < stop; i++) w[i] = 0;
    return row;
  }

  /** Gives a row back. Its words stay readable until it is taken again, except F_NEXT. */
  release(row: number): void {
    this.words[row * ROW_WORDS + F_NEXT] = this.free;
    this.words[row * ROW_WORDS + F_ID] = 0;
    this.free = row;
    this.count--;
  }

  /**
   * The hash of a tuple, the same for a tuple and its inverse: the smaller address and its port come first, and
   * of ICMP the type counts as that of the request that it answers.
   */
  hash(src: number, dst: number, ports: number, kind: number, zone: number): number {
    const proto = kind & 255;
    let p = ports;
    let low = src;
    let high = dst;
    if (proto === IPPROTO_ICMP || proto === IPPROTO_ICMPV6)
      p = (p & 0xffff00ff) | (REQUEST_OF[(p >>> 8) & 255]! << 8);
    else if (src > dst || (src === dst && ports >>> 16 > (ports & 0xffff))) p = swapPorts(ports);
    if (src > dst) {
      low = dst;
      high = src;
    }
    return hashWords(this.key, low, high, p, kind | (zone << 16));
  }

  /**
   * Finds a flow by the tuple of one direction.
   * @returns flow << 1 | direction (0 original, 1 reply), or 0
   */
  find(t: Tuple): number {
    return this.findBy(t[T_SRC]!, t[T_DST]!, t[T_PORTS]!, t[T_KIND]!, t[T_ZONE]!);
  }

  /** As {@link find}, for whoever has the words of the tuple at hand: in memory they would be written and read again. */
  findBy(src: number, dst: number, ports: number, kind: number, zone: number): number {
    const tag = this.hash(src, dst, ports, kind, zone);
    const { slots, mask, words: w } = this;
    for (let slot = tag & mask; ; slot = (slot + 1) & mask) {
      const row = slots[slot * 2 + 1]!;
      if (row === 0) return 0;
      if (slots[slot * 2] !== tag) continue;
      const at = row * ROW_WORDS;
      if (w[at + F_KIND] !== kind) continue;
      // Reply first: where both directions are alike (source = destination) the kernel finds the reply.
      if (
        w[at + F_RSRC] === src &&
        w[at + F_RDST] === dst &&
        w[at + F_RPORTS] === ports &&
        w[at + F_ZONES]! >>> 16 === zone
      )
        return (row << 1) | 1;
      if (
        w[at + F_SRC] === src &&
        w[at + F_DST] === dst &&
        w[at + F_PORTS] === ports &&
        (w[at + F_ZONES]! & 0xffff) === zone
      )
        return row << 1;
    }
  }

  /** Makes a row findable by both its tuples. */
  insert(row: number): void {
    const original = this.originalHash(row);
    const reply = this.isMirrored(row) ? original : this.replyHash(row);
    this.inserted++;
    this.addSlot(original, row);
    if (reply === original) return;
    this.twofold++;
    this.addSlot(reply, row);
  }

  /** Undoes {@link insert}. */
  remove(row: number): void {
    const original = this.originalHash(row);
    const reply = this.isMirrored(row) ? original : this.replyHash(row);
    this.removeSlot(original, row);
    if (reply === original) return;
    this.twofold--;
    this.removeSlot(reply, row);
  }

  /**
   * Visits flows near a tuple's place in the table, the whole table if it is small.
   * @param visit called with each flow; it ends the walk by returning true and must not insert or remove
   * @param most how many flows to visit at the most
   * @returns the flow that ended the walk, or 0
   */
  near(t: Tuple, most: number, visit: (row: number) => boolean): number {
    const { slots, mask } = this;
    let slot = this.hash(t[T_SRC]!, t[T_DST]!, t[T_PORTS]!, t[T_KIND]!, t[T_ZONE]!) & mask;
    let seen = 0;
    for (let i = 0; i <= mask && seen < most; i++) {
      const row = slots[slot * 2 + 1]!;
      if (row !== 0) {
        if (visit(row)) return row;
        seen++;
      }
      slot = (slot + 1) & mask;
    }
    return 0;
  }

  /** Makes room for counters (nf_conntrack_acct). */
  wantCounters(): Float64Array {
    if (this.counters === null) this.counters = new Float64Array((this.words.length / ROW_WORDS) * 4);
    return this.counters;
  }

  /** Makes room for start times (nf_conntrack_timestamp). */
  wantStarts(): Float64Array {
    if (this.starts === null) this.starts = new Float64Array(this.words.length / ROW_WORDS);
    return this.starts;
  }

  /** Whether the reply tuple is the original one with its ends swapped, which has the same hash. */
  private isMirrored(row: number): boolean {
    const w = this.words;
    const at = row * ROW_WORDS;
    return (
      w[at + F_RSRC] === w[at + F_DST] &&
      w[at + F_RDST] === w[at + F_SRC] &&
      w[at + F_RPORTS] === swapPorts(w[at + F_PORTS]!) &&
      w[at + F_ZONES]! >>> 16 === (w[at + F_ZONES]! & 0xffff)
    );
  }

  private originalHash(row: number): number {
    const w = this.words;
    const at = row * ROW_WORDS;
    return this.hash(
      w[at + F_SRC]!,
      w[at + F_DST]!,
      w[at + F_PORTS]!,
      w[at + F_KIND]!,
      w[at + F_ZONES]! & 0xffff,
    );
  }

  private replyHash(row: number): number {
    const w = this.words;
    const at = row * ROW_WORDS;
    return this.hash(
      w[at + F_RSRC]!,
      w[at + F_RDST]!,
      w[at + F_RPORTS]!,
      w[at + F_KIND]!,
      w[at + F_ZONES]! >>> 16,
    );
  }

  private addSlot(tag: number, row: number): void {
    if (++this.occupied * 2 > this.mask + 1) this.growSlots();
    const { slots, mask } = this;
    let slot = tag & mask;
    while (slots[slot * 2 + 1] !== 0) slot = (slot + 1) & mask;
    slots[slot * 2] = tag;
    slots[slot * 2 + 1] = row;
  }

  /** Empties a slot and shifts back what had been pushed past it, so that no tombstone stays. */
  private removeSlot(tag: number, row: number): void {
    const { slots, mask } = this;
    let hole = tag & mask;
    while (slots[hole * 2 + 1] !== row || slots[hole * 2] !== tag) hole = (hole + 1) & mask;
    let slot = hole;
    for (;;) {
      slot = (slot + 1) & mask;
      const other = slots[slot * 2 + 1]!;
      if (other === 0) break;
      const home = slots[slot * 2]! & mask;
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        slots[hole * 2] = slots[slot * 2]!;
        slots[hole * 2 + 1] = other;
        hole = slot;
      }
    }
    slots[hole * 2 + 1] = 0;
    this.occupied--;
  }

  /** Another hash table, empty, of so many slots. */
  private takeSlots(count: number): void {
    this.slots = new Int32Array(count * 2);
    this.mask = count - 1;
  }

  private takeRows(words: Int32Array): void {
    this.words = words;
    this.doubles = new Float64Array(words.buffer);
  }

  private growSlots(): void {
    const old = this.slots;
    this.takeSlots(old.length);
    const { slots, mask } = this;
    for (let i = 0; i < old.length; i += 2) {
      const row = old[i + 1]!;
      if (row === 0) continue;
      let slot = old[i]! & mask;
      while (slots[slot * 2 + 1] !== 0) slot = (slot + 1) & mask;
      slots[slot * 2] = old[i]!;
      slots[slot * 2 + 1] = row;
    }
  }

  /** Copying touches every page of the new rows; rows that were never touched take no memory at all. */
  private growRows(): void {
    const old = this.words.length / ROW_WORDS;
    const most = this.most === 0 ? ROOM : Math.min(this.most + 1, ROOM);
    const rows = old < SMALL ? old * 4 : Math.max(old * 2, most);
    const words = new Int32Array(rows * ROW_WORDS);
    words.set(this.words);
    this.takeRows(words);
    if (this.counters !== null) this.counters = grown(this.counters, rows * 4);
    if (this.starts !== null) this.starts = grown(this.starts, rows);
  }
}

/** A copy that is longer. */
function grown(values: Float64Array, length: number): Float64Array {
  const out = new Float64Array(length);
  out.set(values);
  return out;
}
