import { AF_INET, AF_INET6, type Packet } from '../packet/packet.ts';
import { IPPROTO_SCTP } from '../packet/protocols.ts';
import { tcpHeaderLength } from '../packet/tcp.ts';
import { type Expr, registerOffset } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { findIpOption } from './ip-option.ts';
import { findIpv6Header } from './ipv6-header.ts';
import { nftProto, nftThoff } from './pktinfo.ts';
import { store8, storeBytes } from './registers.ts';
import { findTcpOption, tcpOptionLength, wholeTcpHeader } from './tcp-option.ts';
import { NF_UNKNOWN, NFT_BREAK, NFT_CONTINUE } from './verdict.ts';

/** NFT_EXTHDR_OP_IPV6: an IPv6 extension header. */
export const NFT_EXTHDR_OP_IPV6 = 0;
/** NFT_EXTHDR_OP_TCPOPT: a TCP option. */
export const NFT_EXTHDR_OP_TCPOPT = 1;
/** NFT_EXTHDR_OP_IPV4: an IPv4 option. */
export const NFT_EXTHDR_OP_IPV4 = 2;
/** NFT_EXTHDR_OP_SCTP: an SCTP chunk. */
export const NFT_EXTHDR_OP_SCTP = 3;
/** NFT_EXTHDR_OP_DCCP: a DCCP option; this kernel was built without. */
export const NFT_EXTHDR_OP_DCCP = 4;
/** NFT_EXTHDR_F_PRESENT: only whether it is there, 1 or 0. */
export const NFT_EXTHDR_F_PRESENT = 1;

/** SCTP's common header. */
const SCTP_COMMON = 12;

/** `exthdr`: bytes of an extension header, option or chunk into a register; NFT_BREAK if there is none. */
export class ExthdrExpr implements Expr {
  readonly name = 'exthdr';
  readonly dreg: number;
  readonly type: number;
  readonly offset: number;
  readonly len: number;
  readonly op: number;
  readonly flags: number;
  private readonly at: number;

  /**
   * @param type number of the header, option or chunk
   * @param offset from its first byte, `len` bytes
   * @param op NFT_EXTHDR_OP_*, `flags` NFT_EXTHDR_F_*
   */
  constructor(dreg: number, type: number, offset: number, len: number, op: number, flags: number) {
    this.dreg = dreg;
    this.type = type;
    this.offset = offset;
    this.len = len;
    this.op = op;
    this.flags = flags;
    this.at = registerOffset(dreg);
  }

  eval(state: HookState): number {
    const { pkt } = state;
    switch (this.op) {
      case NFT_EXTHDR_OP_IPV6:
        if (pkt.family !== AF_INET6) return NFT_BREAK;
        return this.take(state, findIpv6Header(pkt, this.type), pkt.end);
      case NFT_EXTHDR_OP_TCPOPT:
        return this.tcp(state);
      case NFT_EXTHDR_OP_IPV4:
        if (pkt.family !== AF_INET) return NFT_BREAK;
        return this.take(state, findIpOption(pkt, this.type), pkt.end);
      case NFT_EXTHDR_OP_SCTP:
        return this.sctp(state);
      default:
        state.unknown = 'DCCP options are not supported';
        return NF_UNKNOWN;
    }
  }

  /** @param from first byte of the header or option, -1 if it is not there; `end` where what may be read ends */
  private take(state: HookState, from: number, end: number): number {
    if ((this.flags & NFT_EXTHDR_F_PRESENT) !== 0) {
      store8(state, this.at, from < 0 ? 0 : 1);
      return NFT_CONTINUE;
    }
    if (from < 0 || from + this.offset + this.len > end) return NFT_BREAK;
    storeBytes(state, this.at, state.pkt.view, from + this.offset, this.len);
    return NFT_CONTINUE;
  }

  private tcp(state: HookState): number {
    const { pkt } = state;
    const l4 = wholeTcpHeader(pkt);
    if (l4 < 0) return this.take(state, -1, pkt.end);
    const from = findTcpOption(pkt.view, l4, this.type);
    if (from < 0) return this.take(state, -1, pkt.end);
    const length = tcpOptionLength(pkt.view, from);
    const damaged = from + length > l4 + tcpHeaderLength(pkt.view, l4) || this.offset + this.len > length;
    return this.take(state, damaged ? -1 : from, pkt.end);
  }

  private sctp(state: HookState): number {
    const { pkt } = state;
    const from = findChunk(pkt, this.type);
    if (from < 0 || (this.flags & NFT_EXTHDR_F_PRESENT) !== 0) return this.take(state, from, pkt.end);
    return this.take(state, from, Math.min(pkt.end, from + pkt.view.getUint16(from + 2)));
  }
}

/** First byte of the first SCTP chunk of a type, or -1. */
function findChunk(pkt: Packet, type: number): number {
  if (nftProto(pkt) !== IPPROTO_SCTP) return -1;
  const { view, end } = pkt;
  const l4 = nftThoff(pkt);
  if (l4 < 0) return -1;
  let at = l4 + SCTP_COMMON;
  while (at + 4 <= end) {
    const length = view.getUint16(at + 2);
    if (length === 0) return -1;
    if (view.getUint8(at) === type) return at;
    at += (length + 3) & ~3;
  }
  return -1;
}
