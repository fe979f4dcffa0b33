/** What is wrong with an ipset command. Whoever knows where the word stands makes a SourceError of it. */
export class SetError extends Error {
  /** The word that is meant, undefined for the whole command. */
  readonly word: string | undefined;
  readonly hint: string | undefined;

  /** @param message in one sentence without a full stop */
  constructor(message: string, word?: string, hint?: string) {
    super(message);
    this.name = 'SetError';
    this.word = word;
    this.hint = hint;
  }
}
