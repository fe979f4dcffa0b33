import { checksumOk, isResettable, putChecksum, putIpv4, putIpv6, tcpResetAbout } from './build-reject.ts';
import { pseudoSum } from './checksum.ts';
import { ICMP_DEST_UNREACH } from './icmp.ts';
import { ICMPV6_DEST_UNREACH } from './icmpv6.ts';
import { IPV4_HEADER } from './ipv4.ts';
import { IPV6_HEADER } from './ipv6.ts';
import { AF_INET, type Packet } from './packet.ts';
import { IPPROTO_ICMP, IPPROTO_ICMPV6 } from './protocols.ts';

/**
 * How `reject` answers at ingress, where no packet is routed: in the name of the address that was asked for, whoever
 * asks and whatever that address is. Measured on a TAP device with Linux 6.18.
 */

const DONT_FRAGMENT = 0x4000;
/** Most bytes that are quoted of a packet. */
const QUOTED4 = 536;
const QUOTED6 = 1220;

/** Whether a packet is "destination unreachable" itself; all other errors are answered. */
function isUnreachable({ view, family, proto, l4, end }: Packet): boolean {
  if (l4 >= end) return false;
  return family === AF_INET
    ? proto === IPPROTO_ICMP && view.getUint8(l4) === ICMP_DEST_UNREACH
    : proto === IPPROTO_ICMPV6 && view.getUint8(l4) === ICMPV6_DEST_UNREACH;
}

function mayAnswer(pkt: Packet): boolean {
  const { family, l4, end, frag, pkttype } = pkt;
  if (pkttype === 1 || pkttype === 2 || frag >= 8 || isUnreachable(pkt)) return false;
  return l4 >= 0 && l4 + (family === AF_INET ? 0 : 1) <= end && checksumOk(pkt);
}

/**
 * The error "destination unreachable" about a packet at ingress.
 * @param code of ICMP or ICMPv6, as the packet's family asks for
 * @returns a whole IP packet, null if Linux sends none: to a frame for several machines, a later fragment, another
 *   such error, a wrong checksum
 */
export function ingressUnreachable(pkt: Packet, code: number): Uint8Array | null {
  if (!mayAnswer(pkt)) return null;
  const { bytes, off, end, family } = pkt;
  const isIpv4 = family === AF_INET;
  const icmp = isIpv4 ? IPV4_HEADER : IPV6_HEADER;
  const quoted = Math.min(end - off, isIpv4 ? QUOTED4 : QUOTED6);
  const answer = new Uint8Array(icmp + 8 + quoted);
  const out = new DataView(answer.buffer);
  answer.set(bytes.subarray(off, off + quoted), icmp + 8);
  putAddresses(answer, pkt);
  out.setUint8(icmp, isIpv4 ? ICMP_DEST_UNREACH : ICMPV6_DEST_UNREACH);
  out.setUint8(icmp + 1, code);
  if (isIpv4) putIpv4(out, 0, DONT_FRAGMENT, IPPROTO_ICMP);
  else putIpv6(out, IPPROTO_ICMPV6);
  const pseudo = isIpv4 ? 0 : pseudoSum(out, 0, family, IPPROTO_ICMPV6, out.byteLength - icmp);
  putChecksum(out, icmp, icmp + 2, pseudo);
  return answer;
}

/** Those of the packet, the other way round. */
function putAddresses(answer: Uint8Array, { bytes, off, family }: Packet): void {
  const [at, size] = family === AF_INET ? [12, 4] : [8, 16];
  answer.set(bytes.subarray(off + at + size, off + at + 2 * size), at);
  answer.set(bytes.subarray(off + at, off + at + size), at + size);
}

/** The reset that answers a TCP segment at ingress; null if Linux sends none: no TCP, a reset, a wrong checksum. */
export function ingressReset(pkt: Packet): Uint8Array | null {
  return isResettable(pkt) && checksumOk(pkt) ? tcpResetAbout(pkt) : null;
}
