import { replaceChecksum, writable } from '../packet/rewrite.ts';
import { tcpHeaderLength } from '../packet/tcp.ts';
import type { Expr } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { findTcpOption, TCPOPT_NOP, tcpOptionLength, wholeTcpHeader } from './tcp-option.ts';
import { NF_DROP, NFT_BREAK, NFT_CONTINUE } from './verdict.ts';

const CHECKSUM = 16;

/** `reset tcp option`: overwrites a TCP option with padding. */
export class ExthdrResetExpr implements Expr {
  readonly name = 'exthdr';
  readonly type: number;

  /** @param type number of the option */
  constructor(type: number) {
    this.type = type;
  }

  eval(state: HookState): number {
    const { pkt } = state;
    const before = wholeTcpHeader(pkt);
    if (before < 0) return NFT_BREAK;
    if (findTcpOption(pkt.view, before, this.type) < 0) return NFT_CONTINUE;
    writable(pkt);
    const l4 = wholeTcpHeader(pkt);
    const { view } = pkt;
    const option = findTcpOption(view, l4, this.type);
    const length = tcpOptionLength(view, option);
    if (option + length > l4 + tcpHeaderLength(view, l4)) return NF_DROP;
    for (let at = option; at < option + length; at++) {
      // A byte is the upper or the lower half of the 16-bit word that the checksum is over.
      const shift = (at - l4) & 1 ? 0 : 8;
      replaceChecksum(view, l4 + CHECKSUM, view.getUint8(at) << shift, TCPOPT_NOP << shift);
      view.setUint8(at, TCPOPT_NOP);
    }
    return NFT_CONTINUE;
  }
}
