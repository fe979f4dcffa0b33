import { AF_INET, type Packet } from '../packet/packet.ts';

/** TTL or hop limit of a packet. */
export function hopLimit(pkt: Packet): number {
  return pkt.view.getUint8(pkt.off + (pkt.family === AF_INET ? 8 : 7));
}

/**
 * Takes one off the hop limit of a packet that is forwarded, while the rules see it. It is changed in place, since a
 * copy of each packet would cost more than all else; {@link putHop} puts it back, because the bytes are the capture's.
 * IPv4's header checksum goes along as the kernel does it (RFC 1141).
 * @returns what {@link putHop} needs: the word from the TTL on (IPv4), or the first word but one (IPv6)
 */
export function takeHop(pkt: Packet): number {
  const { view, off } = pkt;
  if (pkt.family !== AF_INET) {
    const word = view.getInt32(off + 4);
    view.setInt32(off + 4, word - 1);
    return word;
  }
  // TTL, protocol and checksum in one word.
  const word = view.getInt32(off + 8);
  const sum = (word & 0xffff) + 0x100;
  view.setInt32(off + 8, ((word - 0x1000000) & ~0xffff) | ((sum >= 0xffff ? sum + 1 : sum) & 0xffff));
  return word;
}

/**
 * Puts back what {@link takeHop} changed.
 * @param view and `off` of the packet as they were then
 */
export function putHop(view: DataView, off: number, family: number, word: number): void {
  view.setInt32(off + (family === AF_INET ? 8 : 4), word);
}
