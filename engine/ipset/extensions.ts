import type { Extras } from './extras.ts';
import type { SetOptions } from './set-type.ts';

/** The element is an exception: what it covers does not match. */
export const NOMATCH = 1;
/** The element's interface name is a prefix. */
export const WILDCARD = 2;
/** A bitmap's element whose hardware address is not known yet. */
export const MAC_UNSET = 4;

function hex(n: number): string {
  return `0x${(n >>> 0).toString(16)}`;
}

/**
 * When virtual time began for the sets of a namespace. Sets are read before the first packet says what time it is:
 * timeouts of that time, 0, run from the first packet on.
 */
export class SetClock {
  /** When the first packet came (ms). */
  first: number = Number.NaN;

  /** A packet came. */
  see(now: number): void {
    if (Number.isNaN(this.first)) this.first = now;
  }
}

/**
 * What belongs to the elements of a set beside their keys: timeout, counters, comment, skbinfo, flags. By row of
 * the set's table. Made for all sets alike, so that the code that looks at them stays of one shape.
 */
export class Extensions {
  /** When an element ends (ms); 0 is never, below 0 is so long after the first packet. */
  readonly expires: number[] = [];
  readonly packets: number[] = [];
  readonly bytes: number[] = [];
  readonly comments: string[] = [];
  readonly skbmark: number[] = [];
  readonly skbmask: number[] = [];
  readonly skbprio: number[] = [];
  readonly skbqueue: number[] = [];
  /** NOMATCH, WILDCARD, MAC_UNSET. */
  readonly flags: number[] = [];
  /** No element ends before this (ms). */
  private earliest: number = Number.POSITIVE_INFINITY;
  private readonly options: SetOptions;
  private readonly clock: SetClock;

  constructor(options: SetOptions, clock: SetClock) {
    this.options = options;
    this.clock = clock;
  }

  /** Takes over what `add` says. Counters that it does not name stay, all else is set anew (measured). */
  set(row: number, extras: Extras, now: number, isNew: boolean): void {
    const seconds = extras.timeout ?? this.options.timeout;
    const lasts = this.options.timeout >= 0 ? 1000 * seconds : 0;
    this.expires[row] = lasts <= 0 ? 0 : now === 0 ? -lasts : now + lasts;
    this.earliest = Math.min(this.earliest, this.endOf(row));
    this.packets[row] = extras.packets ?? (isNew ? 0 : this.packets[row]!);
    this.bytes[row] = extras.bytes ?? (isNew ? 0 : this.bytes[row]!);
    this.comments[row] = extras.comment ?? '';
    this.skbmark[row] = extras.skbmark ?? 0;
    this.skbmask[row] = extras.skbmask ?? 0;
    this.skbprio[row] = extras.skbprio ?? 0;
    this.skbqueue[row] = extras.skbqueue ?? 0;
    this.flags[row] = (extras.nomatch ? NOMATCH : 0) | (extras.wildcard ? WILDCARD : 0);
  }

  /** Whether an element's time is over. */
  isExpired(row: number, now: number): boolean {
    // Not even looked at: in a large set each array is one more line that no cache holds.
    if (this.options.timeout < 0) return false;
    return now > this.endOf(row);
  }

  /** When an element ends (ms), Infinity for never; of one whose time has not begun, NaN. */
  endOf(row: number): number {
    const end = this.expires[row]!;
    if (end < 0) return this.clock.first - end;
    return end === 0 ? Number.POSITIVE_INFINITY : end;
  }

  /** Whether there may be an element whose time is over. */
  mayHaveExpired(now: number): boolean {
    return !(now <= this.earliest);
  }

  /** All that had ended are gone. @param earliest when the next one ends (ms) */
  noneEndsBefore(earliest: number): void {
    this.earliest = earliest;
  }

  /** Counts a packet, up to where a 64-bit counter would go on exactly. */
  count(row: number, bytes: number): void {
    this.packets[row]!++;
    this.bytes[row]! += bytes;
  }

  /** As `ipset save` lists it behind the element, with a space in front. */
  text(row: number, now: number): string {
    const o = this.options;
    const words: string[] = [];
    if (o.timeout >= 0) words.push(`timeout ${this.remaining(row, now)}`);
    if ((this.flags[row]! & NOMATCH) !== 0) words.push('nomatch');
    if ((this.flags[row]! & WILDCARD) !== 0) words.push('wildcard');
    if (o.counters) words.push(`packets ${this.packets[row]} bytes ${this.bytes[row]}`);
    if (this.comments[row] !== '') words.push(`comment "${this.comments[row]}"`);
    if (o.skbinfo) this.skbWords(row, words);
    return words.map((w) => ` ${w}`).join('');
  }

  /** Whole seconds that are left; one that has not ended has at least one (0 is for ever). */
  private remaining(row: number, now: number): number {
    const end = this.expires[row]!;
    if (end === 0) return 0;
    const began = now === 0 || Number.isNaN(this.clock.first) ? now : this.clock.first;
    return Math.max(1, Math.floor(((end < 0 ? began - end : end) - now) / 1000));
  }

  private skbWords(row: number, words: string[]): void {
    const mark = this.skbmark[row]!;
    const mask = this.skbmask[row]!;
    const prio = this.skbprio[row]!;
    if (mark !== 0 || mask !== 0) words.push(`skbmark ${hex(mark)}${mask === -1 ? '' : `/${hex(mask)}`}`);
    if (prio !== 0) words.push(`skbprio ${(prio >>> 16).toString(16)}:${(prio & 0xffff).toString(16)}`);
    if (this.skbqueue[row] !== 0) words.push(`skbqueue ${this.skbqueue[row]}`);
  }
}
