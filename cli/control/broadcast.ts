/** A line goes out after this long (ms) at the latest, together with those that came meanwhile. */
const WAIT = 5;
/** Longer with so many readers that writing to all of them takes its time (ms for each). */
const WAIT_PER_READER = 0.05;
/** What is collected at most before it goes out (characters). */
const BATCH = 64 * 1024;
/** Readers that are written to before packets have their turn. */
const AT_ONCE = 64;
/** Pieces that may wait to be written to all of their readers; what comes then is lost to them. */
const JOBS_MOST = 64;

/** Somebody who is told. */
export interface Reader {
  /**
   * Takes lines; the bytes are shared with all other readers.
   * @param count how many lines
   * @param lost how many before them came faster than they could be handed out
   */
  deliver(bytes: Buffer, count: number, lost: number): void;
}

/** Readers that want the same lines. */
interface Group {
  readonly wish: number;
  readonly readers: Set<Reader>;
  text: string;
  count: number;
  lost: number;
}

/** Lines on their way to the readers of a group. */
interface Job {
  readonly bytes: Buffer;
  readonly count: number;
  readonly lost: number;
  readonly readers: readonly Reader[];
  at: number;
}

/**
 * Hands lines to many readers: each is put together and encoded once, however many there are, and so many go out in
 * one piece as come in a few milliseconds.
 */
export class Broadcast {
  private readonly groups: Map<number, Group> = new Map();
  private readonly wishes: Map<Reader, number> = new Map();
  private jobs: Job[] = [];
  private timer: NodeJS.Timeout | null = null;
  private isWorking = false;

  /** Bits that at least one reader wishes for. */
  wanted = 0;

  /** How many readers there are. */
  get size(): number {
    return this.wishes.size;
  }

  /** Tells a reader from now on of lines of some bits, of none with 0. */
  set(reader: Reader, wish: number): void {
    const before = this.wishes.get(reader) ?? 0;
    if (before !== 0) {
      const group = this.groups.get(before)!;
      // What came before it asked for something else it still gets.
      if (group.count > 0) this.send(group);
      group.readers.delete(reader);
      if (group.readers.size === 0) this.groups.delete(before);
      this.wishes.delete(reader);
    }
    if (wish !== 0) {
      let group = this.groups.get(wish);
      if (group === undefined) {
        group = { wish, readers: new Set(), text: '', count: 0, lost: 0 };
        this.groups.set(wish, group);
      }
      if (group.count > 0) this.send(group);
      group.readers.add(reader);
      this.wishes.set(reader, wish);
    }
    this.wanted = 0;
    for (const each of this.groups.keys()) this.wanted |= each;
  }

  /** Whether more comes than can be handed out: then lines need not be made, but {@link lose} be called. */
  get isJammed(): boolean {
    return this.jobs.length >= JOBS_MOST;
  }

  /** Counts a line that was not made as lost to everybody who wishes for its bit. */
  lose(bit: number): void {
    for (const group of this.groups.values()) if ((group.wish & bit) !== 0) group.lost++;
  }

  /** Tells a line with its end to everybody who wishes for its bit. */
  publish(bit: number, line: string): void {
    for (const group of this.groups.values()) {
      if ((group.wish & bit) === 0) continue;
      group.text += line;
      group.count++;
      if (group.text.length >= BATCH) this.send(group);
    }
    this.timer ??= setTimeout(() => this.flush(), Math.max(WAIT, this.size * WAIT_PER_READER));
  }

  /** Sends what was collected. */
  flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    for (const group of this.groups.values()) if (group.count > 0) this.send(group);
  }

  /** Forgets everybody. */
  close(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.groups.clear();
    this.wishes.clear();
    this.jobs = [];
    this.wanted = 0;
  }

  private send(group: Group): void {
    this.queue(group);
    if (!this.isWorking) this.work();
  }

  private queue(group: Group): void {
    const bytes = Buffer.from(group.text, 'utf8');
    this.jobs.push({ bytes, count: group.count, lost: group.lost, readers: [...group.readers], at: 0 });
    group.text = '';
    group.count = 0;
    group.lost = 0;
  }

  private work(): void {
    let budget = AT_ONCE;
    while (this.jobs.length > 0 && budget > 0) {
      const job = this.jobs[0]!;
      const end = Math.min(job.readers.length, job.at + budget);
      budget -= end - job.at;
      for (; job.at < end; job.at++) {
        const reader = job.readers[job.at]!;
        if (this.wishes.has(reader)) reader.deliver(job.bytes, job.count, job.lost);
      }
      if (job.at === job.readers.length) this.jobs.shift();
    }
    // That the last ones were lost is told, too.
    if (this.jobs.length === 0)
      for (const group of this.groups.values()) if (group.lost > 0 && group.count === 0) this.queue(group);
    this.isWorking = this.jobs.length > 0;
    if (this.isWorking) setImmediate(() => this.work());
  }
}
