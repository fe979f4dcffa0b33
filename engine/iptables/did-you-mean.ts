import { suggest } from '../base/suggest.ts';

/** Longer words are no mistyped names, and comparing them would take long. */
const LONGEST = 64;
/** Nor is anything looked for among so many. */
const MOST = 5000;

/** A hint that names the known word nearest to one that is not known; undefined if none is near. */
export function didYouMean(word: string, known: readonly string[]): string | undefined {
  const near = word.length > LONGEST || known.length > MOST ? undefined : suggest(word, known);
  return near === undefined ? undefined : `did you mean '${near}'?`;
}
