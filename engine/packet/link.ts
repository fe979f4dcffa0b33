import { R_LINK_SHORT, R_LINK_UNKNOWN, R_NOT_IP } from '../base/reason.ts';
import { enterEthernet, enterEthertype } from './ethernet.ts';
import { AF_INET, AF_INET6, because, type Packet } from './packet.ts';

/** BSD loopback: four bytes of address family in the byte order of the machine that captured. */
export const DLT_NULL = 0;
/** Ethernet. */
export const DLT_EN10MB = 1;
/** Raw IP, as some systems number it. */
export const DLT_RAW_BSD = 12;
/** Raw IP, the other old number (OpenBSD). */
export const DLT_RAW_OPENBSD = 14;
/** LINKTYPE_RAW: raw IP. */
export const DLT_RAW = 101;
/** OpenBSD loopback: four bytes of address family in network byte order. */
export const DLT_LOOP = 108;
/** Linux cooked, version 1. */
export const DLT_LINUX_SLL = 113;
/** Raw IPv4. */
export const DLT_IPV4 = 228;
/** Raw IPv6. */
export const DLT_IPV6 = 229;
/** Linux cooked, version 2. */
export const DLT_LINUX_SLL2 = 276;

const SLL_HEADER = 16;
const SLL2_HEADER = 20;
/** AF_INET6 differs between systems: Linux, NetBSD/OpenBSD, FreeBSD, Darwin (pcap-linktype(7)). */
const NULL_INET6 = [10, 24, 28, 30];

/**
 * Steps over the link header that a link type (tcpdump.org, "Link-layer header types") says is there, so that
 * `pkt.off` is the first byte of the network header and `pkt.family` what the link layer announces.
 * @returns false and a reason if there is no IP to be found
 */
export function enterLink(pkt: Packet, linktype: number): boolean {
  switch (linktype) {
    case DLT_EN10MB:
      return enterEthernet(pkt);
    case DLT_RAW:
    case DLT_RAW_BSD:
    case DLT_RAW_OPENBSD:
      return true;
    case DLT_IPV4:
      pkt.family = AF_INET;
      return true;
    case DLT_IPV6:
      pkt.family = AF_INET6;
      return true;
    case DLT_LINUX_SLL:
      return enterCooked(pkt, SLL_HEADER, 14);
    case DLT_LINUX_SLL2:
      return enterCooked(pkt, SLL2_HEADER, 0);
    case DLT_NULL:
    case DLT_LOOP:
      return enterLoopback(pkt);
    default:
      because(pkt, R_LINK_UNKNOWN, linktype);
      return false;
  }
}

/** Linux cooked: v1 has its ethertype at byte 14 of 16, v2 at byte 0 of 20. */
function enterCooked(pkt: Packet, header: number, typeAt: number): boolean {
  if (pkt.off + header > pkt.end) {
    because(pkt, R_LINK_SHORT);
    return false;
  }
  return enterEthertype(pkt, pkt.view.getUint16(pkt.off + typeAt), pkt.off + header);
}

/** NULL and LOOP: the family is small, so whichever end is not zero tells the byte order. */
function enterLoopback(pkt: Packet): boolean {
  if (pkt.off + 4 > pkt.end) {
    because(pkt, R_LINK_SHORT);
    return false;
  }
  const big = pkt.view.getUint32(pkt.off);
  const family = big > 0xffff ? pkt.view.getUint32(pkt.off, true) : big;
  pkt.off += 4;
  if (family === AF_INET) pkt.family = AF_INET;
  else if (NULL_INET6.includes(family)) pkt.family = AF_INET6;
  else {
    because(pkt, R_NOT_IP, family);
    return false;
  }
  return true;
}
