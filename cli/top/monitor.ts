import type { Deed, TopModel } from './model.ts';
import { ratesBetween } from './rates.ts';
import { refreshRow, Sampler } from './sampler.ts';
import type { Look, TopSource } from './source.ts';

/** Rows that are kept of a table: more than anybody scrolls through. */
export const KEPT = 1000;

/**
 * A pass that took t is followed by a rest of so many t: packets come first. Measured: a running keepstate works 20 us
 * for each flow that it lists, on a busy machine.
 */
const REST = 7;

/** What a pass has found so far is shown so often (ms), where what is there was asked for otherwise. */
const PARTLY = 500;

/** What rows are asked for by, to be compared. */
function wishText({ order, isReversed, filterText }: TopModel): string {
  return `${order.name} ${isReversed} ${filterText}`;
}

/** Keeps a model up to date with its table. */
export class Monitor {
  private readonly source: TopSource;
  private readonly model: TopModel;
  /** Between looks (ms). */
  private readonly interval: number;
  private readonly changed: () => void;
  private readonly failed: (error: unknown) => void;
  private readonly sampler: Sampler = new Sampler(KEPT);
  private before: { readonly look: Look; readonly at: number } | null = null;
  private readonly timers: Set<NodeJS.Timeout> = new Set();
  private isStopped = false;
  /** A pass is under way; another one is to follow it at once. */
  private isPassing = false;
  private isStale = false;
  private passTimer: NodeJS.Timeout | null = null;
  /** What the rows that are shown were asked for by. */
  private shownFor = '';

  /**
   * @param interval between looks (ms)
   * @param changed told when there is something new to be seen
   * @param failed told once of what ends it
   */
  constructor(
    source: TopSource,
    model: TopModel,
    interval: number,
    changed: () => void,
    failed: (error: unknown) => void,
  ) {
    this.source = source;
    this.model = model;
    this.interval = interval;
    this.changed = changed;
    this.failed = failed;
  }

  /** Begins. */
  start(): void {
    this.guard(this.tick());
    this.guard(this.pass());
    this.source.ended.then((why) => this.fail(new Error(why)));
  }

  /** Ends; nothing is told any more. */
  stop(): void {
    this.isStopped = true;
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  /** Looks twice, an interval apart: rates are known then. */
  async once(): Promise<void> {
    await this.look();
    await this.goThrough();
    await new Promise((resolve) => setTimeout(resolve, this.interval));
    await this.look();
    await this.goThrough();
  }

  /** Carries out what a key asked for. */
  do(deed: Deed): void {
    if (deed.kind === 'delete') this.guard(this.delete(deed.row));
    else if (deed.kind === 'look') this.again();
  }

  private async delete(row: Extract<Deed, { kind: 'delete' }>['row']): Promise<void> {
    const { model, source } = this;
    try {
      await source.delete(row.entry);
      row.isGone = true;
      model.message = 'deleted';
    } catch (error) {
      model.message = `not deleted: ${(error as Error).message}`;
    }
    this.changed();
  }

  /** Goes through the table now, or once more if it is at it. */
  private again(): void {
    if (this.isPassing) {
      this.isStale = true;
      return;
    }
    if (this.passTimer !== null) this.cancel(this.passTimer);
    this.guard(this.pass());
  }

  private async tick(): Promise<void> {
    if (!this.model.isPaused) {
      await this.look();
      await this.refreshShown();
      if (!this.isStopped) this.changed();
    }
    this.after(this.interval, () => this.guard(this.tick()));
  }

  private async look(): Promise<void> {
    const { model, source } = this;
    const look = await source.look();
    const at = performance.now();
    if (this.before !== null) model.rates = ratesBetween(this.before.look, look, at - this.before.at);
    this.before = { look, at };
    model.look = look;
  }

  /** Reads what is on the screen anew: the whole table may come round more seldom. */
  private async refreshShown(): Promise<void> {
    const { source, model } = this;
    if (model.snapshot.total <= KEPT) return;
    const rows = model.shown.filter(({ isGone }) => !isGone);
    await Promise.all(
      rows.map(async (row) => {
        const entry = await source.get(row.entry);
        refreshRow(row, entry, source.now);
      }),
    );
  }

  private async pass(): Promise<void> {
    this.passTimer = null;
    const began = performance.now();
    if (!this.model.isPaused || this.isStale) {
      this.isStale = false;
      await this.goThrough();
      if (this.isStopped) return;
      this.changed();
    }
    const took = performance.now() - began;
    const rest = this.isStale ? 0 : Math.max(this.interval - took, took * REST);
    this.passTimer = this.after(rest, () => this.guard(this.pass()));
  }

  private async goThrough(): Promise<void> {
    const { source, model, sampler } = this;
    const wish = wishText(model);
    this.isPassing = true;
    let shownAt = performance.now();
    try {
      sampler.begin(model.wish, source.now);
      let flows = 0;
      await source.flows((slice) => {
        sampler.add(slice, source.now);
        flows += slice.length;
        model.passing = flows;
        if (this.shownFor !== wish && !this.isStale && performance.now() - shownAt > PARTLY) {
          model.take(sampler.soFar());
          shownAt = performance.now();
          this.changed();
        }
        return !this.isStopped;
      });
      if (this.isStopped) return;
      const snapshot = sampler.end();
      // What was begun for another order or filter would be wrong by now.
      if (this.isStale) return;
      model.take(snapshot);
      this.shownFor = wish;
    } finally {
      this.isPassing = false;
      model.passing = null;
    }
  }

  private after(ms: number, work: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      if (!this.isStopped) work();
    }, ms);
    if (this.isStopped) clearTimeout(timer);
    else this.timers.add(timer);
    return timer;
  }

  private cancel(timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    this.timers.delete(timer);
  }

  private guard(work: Promise<void>): void {
    work.catch((error: unknown) => this.fail(error));
  }

  private fail(error: unknown): void {
    if (this.isStopped) return;
    this.stop();
    this.failed(error);
  }
}
