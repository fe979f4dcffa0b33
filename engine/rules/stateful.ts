import type { Expr } from './expr.ts';

/** An expression that remembers: a limit, a counter … Elements of sets have their own, cloned from the set's. */
export interface StatefulExpr extends Expr {
  /** A fresh one with the same settings. */
  clone(): StatefulExpr;
}
