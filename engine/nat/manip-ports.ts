import { sctpCrc } from '../packet/checksum.ts';
import { addChange, addressChange, replaceNumber } from './manip-checksum.ts';
import { NF_NAT_MANIP_SRC } from './range.ts';
import type { ManipTarget } from './target.ts';

/** What there must be of a header whose ports are rewritten, of any protocol. */
const LEAST = 8;
const TCP_HEADER = 20;
const SCTP_HEADER = 12;

function portAt(l4: number, target: ManipTarget): number {
  return target.manip === NF_NAT_MANIP_SRC ? l4 : l4 + 2;
}

/**
 * TCP (tcp_manip_pkt). Of a header that is cut short, as ICMP errors quote it, only the port is rewritten.
 * @param ip first byte of the IP header, its address still the old one
 * @param l4 first byte of the transport header, `end` first byte behind the packet
 * @returns false if there is too little of it
 */
export function manipTcp(view: DataView, ip: number, l4: number, end: number, target: ManipTarget): boolean {
  if (l4 + LEAST > end) return false;
  const at = portAt(l4, target);
  if (l4 + TCP_HEADER > end) {
    view.setUint16(at, target.port);
    return true;
  }
  addChange(view, l4 + 16, addressChange(view, ip, target));
  replaceNumber(view, at, l4 + 16, target.port);
  return true;
}

/** UDP: a checksum of 0, none, stays; one that comes to 0 is written as 0xffff (RFC 768). As {@link manipTcp}. */
export function manipUdp(view: DataView, ip: number, l4: number, end: number, target: ManipTarget): boolean {
  if (l4 + LEAST > end) return false;
  if (view.getUint16(l4 + 6) === 0) view.setUint16(portAt(l4, target), target.port);
  else manipUdpLite(view, ip, l4, end, target);
  return true;
}

/** UDP-Lite, which has always a checksum. As {@link manipTcp}. */
export function manipUdpLite(
  view: DataView,
  ip: number,
  l4: number,
  end: number,
  target: ManipTarget,
): boolean {
  if (l4 + LEAST > end) return false;
  addChange(view, l4 + 6, addressChange(view, ip, target));
  replaceNumber(view, portAt(l4, target), l4 + 6, target.port);
  if (view.getUint16(l4 + 6) === 0) view.setUint16(l4 + 6, 0xffff);
  return true;
}

/** SCTP: its CRC32c (RFC 9260, section 6.8) is made anew, over what there is. As {@link manipTcp}. */
export function manipSctp(
  view: DataView,
  _ip: number,
  l4: number,
  end: number,
  target: ManipTarget,
): boolean {
  if (l4 + LEAST > end) return false;
  view.setUint16(portAt(l4, target), target.port);
  if (l4 + SCTP_HEADER <= end) view.setInt32(l4 + 8, sctpCrc(view, l4, end));
  return true;
}
