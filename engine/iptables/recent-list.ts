import type { Random } from '../base/random.ts';
import { NO_ROW, WordTable } from '../ipset/word-table.ts';

/** Words of a key: the family, and the address. */
export const RECENT_WORDS = 5;
/** Addresses a list holds (xt_recent's ip_list_tot). */
const ENTRIES_MAX = 100;
/** Stamps an address has where no rule asks for more hits (xt_recent). */
const DEFAULT_STAMPS = 32;

/** An address of a list and when its packets were seen. */
export class RecentEntry {
  readonly row: number;
  ttl: number;
  /** Jiffies, a ring as long as the list has it. */
  readonly stamps: Float64Array;
  /** Where the next stamp goes. */
  index = 1;
  /** How many stamps there are. */
  count = 1;
  /** Neighbours by last use, the oldest first. */
  before: RecentEntry | null = null;
  after: RecentEntry | null = null;

  constructor(row: number, ttl: number, size: number, now: number) {
    this.row = row;
    this.ttl = ttl;
    this.stamps = new Float64Array(size);
    this.stamps[0] = now;
  }

  /** When it was seen last. */
  get latest(): number {
    return this.stamps[this.index - 1]!;
  }
}

/** A list of `-m recent`, shared by all rules that name it. Entries are made for new addresses only. */
export class RecentList {
  private readonly table: WordTable;
  private readonly entries: (RecentEntry | null)[] = [];
  private oldest: RecentEntry | null = null;
  private newest: RecentEntry | null = null;
  private size: number = DEFAULT_STAMPS;
  private known = false;

  /** @param random keys the hash table */
  constructor(random: Random) {
    this.table = new WordTable(RECENT_WORDS, random);
  }

  /**
   * A rule that uses the list is added.
   * @param hits what it asks for, 0 if nothing; a list whose entries are too short for it begins anew
   */
  use(hits: number): void {
    let size = hits === 0 ? DEFAULT_STAMPS : 1;
    while (size < hits) size *= 2;
    if (this.known && size <= this.size) return;
    if (this.known) this.flush();
    this.known = true;
    this.size = size;
  }

  private flush(): void {
    this.table.clear();
    this.entries.length = 0;
    this.oldest = null;
    this.newest = null;
  }

  /** @param key family and four words of the address; `ttl` to be the same, 0 for any */
  find(key: Int32Array, ttl: number): RecentEntry | null {
    const entry = this.entries[this.table.find(key)] ?? null;
    return entry !== null && (ttl === 0 || entry.ttl === 0 || entry.ttl === ttl) ? entry : null;
  }

  /** Adds an address; the one not used for longest goes if there are too many. */
  add(key: Int32Array, ttl: number, now: number): void {
    if (this.table.count >= ENTRIES_MAX && this.oldest !== null) this.remove(this.oldest);
    // With --rttl an address of another TTL may be there already; the new one hides it.
    const had = this.table.find(key);
    if (had !== NO_ROW) this.remove(this.entries[had]!);
    const row = this.table.insert(key);
    const entry = new RecentEntry(row, ttl, this.size, now);
    this.entries[row] = entry;
    this.link(entry);
  }

  /** Takes an address off the list. */
  remove(entry: RecentEntry): void {
    this.unlink(entry);
    this.entries[entry.row] = null;
    this.table.remove(entry.row);
  }

  /** A packet of the address was seen. */
  update(entry: RecentEntry, now: number): void {
    entry.index &= this.size - 1;
    entry.stamps[entry.index++] = now;
    if (entry.index > entry.count) entry.count = entry.index;
    this.unlink(entry);
    this.link(entry);
  }

  /** Removes the oldest address if it was not seen since a time. @param but never this one */
  reap(since: number, but: RecentEntry | null): void {
    const entry = this.oldest;
    if (entry !== null && entry !== but && entry.latest < since) this.remove(entry);
  }

  private link(entry: RecentEntry): void {
    entry.before = this.newest;
    entry.after = null;
    if (this.newest === null) this.oldest = entry;
    else this.newest.after = entry;
    this.newest = entry;
  }

  private unlink(entry: RecentEntry): void {
    if (entry.before === null) this.oldest = entry.after;
    else entry.before.after = entry.after;
    if (entry.after === null) this.newest = entry.before;
    else entry.after.before = entry.before;
  }
}
