import { R_FRAG_HELD } from '../base/reason.ts';
import { because, type Packet } from '../packet/packet.ts';

/** Not a fragment, or the one that completed its datagram: the packet now is the whole datagram. */
export const FRAG_PASS = 0;
/** Held until its datagram is whole. */
export const FRAG_HELD = 1;
/** Dropped. */
export const FRAG_DROP = 2;

/** Drops a packet and says why. @returns FRAG_DROP */
export function drop(pkt: Packet, reason: number, a = 0): number {
  because(pkt, reason, a);
  return FRAG_DROP;
}

/** Holds a fragment. @returns FRAG_HELD */
export function hold(pkt: Packet): number {
  because(pkt, R_FRAG_HELD);
  return FRAG_HELD;
}
