/** Edit distance (insert, delete, replace, each 1) between two short names. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + cost));
    }
    row = next;
  }
  return row[b.length]!;
}

/** Of shorter words every known one is near; only one that differs in case is meant. */
const SHORTEST = 3;
/** Longer words are no mistyped names, and comparing them would take long. */
const LONGEST = 64;

/**
 * The known name nearest to a mistyped one.
 * @param word what was written
 * @param known the names that exist
 * @returns the nearest name, or undefined if none is within a third of the word's length (at least 2
 *   edits; for words of one or two letters none but of case)
 */
export function suggest(word: string, known: readonly string[]): string | undefined {
  if (word.length > LONGEST) return undefined;
  if (word.length < SHORTEST) return known.find((name) => name.toLowerCase() === word.toLowerCase());
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const name of known) {
    const d = distance(word, name);
    if (d < bestDistance) {
      bestDistance = d;
      best = name;
    }
  }
  return best;
}
