import type { Packet } from '../packet/packet.ts';

/** First byte of the transport header, -1 where there is none: in later fragments, behind a cut header. */
export function transportAt(pkt: Packet): number {
  return (pkt.frag & ~1) !== 0 ? -1 : pkt.l4;
}
