import { fragmentIpv4, fragmentIpv6 } from '../../engine/packet/build-fragment.ts';
import type { Dice } from './dice.ts';

/** A packet in pieces: in order or not, with a piece twice, missing or overlapping. */
export function fragmentsOf(dice: Dice, packet: Uint8Array): Uint8Array[] {
  const v6 = packet[0]! >> 4 === 6;
  if (packet.length < (v6 ? 60 : 44)) return [packet];
  const size = 8 * dice.between(1, Math.max(1, Math.floor(packet.length / 16)));
  const pieces = v6 ? fragmentIpv6(packet, size, dice.word()) : fragmentIpv4(withId(packet, dice), size);
  if (pieces.length > 20) return [packet];
  if (dice.chance(40)) pieces.reverse();
  if (pieces.length > 1 && dice.chance(10)) pieces.splice(dice.below(pieces.length), 1);
  if (dice.chance(15)) pieces.splice(dice.below(pieces.length), 0, dice.pick(pieces));
  return pieces;
}

/** The same IPv4 packet with another id, so that two datagrams do not share one; the header sum follows. */
function withId(packet: Uint8Array, dice: Dice): Uint8Array {
  const out = packet.slice();
  const view = new DataView(out.buffer);
  const before = view.getUint16(4);
  const id = dice.below(65536);
  view.setUint16(4, id);
  // RFC 1624, equation 3.
  let sum = (~view.getUint16(10) & 0xffff) + (~before & 0xffff) + id;
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(10, ~sum & 0xffff);
  return out;
}
