/** Where a token stands in something a person wrote: 1-based line and column, as editors count. */
export interface Span {
  readonly file: string;
  readonly line: number;
  readonly col: number;
  readonly len: number;
}

/** The one error class for what a person wrote: rulesets, host files, options. Its message says file, line and column, too. */
export class SourceError extends Error {
  /** Where it stands. */
  readonly at: Span;
  /** A suggestion, undefined if there is none. */
  readonly hint: string | undefined;

  /**
   * @param message what is wrong and what was expected, in one sentence without a full stop
   * @param at where it stands
   * @param hint a suggestion, for example the nearest known name
   */
  constructor(message: string, at: Span, hint?: string) {
    super(`${at.file}:${at.line}:${at.col}: ${message}${hint === undefined ? '' : ` (${hint})`}`);
    this.name = 'SourceError';
    this.at = at;
    this.hint = hint;
  }
}
