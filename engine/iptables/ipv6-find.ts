import type { Packet } from '../packet/packet.ts';
import type { Expr } from '../rules/expr.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_DROP, NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';

/** There is no such header. */
export const NOT_THERE: number = -1;
/** A header before it is cut. */
export const CUT: number = -2;

const FRAGMENT = 44;
const AUTHENTICATION = 51;

/**
 * Finds an IPv6 header by its number, and says why it could not, which xtables takes for a reason to drop the packet
 * (kernel: ipv6_find_hdr).
 * @returns its first byte, or NOT_THERE, or CUT
 */
export function findHeader(pkt: Packet, target: number): number {
  const { view, end } = pkt;
  let next = view.getUint8(pkt.off + 6);
  let at = pkt.off + 40;
  while (next !== target) {
    const known = next === 0 || next === 43 || next === FRAGMENT || next === AUTHENTICATION || next === 60;
    if (!known) return NOT_THERE;
    if (at + 2 > end) return CUT;
    const size = view.getUint8(at + 1);
    let length = (size + 1) << 3;
    if (next === FRAGMENT) {
      if (at + 4 > end) return CUT;
      if ((view.getUint16(at + 2) & 0xfff8) !== 0) return NOT_THERE;
      length = 8;
    } else if (next === AUTHENTICATION) length = (size + 2) << 2;
    next = view.getUint8(at);
    at += length;
  }
  return at;
}

/** A match of an IPv6 header. One that is cut, or behind one that is cut, drops the packet. */
export abstract class HeaderMatch implements Expr {
  readonly name = 'match';
  private readonly number: number;
  private readonly size: number;

  /** @param number of the header, `size` bytes of which have to be there */
  constructor(number: number, size: number) {
    this.number = number;
    this.size = size;
  }

  /** How long the header says it is; one that goes beyond the packet drops it (measured on Linux 6.18). */
  bytesAt(_pkt: Packet, _at: number): number {
    return this.size;
  }

  /** @param at first byte of the header */
  abstract matchesAt(pkt: Packet, at: number): boolean;

  eval(state: HookState): number {
    const { pkt } = state;
    const at = findHeader(pkt, this.number);
    if (at === NOT_THERE) return NFT_BREAK;
    if (at === CUT || at + this.size > pkt.end) return NF_DROP;
    if (at + this.bytesAt(pkt, at) > pkt.end) return NF_DROP;
    return this.matchesAt(pkt, at) ? NFT_CONTINUE : NFT_BREAK;
  }
}
