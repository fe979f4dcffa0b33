import { writeSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

/** Silence before the first line (ms): short work shows none. */
const PATIENCE = 1000;
/** Time between two lines (ms). */
const EVERY = 250;

/** How far the work is. */
export interface Work {
  readonly packets: number;
  /** Bytes read of `size`; 0 of 0 where the size is not known. */
  readonly bytes: number;
  readonly size: number;
}

/** A count in few characters: `3.1M`, `12k`. */
export function shortCount(n: number): string {
  if (n >= 1e9) return `${(n / 1e9).toFixed(1)}G`;
  if (n >= 1e6) return `${(n / 1e6).toFixed(1)}M`;
  return n >= 1e4 ? `${(n / 1e3).toFixed(0)}k` : String(Math.round(n));
}

/** Seconds for a person: `4 s`, `2 min 5 s`, `1 h 3 min`. */
export function shortTime(seconds: number): string {
  const s = Math.ceil(seconds);
  if (s < 60) return `${s} s`;
  return s < 3600
    ? `${Math.floor(s / 60)} min ${s % 60} s`
    : `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

/**
 * The line that says how far it is: rate, and share and time left where the size is known.
 * @param elapsed ms since the start
 */
export function progressText(work: Work, elapsed: number): string {
  const rate = work.packets / (elapsed / 1000);
  const packets = shortCount(work.packets);
  const counted = `${packets} ${packets === '1' ? 'packet' : 'packets'}, ${shortCount(rate)} packets/s`;
  if (work.size === 0 || work.bytes === 0) return counted;
  const share = Math.min(1, work.bytes / work.size);
  const left = (elapsed / share - elapsed) / 1000;
  return `${Math.floor(share * 100)} %, ${counted}, ${shortTime(left)} left`;
}

/** Says on a terminal how far long work is, on one line that is written over and in the end wiped. */
export class Progress {
  private readonly on: boolean;
  private readonly start = performance.now();
  private due = PATIENCE;
  private shown = false;

  /** @param on false where standard error is no terminal, or its reader wants quiet */
  constructor(on: boolean) {
    this.on = on;
  }

  /** To be called now and then, best where a read comes anyway; `work` is only asked if a line is due. */
  step(work: () => Work): void {
    if (!this.on) return;
    const elapsed = performance.now() - this.start;
    if (elapsed < this.due) return;
    this.due = elapsed + EVERY;
    this.put(`\r\x1b[K${progressText(work(), elapsed)}`);
    this.shown = true;
  }

  /** Wipes the line. */
  end(): void {
    if (this.shown) this.put('\r\x1b[K');
    this.shown = false;
  }

  private put(text: string): void {
    try {
      writeSync(2, text);
    } catch {
      // A terminal that went away wants no progress.
    }
  }
}
