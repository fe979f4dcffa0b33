import { XtError } from './extension.ts';

/** A unit of time in rates. */
export interface RateUnit {
  /** As rates are listed. */
  readonly name: string;
  /** As they may be written; any beginning of it will do. */
  readonly word: string;
  readonly seconds: number;
}

/** From the longest to the shortest. */
export const RATE_UNITS: readonly RateUnit[] = [
  { name: 'day', word: 'day', seconds: 86400 },
  { name: 'hour', word: 'hour', seconds: 3600 },
  { name: 'min', word: 'minute', seconds: 60 },
  { name: 'sec', word: 'second', seconds: 1 },
];

/**
 * Reads `5/min`, `5` (a second).
 * @param scale parts of a second in which the result is counted, also the greatest rate a second
 * @returns time for one packet, rounded down
 */
export function readRate(text: string, scale: number): number {
  const slash = text.indexOf('/');
  const unitText = slash < 0 ? 's' : text.slice(slash + 1).toLowerCase();
  const unit = unitText === '' ? undefined : RATE_UNITS.find(({ word }) => word.startsWith(unitText));
  const number = /^[ \t]*[+]?(\d+)/.exec(slash < 0 ? text : text.slice(0, slash));
  const rate = number === null ? 0 : Number(number[1]);
  if (unit === undefined || rate === 0) {
    const hint = unit === undefined ? 'a rate is NUMBER/second, /minute, /hour or /day' : undefined;
    if (!/^[ \t]*-/.test(text)) throw new XtError(`bad rate "${text}"`, hint, 0);
  }
  if (unit === undefined || rate === 0 || rate / unit.seconds > scale)
    throw new XtError(`Rate too fast "${text}"`, `at most ${scale} a second`, 0);
  return Math.floor((scale * unit.seconds) / rate);
}

/**
 * The rate of a time for one packet, in the shortest unit that still says it as exactly (measured: 60/min is listed
 * as 1/sec, 61/min is not).
 */
export function periodRate(period: number, scale: number): { rate: number; unit: RateUnit } {
  let unit = RATE_UNITS[0]!;
  for (const shorter of RATE_UNITS.slice(1)) {
    const whole = scale * shorter.seconds;
    if (period > whole || Math.floor(whole / period) < whole % period) break;
    unit = shorter;
  }
  return { rate: Math.floor((scale * unit.seconds) / period), unit };
}
