import { IPPROTO_TCP, IPPROTO_UDP } from '../packet/protocols.ts';
import type { Expr } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { nftProto } from './pktinfo.ts';
import { NF_UNKNOWN, NFT_BREAK } from './verdict.ts';

/** `tproxy`: hands the packet to a local socket if one listens there, which only that machine knows. */
export class TproxyExpr implements Expr {
  readonly name = 'tproxy';
  readonly unknowable: string = 'whether a proxy listens is not known';
  readonly family: number;
  readonly sregAddr: number | null;
  readonly sregPort: number | null;

  constructor(family: number, sregAddr: number | null, sregPort: number | null) {
    this.family = family;
    this.sregAddr = sregAddr;
    this.sregPort = sregPort;
  }

  eval(state: HookState): number {
    const proto = nftProto(state.pkt);
    if (proto !== IPPROTO_TCP && proto !== IPPROTO_UDP) return NFT_BREAK;
    state.unknown = this.unknowable;
    return NF_UNKNOWN;
  }
}
