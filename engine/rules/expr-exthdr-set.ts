import { replaceChecksum, writable } from '../packet/rewrite.ts';
import { tcpHeaderLength } from '../packet/tcp.ts';
import { type Expr, registerOffset } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { findTcpOption, tcpOptionLength, wholeTcpHeader } from './tcp-option.ts';
import { NFT_BREAK, NFT_CONTINUE } from './verdict.ts';

/** TCPOPT_MSS (RFC 9293, section 3.2). */
const TCPOPT_MSS = 2;
const CHECKSUM = 16;

/** `exthdr … set`: writes 2 or 4 bytes into a TCP option, if the packet has it. An MSS is never raised. */
export class ExthdrSetExpr implements Expr {
  readonly name = 'exthdr';
  readonly sreg: number;
  readonly type: number;
  readonly offset: number;
  readonly len: number;
  private readonly at: number;

  constructor(sreg: number, type: number, offset: number, len: number) {
    this.sreg = sreg;
    this.type = type;
    this.offset = offset;
    this.len = len;
    this.at = registerOffset(sreg);
  }

  eval(state: HookState): number {
    const { pkt } = state;
    if (wholeTcpHeader(pkt) < 0) return NFT_BREAK;
    const there = findTcpOption(pkt.view, wholeTcpHeader(pkt), this.type);
    if (there < 0) return NFT_CONTINUE;
    writable(pkt);
    const l4 = wholeTcpHeader(pkt);
    const { view } = pkt;
    const option = findTcpOption(view, l4, this.type);
    const length = tcpOptionLength(view, option);
    if (option + length > l4 + tcpHeaderLength(view, l4) || this.offset + this.len > length) return NFT_BREAK;
    if (this.len === 2) this.half(state, view, l4, option + this.offset);
    else if (this.len === 4) this.word(state, view, l4, option + this.offset);
    return NFT_CONTINUE;
  }

  private half(state: HookState, view: DataView, l4: number, at: number): void {
    const before = view.getUint16(at);
    const after = state.regView.getUint16(this.at);
    // A larger segment could make the connection stall.
    if (before === after || (this.type === TCPOPT_MSS && before <= after)) return;
    view.setUint16(at, after);
    replaceChecksum(view, l4 + CHECKSUM, before, after);
  }

  private word(state: HookState, view: DataView, l4: number, at: number): void {
    const before = view.getInt32(at);
    const after = state.regView.getInt32(this.at);
    if (before === after) return;
    view.setInt32(at, after);
    replaceChecksum(view, l4 + CHECKSUM, before, after);
  }
}
