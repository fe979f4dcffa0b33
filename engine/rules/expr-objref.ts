import { type Expr, registerOffset } from './expr.ts';
import type { HookState } from './hook-state.ts';
import type { RuleObject } from './rule-object.ts';
import type { RuleSet } from './set.ts';
import { NFT_BREAK } from './verdict.ts';

/** `objref`: does what a named object does. */
export class ObjrefExpr implements Expr {
  readonly name = 'objref';
  readonly object: RuleObject;

  constructor(object: RuleObject) {
    this.object = object;
  }

  eval(state: HookState): number {
    return this.object.expr.eval(state);
  }
}

/** `objref` by map: does what the object does that belongs to a register; NFT_BREAK if none does. */
export class ObjrefMapExpr implements Expr {
  readonly name = 'objref';
  readonly set: RuleSet;
  readonly sreg: number;
  private readonly from: number;

  constructor(set: RuleSet, sreg: number) {
    this.set = set;
    this.sreg = sreg;
    this.from = registerOffset(sreg) >> 2;
  }

  eval(state: HookState): number {
    const row = this.set.find(state, this.from);
    return row < 0 ? NFT_BREAK : this.set.object(row)!.expr.eval(state);
  }
}
