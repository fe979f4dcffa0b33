import type { Expr } from './expr.ts';

/** A named object of a table: a counter, quota, limit, connection limit, helper … that rules refer to. */
export class RuleObject {
  readonly name: string;
  /** What happens where a rule refers to it. */
  readonly expr: Expr;

  constructor(name: string, expr: Expr) {
    this.name = name;
    this.expr = expr;
  }
}
