/**
 * How many mistakes of typing lie between two short names: letters left out, added, wrong, or two neighbours swapped
 * (the "optimal string alignment" distance).
 */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + cost));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) next[j] = Math.min(next[j]!, before[j - 2]! + 1);
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}

/** Longer words are no mistyped names, and comparing them would take long. */
const LONGEST = 64;

/**
 * How many mistakes a word of a length may hold, largest length first. Every known word is near one of two letters,
 * where only case may differ. Three are for names that share most of their letters, as those of sysctls do.
 */
const MISTAKES: readonly (readonly [length: number, most: number])[] = [
  [20, 3],
  [6, 2],
  [3, 1],
  [0, 0],
];

/**
 * The known name that was meant by a mistyped one.
 * @param word what was written
 * @param known the names that exist
 * @returns the nearest name within {@link MISTAKES}, else the only one that begins with the word, else undefined
 */
export function suggest(word: string, known: readonly string[]): string | undefined {
  // A name that is known, but not here, was not mistyped.
  if (word.length > LONGEST || known.includes(word)) return undefined;
  const written = word.toLowerCase();
  const most = MISTAKES.find(([length]) => word.length >= length)![1];
  const longer = (name: string): boolean => name.toLowerCase().startsWith(written);
  let best: string | undefined;
  let bestCost = 2 * most + 1;
  for (const name of known) {
    if (Math.abs(name.length - word.length) > most) continue;
    // Of two that are equally near, who stopped too early meant the longer one.
    const cost = 2 * distance(written, name.toLowerCase()) - (longer(name) ? 1 : 0);
    if (cost < bestCost) {
      bestCost = cost;
      best = name;
    }
  }
  if (best !== undefined || most === 0) return best;
  const begun = known.filter(longer);
  return begun.length === 1 ? begun[0] : undefined;
}

/** Nothing is looked for among more names than this: it would take long. */
const MOST_NAMES = 5000;

/** A hint that names the known word nearest to one that is not known; undefined if none is near. */
export function didYouMean(word: string, known: readonly string[]): string | undefined {
  const near = known.length > MOST_NAMES ? undefined : suggest(word, known);
  return near === undefined ? undefined : `did you mean '${near}'?`;
}
