import { fold, sum } from '../packet/checksum.ts';
import { AF_INET, copyOfBytes, type Packet } from '../packet/packet.ts';
import type { Expr } from './expr.ts';
import { NF_INET_LOCAL_IN, NF_INET_PRE_ROUTING } from './family.ts';
import type { HookState } from './hook-state.ts';
import { NFT_CONTINUE } from './verdict.ts';

/** `dup`: sends a copy to another host (or, from a netdev chain, to another device) and goes on. */
export class DupExpr implements Expr {
  readonly name = 'dup';
  readonly sregAddr: number | null;
  readonly sregDev: number | null;

  constructor(sregAddr: number | null, sregDev: number | null) {
    this.sregAddr = sregAddr;
    this.sregDev = sregDev;
  }

  eval(state: HookState): number {
    state.effects.answer(state, copyOf(state.pkt, state.hook, this.sregAddr !== null), 'dup');
    return NFT_CONTINUE;
  }
}

/**
 * The copy as it leaves: with "don't fragment" set, and from PREROUTING and INPUT with one hop less so that two
 * machines that copy to each other come to an end (kernel: nf_dup_ipv4).
 */
export function copyOf(pkt: Packet, hook: number, routed: boolean): Uint8Array {
  const bytes = copyOfBytes(pkt.bytes, pkt.off, pkt.end);
  if (!routed) return bytes;
  const view = new DataView(bytes.buffer);
  const hop = hook === NF_INET_PRE_ROUTING || hook === NF_INET_LOCAL_IN ? 1 : 0;
  if (pkt.family !== AF_INET) {
    view.setUint8(7, view.getUint8(7) - hop);
    return bytes;
  }
  view.setUint8(6, view.getUint8(6) | 0x40);
  view.setUint8(8, view.getUint8(8) - hop);
  view.setUint16(10, 0);
  view.setUint16(10, ~fold(sum(view, 0, (view.getUint8(0) & 15) << 2)) & 0xffff);
  return bytes;
}
