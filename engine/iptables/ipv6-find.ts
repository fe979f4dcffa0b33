import type { Packet } from '../packet/packet.ts';
import type { Expr } from '../rules/expr.ts';
import type { HookState } from '../rules/hook-state.ts';
import { CUT, findIpv6Header, NOT_THERE } from '../rules/ipv6-header.ts';
import { NF_DROP, NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';

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
    const at = findIpv6Header(pkt, this.number);
    if (at === NOT_THERE) return NFT_BREAK;
    if (at === CUT || at + this.size > pkt.end) return NF_DROP;
    if (at + this.bytesAt(pkt, at) > pkt.end) return NF_DROP;
    return this.matchesAt(pkt, at) ? NFT_CONTINUE : NFT_BREAK;
  }
}
