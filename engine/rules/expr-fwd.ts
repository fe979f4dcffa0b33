import type { Expr } from './expr.ts';
import { NF_STOLEN } from './verdict.ts';

/** `fwd`: from a netdev chain straight to another device; the packet's way ends here. */
export class FwdExpr implements Expr {
  readonly name = 'fwd';
  readonly sregDev: number;
  readonly sregAddr: number | null;
  readonly family: number;

  constructor(sregDev: number, sregAddr: number | null, family: number) {
    this.sregDev = sregDev;
    this.sregAddr = sregAddr;
    this.family = family;
  }

  eval(): number {
    return NF_STOLEN;
  }
}
