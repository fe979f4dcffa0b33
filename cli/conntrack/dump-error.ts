import { visible } from '../source-text.ts';
import { UsageError } from '../trouble.ts';

/** Where something stands in a dump. */
export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** What is wrong with a dump, with its place: exit status 2, nothing is loaded. What of it is shown steers no terminal. */
export function fileError(file: string, line: number, col: number, message: string): UsageError {
  return new UsageError(`${file}:${line}:${col}: ${visible(message)}`, false);
}

/** {@link fileError} of a column in a line. @throws UsageError */
export function refuseAt(place: Place, col: number, message: string): never {
  throw fileError(place.file, place.line, col, message);
}
