import type { Expr } from './expr.ts';
import { NFT_CONTINUE } from './verdict.ts';

/** A statement that changes nothing that keepstate shows: a comment, a security mark, an offload. */
export class IgnoredExpr implements Expr {
  readonly name: string;

  /** @param name the kernel's name of the expression */
  constructor(name: string) {
    this.name = name;
  }

  eval(): number {
    return NFT_CONTINUE;
  }
}
