import type { VerdictExpr } from './expr-verdict.ts';
import type { RuleObject } from './rule-object.ts';
import type { StatefulExpr } from './stateful.ts';

/** An element as it is given to a set. Everything but the key may be left out. */
export interface NewElement {
  /** Bytes as they stand in registers: the fields of a concatenation are each filled up to four bytes. */
  readonly key: Uint8Array;
  /** Of a range: its end, included. Null or left out for a single value. */
  readonly keyEnd?: Uint8Array | null | undefined;
  /** Of a data map: the value. */
  readonly data?: Uint8Array | null | undefined;
  /** Of a verdict map. */
  readonly verdict?: VerdictExpr | null | undefined;
  /** Of an object map. */
  readonly object?: RuleObject | null | undefined;
  /** Milliseconds after which it is gone; 0 for the set's own (or never). */
  readonly timeout?: number | undefined;
  /** Milliseconds that are left of the timeout, if not all of them. */
  readonly left?: number | undefined;
  /** Its counter, limit, quota …; left out, it gets copies of the set's. */
  readonly exprs?: readonly StatefulExpr[] | undefined;
  /** The element `*` that matches what no other does; its key is not looked at. */
  readonly catchall?: boolean | undefined;
  /** Whatever the language wants to find again here. */
  readonly tag?: unknown;
}

/** An element as a set holds it; a copy. */
export interface SetElement {
  readonly key: Uint8Array;
  /** Null for a single value. */
  readonly keyEnd: Uint8Array | null;
  readonly data: Uint8Array | null;
  readonly verdict: VerdictExpr | null;
  readonly object: RuleObject | null;
  /** Milliseconds, 0 for never. */
  readonly timeout: number;
  /** When it is gone (virtual time, ms), Infinity for never, NaN while its time has not begun. */
  readonly expires: number;
  readonly exprs: readonly StatefulExpr[];
  readonly catchall: boolean;
  readonly tag: unknown;
}

/** What became of an element that was to be added. */
export type AddResult =
  | 'added'
  /** An equal one is there, with the same value. */
  | 'exists'
  /** It overlaps another, or is there with another value. */
  | 'conflict'
  | 'full';
