import { R_LINK_SHORT, R_NOT_IP } from '../base/reason.ts';
import { AF_INET, AF_INET6, because, type Packet } from './packet.ts';

/** IPv4. */
export const ETH_P_IP = 0x0800;
/** IPv6. */
export const ETH_P_IPV6 = 0x86dd;
/** ARP. */
export const ETH_P_ARP = 0x0806;
/** 802.1Q VLAN tag. */
export const ETH_P_8021Q = 0x8100;
/** 802.1ad service tag (QinQ). */
export const ETH_P_8021AD = 0x88a8;
/** QinQ as older switches wrote it. */
const ETH_P_QINQ1 = 0x9100;
/** Bytes of an Ethernet header. */
export const ETHERNET_HEADER = 14;

/**
 * Sets the family from an ethertype and moves to what it announces, over any number of VLAN tags (IEEE 802.1Q,
 * 802.1ad: two bytes tag, two bytes ethertype).
 * @param at first byte behind the ethertype
 * @returns false and a reason if there is no IP
 */
export function enterEthertype(pkt: Packet, type: number, at: number): boolean {
  while (type === ETH_P_8021Q || type === ETH_P_8021AD || type === ETH_P_QINQ1) {
    if (at + 4 > pkt.end) {
      because(pkt, R_LINK_SHORT);
      return false;
    }
    type = pkt.view.getUint16(at + 2);
    at += 4;
  }
  pkt.off = at;
  if (type === ETH_P_IP) pkt.family = AF_INET;
  else if (type === ETH_P_IPV6) pkt.family = AF_INET6;
  else {
    because(pkt, R_NOT_IP, type);
    return false;
  }
  return true;
}

/** Steps over an Ethernet header: destination 6, source 6, ethertype 2, then VLAN tags. */
export function enterEthernet(pkt: Packet): boolean {
  if (pkt.off + ETHERNET_HEADER > pkt.end) {
    because(pkt, R_LINK_SHORT);
    return false;
  }
  return enterEthertype(pkt, pkt.view.getUint16(pkt.off + 12), pkt.off + ETHERNET_HEADER);
}
