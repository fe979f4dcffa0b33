import { ipv4Text, ipv6Text } from '../../engine/packet/address.ts';

function addressAt(packet: Uint8Array, v4: number, v6: number): string | null {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const six = packet[0]! >> 4 === 6;
  if (packet.length < (six ? 40 : 20)) return null;
  if (!six) return ipv4Text(view.getInt32(v4));
  return ipv6Text(view.getInt32(v6), view.getInt32(v6 + 4), view.getInt32(v6 + 8), view.getInt32(v6 + 12));
}

/** Source address of a raw IP packet, null if it is too short to have one. */
export function sourceOf(packet: Uint8Array): string | null {
  return addressAt(packet, 12, 8);
}

/** Destination address of a raw IP packet. */
export function destinationOf(packet: Uint8Array): string | null {
  return addressAt(packet, 16, 24);
}
