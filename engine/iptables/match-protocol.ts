import { IPPROTO_NONE } from '../packet/protocols.ts';
import type { Expr } from '../rules/expr.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_DROP, NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';

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
    const { pkt } = state;
    // Extension headers that cannot be walked over drop the packet, "no next header" does not (kernel: ipv6_find_hdr).
    if (pkt.l4 < 0 && pkt.proto !== IPPROTO_NONE) return NF_DROP;
    const proto = pkt.frag >= 8 ? pkt.view.getUint8(pkt.l4) : pkt.proto;
    return (proto === this.proto) !== this.inverted ? NFT_CONTINUE : NFT_BREAK;
  }
}
