import type { Span } from '../base/error.ts';

/** What a finding is about; the names stand in docs/lint.md. */
export type LintCode =
  | 'unreachable'
  | 'shadowed'
  | 'impossible'
  | 'unused-chain'
  | 'unused-set'
  | 'new-without-syn'
  | 'no-established'
  | 'invalid-accepted'
  | 'open-ipv6'
  | 'related-without-helper';

/** Something in a ruleset that is legal and most likely not meant. */
export interface Finding {
  readonly code: LintCode;
  /** Where, null if the ruleset has no source. */
  readonly at: Span | null;
  /** What is wrong, in a sentence without a full stop. */
  readonly message: string;
  /** How to mend it, in a sentence without a full stop. */
  readonly fix: string;
}
