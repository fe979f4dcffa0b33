import { suggest } from '@keepstate/engine';

/** Something wrong with how keepstate was called, or with what it was given to read: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** Whether a pointer to --help belongs behind the message. */
  readonly help: boolean;

  /**
   * @param message one sentence without a full stop
   * @param help false where reading the help would not help, as with a file that is not there
   */
  constructor(message: string, help = true) {
    super(message);
    this.help = help;
  }
}

/** The reader of our output went away (`| head`): not an error, everything ends quietly with status 0. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/** Something that failed though the call was right, such as a full disk: exit status 1. */
export class Failure extends Error {
  override readonly name = 'Failure';
}

/**
 * Refuses a word that is none of those known.
 * @param what what kind of word it is, as in `unknown command`
 * @returns never: throws a UsageError that names the nearest known word, or all of them if they are few
 */
export function refuse(what: string, word: string, known: readonly string[]): never {
  const near = word === '' ? undefined : suggest(word, known);
  if (near !== undefined) throw new UsageError(`unknown ${what} '${word}': did you mean '${near}'?`);
  throw new UsageError(
    `unknown ${what} '${word}'${known.length <= 12 ? `: expected ${known.join(', ')}` : ''}`,
  );
}
