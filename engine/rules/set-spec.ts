import type { StatefulExpr } from './stateful.ts';

/** What a set is like. Its timeout and size may be changed while it is in use. */
export interface RuleSetSpec {
  readonly name: string;
  /** Bytes of a key. */
  readonly keyLen: number;
  /** Of a concatenation: bytes of each field, which in the key is filled up to four. */
  readonly fields?: readonly number[] | undefined;
  /** Whether elements may be ranges. */
  readonly interval?: boolean | undefined;
  /** It never changes: an anonymous set. Small ones then compile to comparisons. */
  readonly constant?: boolean | undefined;
  /** Milliseconds after which elements are gone unless they have a timeout of their own; 0 for never. */
  timeout?: number | undefined;
  /** Most elements, 0 for no limit. */
  size?: number | undefined;
  readonly map?: 'data' | 'verdict' | 'object' | undefined;
  /** Bytes of a value in a data map. */
  readonly dataLen?: number | undefined;
  /** What each element has of its own, to be cloned. */
  readonly exprs?: readonly StatefulExpr[] | undefined;
}
