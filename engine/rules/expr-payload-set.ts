import { fold, sctpCrc, sum } from '../packet/checksum.ts';
import {
  AF_INET,
  CHECKSUM_NONE,
  CHECKSUM_UNNECESSARY,
  CHECKSUM_WRONG,
  type Packet,
} from '../packet/packet.ts';
import {
  IPPROTO_ICMPV6,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
} from '../packet/protocols.ts';
import { writable } from '../packet/rewrite.ts';
import { type Expr, registerOffset } from './expr.ts';
import { NFT_PAYLOAD_NETWORK_HEADER, payloadBase } from './expr-payload.ts';
import type { HookState } from './hook-state.ts';
import { nftProto, nftThoff } from './pktinfo.ts';
import { NFT_BREAK, NFT_CONTINUE } from './verdict.ts';

/** NFT_PAYLOAD_CSUM_NONE. */
export const NFT_PAYLOAD_CSUM_NONE = 0;
/** NFT_PAYLOAD_CSUM_INET: the header has an internet checksum at csumOffset. */
export const NFT_PAYLOAD_CSUM_INET = 1;
/** NFT_PAYLOAD_CSUM_SCTP: SCTP's CRC32c. */
export const NFT_PAYLOAD_CSUM_SCTP = 2;
/** NFT_PAYLOAD_L4CSUM_PSEUDOHDR: the bytes are part of the pseudo header of the transport checksum. */
export const NFT_PAYLOAD_L4CSUM_PSEUDOHDR = 1;

/** `payload … set`: writes bytes into the packet and brings its checksums up to date. */
export class PayloadSetExpr implements Expr {
  readonly name = 'payload';
  readonly sreg: number;
  readonly base: number;
  readonly offset: number;
  readonly len: number;
  readonly csumType: number;
  readonly csumOffset: number;
  readonly csumFlags: number;
  private readonly at: number;

  /** @param csumOffset where the header's own checksum stands, from `base` */
  constructor(
    sreg: number,
    base: number,
    offset: number,
    len: number,
    csumType: number,
    csumOffset: number,
    csumFlags: number,
  ) {
    this.sreg = sreg;
    this.base = base;
    this.offset = offset;
    this.len = len;
    this.csumType = csumType;
    this.csumOffset = csumOffset;
    this.csumFlags = csumFlags;
    this.at = registerOffset(sreg);
  }

  eval(state: HookState): number {
    const { pkt } = state;
    const where = payloadBase(pkt, this.base);
    if (where < 0 || where + this.offset + this.len > pkt.end) return NFT_BREAK;
    const checked = this.csumType === NFT_PAYLOAD_CSUM_INET;
    if (checked && where + this.csumOffset + 2 > pkt.end) return NFT_BREAK;
    writable(pkt);
    const base = payloadBase(pkt, this.base);
    const to = base + this.offset;
    const before = sum(pkt.view, to, to + this.len);
    const after = sum(state.regView, this.at, this.at + this.len);
    if (checked) updateSum(pkt.view, base + this.csumOffset, before, after);
    if (this.csumFlags !== 0 && !updateTransport(pkt, before, after)) {
      // The header's checksum is of what would have been written (measured).
      if (checked && pkt.family === AF_INET) noteHeaderSum(pkt);
      return NFT_BREAK;
    }
    for (let i = 0; i < this.len; i++) pkt.view.setUint8(to + i, state.regs[this.at + i]!);
    if (this.base === NFT_PAYLOAD_NETWORK_HEADER && pkt.family === AF_INET) noteHeaderSum(pkt);
    if (this.csumType === NFT_PAYLOAD_CSUM_SCTP && nftProto(pkt) === IPPROTO_SCTP) updateSctp(pkt);
    return NFT_CONTINUE;
  }
}

/** Whether the header's checksum still is right, which what is written as raw bytes, or as the checksum, does not see to. */
function noteHeaderSum(pkt: Packet): void {
  if (pkt.checksum === CHECKSUM_UNNECESSARY) return;
  const { view, off } = pkt;
  const isRight = fold(sum(view, off, off + ((view.getUint8(off) & 15) << 2))) === 0xffff;
  pkt.checksum = isRight ? CHECKSUM_NONE : CHECKSUM_WRONG;
}

/** Takes one sum out of a checksum and puts another in; the kernel writes 0xffff where that gives 0. */
function updateSum(view: DataView, at: number, before: number, after: number): void {
  const kept = (~view.getUint16(at) & 0xffff) + (~fold(before) & 0xffff) + fold(after);
  const next = ~fold(kept) & 0xffff;
  view.setUint16(at, next === 0 ? 0xffff : next);
}

/**
 * The transport checksum, where the protocol has one over the pseudo header (kernel: nft_payload_l4csum_offset).
 * @returns false if the packet ends in front of it (measured: of UDP that is as if it had none)
 */
function updateTransport(pkt: Packet, before: number, after: number): boolean {
  const l4 = nftThoff(pkt);
  const proto = nftProto(pkt);
  const offset = checksumOffset(proto);
  if (l4 < 0 || offset < 0) return true;
  const at = l4 + offset;
  if (at + 2 > pkt.end) return proto === IPPROTO_UDP;
  // UDP's zero says that there is no checksum.
  if (proto !== IPPROTO_UDP || pkt.view.getUint16(at) !== 0) updateSum(pkt.view, at, before, after);
  return true;
}

function checksumOffset(proto: number): number {
  switch (proto) {
    case IPPROTO_TCP:
      return 16;
    case IPPROTO_UDP:
    case IPPROTO_UDPLITE:
      return 6;
    case IPPROTO_ICMPV6:
      return 2;
    default:
      return -1;
  }
}

function updateSctp(pkt: Packet): void {
  const l4 = nftThoff(pkt);
  if (l4 >= 0 && l4 + 12 <= pkt.end) pkt.view.setInt32(l4 + 8, sctpCrc(pkt.view, l4, pkt.end));
}
