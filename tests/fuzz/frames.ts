import * as L from '../../engine/packet/build-link.ts';
import * as DLT from '../../engine/packet/link.ts';
import type { Dice } from '../traffic/dice.ts';
import type { MixedTraffic } from '../traffic/mix.ts';

/** Link types with what makes a frame of them; the last is unknown. */
export const LINKS: readonly (readonly [linktype: number, frame: (packet: Uint8Array) => Uint8Array])[] = [
  [DLT.DLT_EN10MB, (p) => L.ethernetFrame(p)],
  [DLT.DLT_EN10MB, (p) => L.vlanFrame(p, 7)],
  [DLT.DLT_EN10MB, (p) => L.qinqFrame(p, 7, 8)],
  [DLT.DLT_LINUX_SLL, (p) => L.sllFrame(p)],
  [DLT.DLT_LINUX_SLL2, (p) => L.sll2Frame(p)],
  [DLT.DLT_NULL, (p) => L.nullFrame(p)],
  [DLT.DLT_LOOP, (p) => L.loopFrame(p)],
  [DLT.DLT_RAW, (p) => p],
  [DLT.DLT_RAW_BSD, (p) => p],
  [DLT.DLT_RAW_OPENBSD, (p) => p],
  [DLT.DLT_IPV4, (p) => p],
  [DLT.DLT_IPV6, (p) => p],
  [147, (p) => p],
];

/** A frame as it would come from a wire, before anything is done to it. */
export interface Frame {
  readonly bytes: Uint8Array;
  readonly linktype: number;
  /** First byte of the IP header in it. */
  readonly ip: number;
}

/** The next packets of some traffic, each on another link type. */
export function framesOf(dice: Dice, traffic: MixedTraffic, count: number): Frame[] {
  return Array.from({ length: count }, () => {
    const [linktype, wrap] = dice.pick(LINKS);
    // Of the pieces of a datagram none may be left (traffic/fragments.ts).
    const packet = traffic.next() ?? new Uint8Array(0);
    const bytes = wrap(packet);
    return { bytes, linktype, ip: bytes.length - packet.length };
  });
}
