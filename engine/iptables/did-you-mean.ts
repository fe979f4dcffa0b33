import { suggest } from '../base/suggest.ts';

/** Nothing is looked for among more names than this: it would take long. */
const MOST = 5000;

/** A hint that names the known word nearest to one that is not known; undefined if none is near. */
export function didYouMean(word: string, known: readonly string[]): string | undefined {
  const near = known.length > MOST ? undefined : suggest(word, known);
  return near === undefined ? undefined : `did you mean '${near}'?`;
}
