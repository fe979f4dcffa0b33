import type { Expr } from '../rules/expr.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';

/**
 * `-p` of ip6tables-legacy: the protocol behind all extension headers, authentication headers too, which nf_tables
 * takes for the transport (measured).
 */
export class ProtocolMatch implements Expr {
  readonly name = 'match';
  readonly proto: number;
  readonly inverted: boolean;

  constructor(proto: number, inverted: boolean) {
    this.proto = proto;
    this.inverted = inverted;
  }

  eval(state: HookState): number {
    return (state.pkt.proto === this.proto) !== this.inverted ? NFT_CONTINUE : NFT_BREAK;
  }
}
