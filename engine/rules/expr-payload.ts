import type { Packet } from '../packet/packet.ts';
import { IPPROTO_GRE, IPPROTO_TCP, IPPROTO_UDP } from '../packet/protocols.ts';
import { TCP_HEADER, tcpHeaderLength } from '../packet/tcp.ts';
import { UDP_HEADER } from '../packet/udp.ts';
import { type Expr, registerOffset } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { nftProto, nftThoff } from './pktinfo.ts';
import { storeBytes } from './registers.ts';
import { NFT_BREAK, NFT_CONTINUE } from './verdict.ts';

/** IP in IP (RFC 2003): what it carries begins at once. */
const IPPROTO_IPIP = 4;

/** NFT_PAYLOAD_LL_HEADER: offsets count from the link header. */
export const NFT_PAYLOAD_LL_HEADER = 0;
/** NFT_PAYLOAD_NETWORK_HEADER. */
export const NFT_PAYLOAD_NETWORK_HEADER = 1;
/** NFT_PAYLOAD_TRANSPORT_HEADER. */
export const NFT_PAYLOAD_TRANSPORT_HEADER = 2;
/** NFT_PAYLOAD_INNER_HEADER: what stands behind the transport header (`@ih`). */
export const NFT_PAYLOAD_INNER_HEADER = 3;

/** First byte behind the transport header, or -1 where Linux knows none (kernel: nft_payload_inner_offset). */
function innerOffset(pkt: Packet): number {
  const at = nftThoff(pkt);
  if (at < 0) return -1;
  const { view, end } = pkt;
  switch (nftProto(pkt)) {
    case IPPROTO_UDP:
      return at + UDP_HEADER;
    case IPPROTO_TCP:
      return at + TCP_HEADER > end ? -1 : at + tcpHeaderLength(view, at);
    case IPPROTO_GRE:
      return greInner(view, at, end);
    case IPPROTO_IPIP:
      return at;
    default:
      return -1;
  }
}

/** GRE (RFC 2784, RFC 2890): four bytes, and four more for each of checksum, key and sequence number. */
function greInner(view: DataView, at: number, end: number): number {
  if (at + 4 > end) return -1;
  const flags = view.getUint16(at);
  // Routing, or another version than 0 (measured: nothing is behind that of PPTP).
  if ((flags & 0x4007) !== 0) return -1;
  return at + 4 + (((flags >> 15) & 1) + ((flags >> 13) & 1) + ((flags >> 12) & 1)) * 4;
}

/**
 * Where a header of the packet begins.
 * @param base NFT_PAYLOAD_*
 * @returns its first byte, -1 if the packet has none
 */
export function payloadBase(pkt: Packet, base: number): number {
  switch (base) {
    case NFT_PAYLOAD_NETWORK_HEADER:
      return pkt.off;
    case NFT_PAYLOAD_TRANSPORT_HEADER:
      return nftThoff(pkt);
    case NFT_PAYLOAD_LL_HEADER:
      return pkt.mac < pkt.off ? pkt.mac : -1;
    default:
      return innerOffset(pkt);
  }
}

/** `payload`: bytes of the packet into a register; NFT_BREAK if they lie beyond its end. */
export class PayloadExpr implements Expr {
  readonly name = 'payload';
  readonly dreg: number;
  readonly base: number;
  readonly offset: number;
  readonly len: number;
  private readonly at: number;

  /** @param base NFT_PAYLOAD_*, `offset` and `len` in bytes */
  constructor(dreg: number, base: number, offset: number, len: number) {
    this.dreg = dreg;
    this.base = base;
    this.offset = offset;
    this.len = len;
    this.at = registerOffset(dreg);
  }

  eval(state: HookState): number {
    const { pkt } = state;
    const base = payloadBase(pkt, this.base);
    if (base < 0) return NFT_BREAK;
    const from = base + this.offset;
    if (from + this.len > pkt.end) return NFT_BREAK;
    storeBytes(state, this.at, pkt.view, from, this.len);
    return NFT_CONTINUE;
  }
}
