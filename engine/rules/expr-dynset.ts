import { type Expr, registerOffset } from './expr.ts';
import type { HookState } from './hook-state.ts';
import type { RuleSet } from './set.ts';
import type { StatefulExpr } from './stateful.ts';
import { NFT_BREAK, NFT_CONTINUE } from './verdict.ts';

/** NFT_DYNSET_OP_ADD: an element that is there keeps its time. */
export const NFT_DYNSET_OP_ADD = 0;
/** NFT_DYNSET_OP_UPDATE: its time starts anew. */
export const NFT_DYNSET_OP_UPDATE = 1;
/** NFT_DYNSET_OP_DELETE. */
export const NFT_DYNSET_OP_DELETE = 2;

/** `dynset`: packets add, update and delete elements; NFT_BREAK if the set is full. */
export class DynsetExpr implements Expr {
  readonly name = 'dynset';
  readonly set: RuleSet;
  readonly op: number;
  readonly sregKey: number;
  readonly sregData: number | null;
  /** Milliseconds, 0 for the set's own. */
  readonly timeout: number;
  readonly exprs: readonly StatefulExpr[];
  readonly invert: boolean;
  private readonly from: number;
  private readonly data: number;

  /**
   * @param op NFT_DYNSET_OP_*
   * @param timeout of the element (ms), 0 for the set's own
   * @param exprs what each new element gets copies of; those of the set if there are none here
   */
  constructor(
    set: RuleSet,
    op: number,
    sregKey: number,
    sregData: number | null,
    timeout: number,
    exprs: readonly StatefulExpr[],
    invert: boolean,
  ) {
    this.set = set;
    this.op = op;
    this.sregKey = sregKey;
    this.sregData = sregData;
    this.timeout = timeout;
    this.exprs = exprs.length > 0 ? exprs : (set.spec.exprs ?? exprs);
    this.invert = invert;
    this.from = registerOffset(sregKey) >> 2;
    this.data = sregData === null ? -1 : registerOffset(sregData) >> 2;
  }

  eval(state: HookState): number {
    const { set } = this;
    if (this.op === NFT_DYNSET_OP_DELETE) {
      set.removeFound(state, this.from);
      return NFT_CONTINUE;
    }
    const row = set.ensure(state, this.from, this.data, this.timeout, this.exprs);
    if (row < 0) return this.invert ? NFT_CONTINUE : NFT_BREAK;
    if (this.op === NFT_DYNSET_OP_UPDATE) set.refresh(row, this.timeout, state.now);
    const exprs = set.exprs(row);
    for (let i = 0; i < exprs.length; i++) if (exprs[i]!.eval(state) === NFT_BREAK) return NFT_BREAK;
    return this.invert ? NFT_BREAK : NFT_CONTINUE;
  }
}
