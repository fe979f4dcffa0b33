import type { Look } from './source.ts';

/** What happened in a second; null where that is not known. */
export interface Rates {
  readonly created: number | null;
  readonly destroyed: number | null;
  readonly invalid: number;
  readonly dropped: number;
  readonly earlyDropped: number;
  readonly packets: { readonly accepted: number; readonly refused: number } | null;
}

/**
 * What happened between two looks, a second. A count that is lower than before is that of another instance: it is
 * taken to have begun at 0.
 * @param ms between them
 */
export function ratesBetween(before: Look, after: Look, ms: number): Rates | null {
  if (ms <= 0) return null;
  const rate = (a: number, b: number): number => ((b >= a ? b - a : b) * 1000) / ms;
  const perhaps = (a: number | null, b: number | null): number | null =>
    a === null || b === null ? null : rate(a, b);
  const { packets: p } = before;
  const { packets: q } = after;
  return {
    created: perhaps(before.created, after.created),
    destroyed: perhaps(before.destroyed, after.destroyed),
    invalid: rate(before.invalid, after.invalid),
    dropped: rate(before.dropped, after.dropped),
    earlyDropped: rate(before.earlyDropped, after.earlyDropped),
    packets:
      p === null || q === null
        ? null
        : { accepted: rate(p.accepted, q.accepted), refused: rate(p.refused, q.refused) },
  };
}
