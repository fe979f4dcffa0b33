import { IPPROTO_TCP } from '../packet/protocols.ts';
import { TH_ACK, TH_SYN, tcpFlags } from '../packet/tcp.ts';
import type { Expr } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { nftProto } from './pktinfo.ts';
import { wholeTcpHeader } from './tcp-option.ts';
import { NF_DROP, NF_UNKNOWN, NFT_BREAK, NFT_CONTINUE } from './verdict.ts';

/** `synproxy`: answers a SYN in the server's place. What it decides hangs on cookies that only that machine knows. */
export class SynproxyExpr implements Expr {
  readonly name = 'synproxy';
  readonly unknowable: string = 'synproxy is not supported';
  readonly mss: number;
  readonly wscale: number;
  readonly flags: number;

  constructor(mss: number, wscale: number, flags: number) {
    this.mss = mss;
    this.wscale = wscale;
    this.flags = flags;
  }

  eval(state: HookState): number {
    const { pkt } = state;
    if (nftProto(pkt) !== IPPROTO_TCP) return NFT_BREAK;
    const l4 = wholeTcpHeader(pkt);
    if (l4 < 0) return NF_DROP;
    if ((tcpFlags(pkt.view, l4) & (TH_SYN | TH_ACK)) === 0) return NFT_CONTINUE;
    state.unknown = this.unknowable;
    return NF_UNKNOWN;
  }
}
