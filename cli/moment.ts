import type { LineWriter } from '@keepstate/engine';
import { UsageError } from './trouble.ts';

/** A moment as --at gives it: in itself, or counted from the first packet. */
export interface Moment {
  /** Milliseconds since the epoch, or since the first packet. */
  readonly ms: number;
  readonly relative: boolean;
}

const ISO = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/;

/** Whether a day exists: Date takes 30 February for 2 March. */
function isDay(day: string): boolean {
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}

/**
 * Reads the value of --at: `1795229507.5` (seconds since the epoch), `2026-11-21T02:51:47Z` (or without `Z`: the
 * same, UTC; or with an offset), `+30` (seconds after the first packet).
 * @throws UsageError if it is none of these
 */
export function parseMoment(text: string): Moment {
  const plain = /^(\+?)(\d{1,12}(\.\d{1,9})?)$/.exec(text);
  if (plain !== null) return { ms: Number(plain[2]) * 1000, relative: plain[1] === '+' };
  if (ISO.test(text)) {
    const zoned = /[Z]$|[+-]\d\d:?\d\d$/.test(text.slice(10)) || text.length === 10;
    const ms = Date.parse(zoned ? text : `${text}Z`);
    if (!Number.isNaN(ms) && isDay(text.slice(0, 10))) return { ms, relative: false };
  }
  throw new UsageError(
    `bad time '${text}': expected seconds since the epoch (1795229507.5), an ISO time (2026-11-21T02:51:47Z) ` +
      'or seconds after the first packet (+30)',
  );
}

/** When a moment is, in ms since the epoch, given the time of the first packet. */
export function momentAt(moment: Moment, first: number): number {
  return moment.relative ? first + moment.ms : moment.ms;
}

/**
 * Seconds since the epoch with six digits, nine where the clock was that fine, as in `1795229507.064555`.
 * @param seconds whole seconds
 * @param nanoseconds 0 to 999 999 999
 */
export function epochText(seconds: number, nanoseconds: number): string {
  // Before 1970, half a second before second 0 is second -1 and half a second more.
  if (seconds < 0 && nanoseconds > 0) return `-${epochText(-1 - seconds, 1e9 - nanoseconds)}`;
  const micros = nanoseconds % 1000 === 0;
  const digits = micros ? nanoseconds / 1000 + 1_000_000 : nanoseconds + 1_000_000_000;
  return `${seconds}.${String(digits).slice(1)}`;
}

/** `000` to `999`. */
const THREE: readonly string[] = Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, '0'));

/** Seconds with six digits of a time in ms, to the nearest microsecond. */
export function secondsText(ms: number): string {
  const sign = ms < 0 ? '-' : '';
  const whole = Math.abs(ms);
  let seconds = Math.floor(whole / 1000);
  // A time of today in ms is a double good for a quarter of a microsecond: rounding to whole µs is exact. One so
  // far away that not even milliseconds are exact has none.
  let micros = whole < Number.MAX_SAFE_INTEGER ? Math.round((whole - seconds * 1000) * 1000) : 0;
  if (micros === 1_000_000) {
    seconds++;
    micros = 0;
  }
  const thousands = Math.floor(micros / 1000);
  return `${sign}${seconds}.${THREE[thousands]}${THREE[micros - thousands * 1000]}`;
}

/** Times below have whole seconds that fit in an int32 (ms): 31 years. */
const QUICK_MS = 1e12;

/**
 * Writes how long after the first packet another came: {@link secondsText} at the right of a column. Takes
 * objects, since V8 makes an object of a fraction that is handed on.
 * @param from has the time of the first packet, `to` that of the other (ms)
 * @param width of the column, up to 15
 */
export function writeElapsed(
  out: LineWriter,
  from: { readonly first: number },
  to: { readonly time: number },
  width: number,
): void {
  const ms = to.time - from.first;
  if (!(ms >= 0 && ms < QUICK_MS)) {
    out.text(secondsText(ms).padStart(width));
    return;
  }
  let seconds = Math.floor(ms / 1000) | 0;
  let micros = Math.round((ms - seconds * 1000) * 1000) | 0;
  if (micros === 1_000_000) {
    seconds++;
    micros = 0;
  }
  out.seconds(seconds, micros, width);
}

/**
 * Writes {@link epochText} at the right of a column.
 * @param width of the column, up to 15
 */
export function writeEpoch(
  out: LineWriter,
  moment: { readonly seconds: number; readonly nanoseconds: number },
  width: number,
): void {
  const { nanoseconds } = moment;
  const seconds = moment.seconds | 0;
  if (seconds !== moment.seconds || seconds < 0) {
    out.text(epochText(moment.seconds, nanoseconds).padStart(width));
    return;
  }
  const micros = (nanoseconds / 1000) | 0;
  const rest = nanoseconds - micros * 1000;
  out.seconds(seconds, micros, rest === 0 ? width : width - 3);
  if (rest !== 0) out.three(rest);
}
