/** Values that a field may have: ranges with both ends included, in order, apart from each other. */
export type Ranges = readonly (readonly [bigint, bigint])[];

/** Sorts ranges and joins those that touch. */
export function normalised(ranges: Ranges): Ranges {
  const out: [bigint, bigint][] = [];
  for (const [lo, hi] of [...ranges].sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0))) {
    const last = out.at(-1);
    if (last !== undefined && lo <= last[1] + 1n) last[1] = hi > last[1] ? hi : last[1];
    else out.push([lo, hi]);
  }
  return out;
}

/** All values but these. @param most the greatest there is */
export function complement(ranges: Ranges, most: bigint): Ranges {
  const out: [bigint, bigint][] = [];
  let next = 0n;
  for (const [lo, hi] of ranges) {
    if (lo > next) out.push([next, lo - 1n]);
    next = hi + 1n;
  }
  if (next <= most) out.push([next, most]);
  return out;
}

/** What both have. */
export function intersect(a: Ranges, b: Ranges): Ranges {
  const out: [bigint, bigint][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const lo = a[i]![0] > b[j]![0] ? a[i]![0] : b[j]![0];
    const hi = a[i]![1] < b[j]![1] ? a[i]![1] : b[j]![1];
    if (lo <= hi) out.push([lo, hi]);
    if (a[i]![1] < b[j]![1]) i++;
    else j++;
  }
  return out;
}

/** Whether every value of `inner` is one of `outer`. */
export function isWithin(inner: Ranges, outer: Ranges): boolean {
  return inner.every(([lo, hi]) => outer.some((o) => o[0] <= lo && hi <= o[1]));
}

/** Whether a value is among them. */
export function includes(ranges: Ranges, value: bigint): boolean {
  return ranges.some(([lo, hi]) => lo <= value && value <= hi);
}
