import { R_IP_CHECKSUM, R_IP_LENGTH, R_IP_SHORT, R_IP_TOTAL, R_IP_VERSION } from '../base/reason.ts';
import { fold, sum } from './checksum.ts';
import { AF_INET, because, FRAG_MORE, type Packet } from './packet.ts';

/** Bytes of an IPv4 header without options. */
export const IPV4_HEADER = 20;
/** The option "record route" (RFC 791, section 3.1). */
export const IPOPT_RR = 7;
/** The option "internet timestamp", whose times are milliseconds since midnight UTC. */
export const IPOPT_TIMESTAMP = 68;
/** Milliseconds of a day: where those times begin anew. */
export const DAY = 86_400_000;
const MORE_FRAGMENTS = 0x2000;

/**
 * Reads the IPv4 header at `pkt.off` and cuts the packet to its total length, with the checks that Linux makes
 * before connection tracking sees a packet (RFC 1122 section 3.2.1; measured: a packet that fails one is never
 * seen by PREROUTING).
 * @returns false and a reason if it would have been dropped there
 */
export function dissectIpv4(pkt: Packet): boolean {
  const { view, off } = pkt;
  const there = pkt.end - off;
  if (there < IPV4_HEADER) return refuse(pkt, R_IP_SHORT);
  const first = view.getUint8(off);
  if (first >> 4 !== 4) return refuse(pkt, R_IP_VERSION, first >> 4);
  const header = (first & 15) << 2;
  if (header < IPV4_HEADER || header > there) return refuse(pkt, R_IP_SHORT);
  if (fold(sum(view, off, off + header)) !== 0xffff) return refuse(pkt, R_IP_CHECKSUM);
  const total = view.getUint16(off + 2);
  if (total > there) return refuse(pkt, R_IP_LENGTH, total, there);
  if (total < header) return refuse(pkt, R_IP_TOTAL, total);
  const fragment = view.getUint16(off + 6);
  pkt.family = AF_INET;
  pkt.end = off + total;
  pkt.proto = view.getUint8(off + 9);
  pkt.l4 = off + header;
  pkt.frag = ((fragment & 0x1fff) << 3) | (fragment & MORE_FRAGMENTS ? FRAG_MORE : 0);
  return true;
}

function refuse(pkt: Packet, reason: number, a = 0, b = 0): false {
  because(pkt, reason, a, b);
  return false;
}
