import { type XtArg, XtError } from './extension.ts';

const UNITS: ReadonlyMap<string, number> = new Map([
  ['s', 1e6],
  ['sec', 1e6],
  ['secs', 1e6],
  ['ms', 1e3],
  ['msec', 1e3],
  ['msecs', 1e3],
  ['us', 1],
  ['usec', 1],
  ['usecs', 1],
  ['', 1],
]);

/** A time in microseconds: `250ms`, `1s`; without a unit microseconds. @throws XtError */
export function readTime(arg: XtArg): number {
  const m = /^(\d+(?:\.\d*)?)([a-zA-Z]*)$/.exec(arg.text);
  const unit = m === null ? undefined : UNITS.get(m[2]!.toLowerCase());
  if (m === null || unit === undefined)
    throw new XtError(`RATEEST: bad ${arg.name} value \`${arg.text}'`, 'such as 250ms or 1s', 0);
  return Math.floor(Number(m[1]) * unit);
}

/** As it is saved: `250.0ms`, `1.0s`, `5us`. */
export function timeText(microseconds: number): string {
  if (microseconds >= 1e6) return `${(microseconds / 1e6).toFixed(1)}s`;
  return microseconds >= 1e3 ? `${(microseconds / 1e3).toFixed(1)}ms` : `${microseconds}us`;
}
