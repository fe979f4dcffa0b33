import { fold, pseudoSum, sum } from './checksum.ts';
import { DAY, IPOPT_RR, IPOPT_TIMESTAMP, IPV4_HEADER } from './ipv4.ts';
import { IPV6_HEADER } from './ipv6.ts';
import { AF_INET, CHECKSUM_UNNECESSARY, type Packet } from './packet.ts';
import {
  IPPROTO_AH,
  IPPROTO_GRE,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
} from './protocols.ts';
import { TCP_HEADER, TH_ACK, TH_FIN, TH_RST, TH_SYN, tcpFlags, tcpHeaderLength } from './tcp.ts';

/** Encapsulating security payload: has a check of its own. */
const IPPROTO_ESP = 50;
/** Hop limit of what Linux sends itself (net.ipv4.ip_default_ttl, net.ipv6.conf.all.hop_limit). */
const DEFAULT_TTL = 64;
const DONT_FRAGMENT = 0x4000;
/** IPTOS_PREC_INTERNETCONTROL, and the bits of the answered packet's TOS that are kept (measured: 0x1e). */
const TOS_CONTROL = 0xc0;
const TOS_KEPT = 0x1e;
/** Most bytes of an ICMP error with its IP header (RFC 1812 section 4.3.2.3), and of an ICMPv6 one (RFC 4443). */
const ICMP_MOST = 576;
const ICMPV6_MOST = 1280;
/** Bytes of IPv4 and ICMP headers, of IPv6 and ICMPv6 headers. */
const BEHIND_HEADERS4 = IPV4_HEADER + 8;
const BEHIND_HEADERS6 = IPV6_HEADER + 8;
/** The highest ICMP type that the kernel knows (NR_ICMP_TYPES). */
const ICMP_TYPES = 18;
/** ICMP types that are never answered: errors, and those that Linux does not know (measured: 9 and 10, too). */
const ICMP_ERRORS = [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12].reduce((bits, type) => bits | (1 << type), 0);

/** Whether Linux looks at the transport checksum of a packet before it rejects it: not if it may not be there. */
function isVerified(pkt: Packet): boolean {
  switch (pkt.proto) {
    case IPPROTO_UDP:
      return pkt.l4 + 8 > pkt.end || pkt.view.getUint16(pkt.l4 + 6) !== 0;
    case IPPROTO_GRE:
    case IPPROTO_ESP:
    case IPPROTO_AH:
    case IPPROTO_SCTP:
    case IPPROTO_UDPLITE:
      return false;
    default:
      return true;
  }
}

/**
 * Whether a packet's transport checksum is right by the rule that REJECT goes by, which holds for every protocol
 * that is not known to have none: of IPv4 only TCP and UDP have a pseudo header (measured: protocol 99 is answered if
 * its payload sums up to zero).
 */
export function checksumOk(pkt: Packet): boolean {
  if (pkt.checksum === CHECKSUM_UNNECESSARY || !isVerified(pkt)) return true;
  const { view, off, l4, end, proto, family } = pkt;
  const isBare = family === AF_INET && proto !== IPPROTO_TCP && proto !== IPPROTO_UDP;
  const start = isBare ? 0 : pseudoSum(view, off, family, proto, end - l4);
  // Linux sums from the IP header on, which adds nothing where that is right (measured: it is not where options were
  // written to, up to the end of FORWARD).
  const total = fold(sum(view, family === AF_INET ? off : l4, end, start));
  return total === 0xffff || total === 0;
}

/** Whether an IPv6 address at `at` is multicast. */
function isMulticast6(view: DataView, at: number): boolean {
  return view.getUint8(at) === 0xff;
}

/** Whether an IPv4 address is a group's or the limited broadcast. */
function isGroup4(word: number): boolean {
  return word >>> 28 === 14 || word === -1;
}

/** Whether no answer may go to an IPv6 address: unspecified or multicast. */
function isNobody6(view: DataView, at: number): boolean {
  const rest = view.getInt32(at) | view.getInt32(at + 4) | view.getInt32(at + 8) | view.getInt32(at + 12);
  return rest === 0 || isMulticast6(view, at);
}

const NO_OPTIONS = new Uint8Array(0);

/**
 * The options that an ICMP error takes over from a packet behind routing, and where this machine writes itself into them
 * again, if there is room (measured): "record route", then the timestamp.
 * @param source the address that the error comes from
 * @param limit only options that end before this byte of the header
 */
function echoedOptions(pkt: Packet, source: Uint8Array, limit: number): Uint8Array {
  const route = echoedOption(pkt, IPOPT_RR, limit);
  if (route.length > 2 && route[2]! >= 4 && route[2]! + 3 <= route.length) {
    route.set(source, route[2]! - 1);
    route[2]! += 4;
  }
  const stamp = echoedOption(pkt, IPOPT_TIMESTAMP, limit);
  if (stamp.length > 3 && stamp[2]! >= 5 && stamp[2]! + 3 <= stamp.length)
    stampAgain(stamp, source, Math.floor(pkt.time));
  const echoed = new Uint8Array((route.length + stamp.length + 3) & ~3);
  echoed.set(route);
  echoed.set(stamp, route.length);
  return echoed;
}

/** A copy of an option, which may be cut off; nothing if there is none. */
function echoedOption({ bytes, view, off }: Packet, wanted: number, limit: number): Uint8Array {
  const stop = off + Math.min(limit, (view.getUint8(off) & 15) << 2);
  for (let at = off + IPV4_HEADER; at + 2 < stop; ) {
    const type = view.getUint8(at);
    if (type === 0) break;
    const length = type === 1 ? 1 : Math.max(2, view.getUint8(at + 1));
    if (type === wanted && at + length <= stop) return bytes.slice(at, at + length);
    at += length;
  }
  return NO_OPTIONS;
}

/** The next entry of a timestamp option: of times alone, or of addresses with them. @param now ms */
function stampAgain(stamp: Uint8Array, source: Uint8Array, now: number): void {
  const kind = stamp[3]! & 15;
  let at = stamp[2]! - 1;
  if (kind > 1 || at + 4 + 4 * kind > stamp.length) return;
  if (kind === 1) {
    stamp.set(source, at);
    at += 4;
  }
  new DataView(stamp.buffer).setUint32(at, now % DAY);
  stamp[2] = at + 5;
}

/** Whether a packet is an error itself, or what Linux takes for one: those are never answered by another. */
function isError(pkt: Packet): boolean {
  const { view, l4, end, proto } = pkt;
  if (proto === IPPROTO_ICMP && pkt.family === AF_INET) {
    if (l4 >= end) return true;
    const type = view.getUint8(l4);
    return type > ICMP_TYPES || ((ICMP_ERRORS >> type) & 1) !== 0;
  }
  if (proto === IPPROTO_ICMPV6 && pkt.family !== AF_INET) return l4 >= end || view.getUint8(l4) < 128;
  return false;
}

/**
 * Whether an ICMP or ICMPv6 error about a packet may be sent (RFC 1122 section 3.2.2, RFC 4443 section 2.4): not about
 * errors, later fragments, and packets to or from a group.
 * @param verifies whether its checksum must be right: REJECT asks for that, the IP layer does not (measured)
 * @param isRouted whether its destination was looked at: before routing IPv4 answers what went to a group (measured)
 */
export function mayAnswer(pkt: Packet, verifies: boolean, isRouted: boolean): boolean {
  const { view, off } = pkt;
  if (pkt.pkttype !== 0 && pkt.pkttype !== 4 && pkt.pkttype !== 5) return false;
  if (pkt.frag >= 8 || isError(pkt)) return false;
  if (pkt.family === AF_INET) {
    const src = view.getInt32(off + 12);
    if ((isRouted && isGroup4(view.getInt32(off + 16))) || isGroup4(src) || src === 0) return false;
  } else if (isMulticast6(view, off + 24) || isNobody6(view, off + 8)) return false;
  if (!verifies) return true;
  // IPv6 asks for a transport header; IPv4 answers a packet that ends with its IP header, too (measured).
  const least = pkt.family === AF_INET ? 0 : 1;
  return pkt.l4 >= 0 && pkt.l4 + least <= pkt.end && checksumOk(pkt);
}

/** Writes an IPv4 header of `header` bytes, its checksum too; options are there already. */
export function putIpv4(
  out: DataView,
  tos: number,
  flags: number,
  proto: number,
  header: number = IPV4_HEADER,
): void {
  out.setUint8(0, 0x40 | (header >> 2));
  out.setUint8(1, tos);
  out.setUint16(2, out.byteLength);
  out.setUint16(6, flags);
  out.setUint8(8, DEFAULT_TTL);
  out.setUint8(9, proto);
  out.setUint16(10, ~fold(sum(out, 0, header)) & 0xffff);
}

/** Writes an IPv6 header whose addresses are there already. */
export function putIpv6(out: DataView, next: number): void {
  out.setUint8(0, 0x60);
  out.setUint16(4, out.byteLength - IPV6_HEADER);
  out.setUint8(6, next);
  out.setUint8(7, DEFAULT_TTL);
}

/** Writes the checksum of all behind the IP header. */
export function putChecksum(out: DataView, from: number, at: number, pseudo: number): void {
  out.setUint16(at, 0);
  out.setUint16(at, ~fold(sum(out, from, out.byteLength, pseudo)) & 0xffff);
}

/**
 * An ICMP or ICMPv6 error about a packet, quoting as much of it as the kernel does, at its present state: the hop limit
 * as it is at the hook. The identification of IPv4 and the flow label of IPv6, which the kernel draws at random, are 0.
 * @param pkt dissected; {@link mayAnswer} it must be
 * @param type of ICMP or ICMPv6, as the family asks for
 * @param rest the header's last four bytes
 * @param source the address it comes from: 4 or 16 bytes
 * @param isRouted as for {@link mayAnswer}
 * @param soundTo up to which byte the header's options are in order
 */
export function icmpErrorAbout(
  pkt: Packet,
  type: number,
  code: number,
  rest: number,
  source: Uint8Array,
  isRouted: boolean,
  soundTo = 60,
): Uint8Array {
  const { bytes, view, off, end } = pkt;
  const isIpv4 = pkt.family === AF_INET;
  const options =
    isIpv4 && isRouted && view.getUint8(off) !== 0x45 ? echoedOptions(pkt, source, soundTo) : NO_OPTIONS;
  const headers = (isIpv4 ? BEHIND_HEADERS4 : BEHIND_HEADERS6) + options.length;
  const quoted = Math.min(end - off, (isIpv4 ? ICMP_MOST : ICMPV6_MOST) - headers);
  const answer = new Uint8Array(headers + quoted);
  const out = new DataView(answer.buffer);
  answer.set(bytes.subarray(off, off + quoted), headers);
  const icmp = headers - 8;
  out.setUint8(icmp, type);
  out.setUint8(icmp + 1, code);
  out.setUint32(icmp + 4, rest);
  if (isIpv4) {
    answer.set(options, IPV4_HEADER);
    answer.set(source, 12);
    answer.set(bytes.subarray(off + 12, off + 16), 16);
    putIpv4(out, (view.getUint8(off + 1) & TOS_KEPT) | TOS_CONTROL, 0, IPPROTO_ICMP, icmp);
    putChecksum(out, icmp, icmp + 2, 0);
  } else {
    answer.set(source, 8);
    answer.set(bytes.subarray(off + 8, off + 24), 24);
    putIpv6(out, IPPROTO_ICMPV6);
    putChecksum(out, icmp, icmp + 2, pseudoSum(out, 0, pkt.family, IPPROTO_ICMPV6, out.byteLength - icmp));
  }
  return answer;
}

/** Whether a packet is TCP with a whole header and no reset itself, and its frame was to one machine. */
export function isResettable({ view, l4, end, proto, frag, pkttype }: Packet): boolean {
  if (proto !== IPPROTO_TCP || frag >= 8 || l4 < 0 || l4 + TCP_HEADER > end) return false;
  return (tcpFlags(view, l4) & TH_RST) === 0 && pkttype !== 1 && pkttype !== 2;
}

/** Whether a reset may answer a packet: TCP with a right checksum, no reset itself, to one host. */
function mayReset(pkt: Packet, isRouted: boolean): boolean {
  const { view, off } = pkt;
  if (!isResettable(pkt)) return false;
  if (pkt.family === AF_INET) {
    if (isRouted && isGroup4(view.getInt32(off + 16))) return false;
    // Measured: none where options were written to, whose checksum is made anew only behind FORWARD.
    if (fold(sum(view, off, off + ((view.getUint8(off) & 15) << 2))) !== 0xffff) return false;
  } else if (isNobody6(view, off + 8) || isMulticast6(view, off + 24)) return false;
  return checksumOk(pkt);
}

/**
 * The reset that answers a TCP segment (RFC 9293, section 3.10.7.1), as REJECT makes it.
 * @param isRouted as for {@link mayAnswer}
 * @returns null if Linux sends none
 */
export function tcpResetFor(pkt: Packet, isRouted: boolean): Uint8Array | null {
  return mayReset(pkt, isRouted) ? tcpResetAbout(pkt) : null;
}

/** The reset that answers a TCP segment, whoever it is from and to. @param pkt dissected; {@link isResettable} */
export function tcpResetAbout(pkt: Packet): Uint8Array {
  const { bytes, view, off, l4, end } = pkt;
  const isIpv4 = pkt.family === AF_INET;
  const header = isIpv4 ? IPV4_HEADER : IPV6_HEADER;
  const answer = new Uint8Array(header + TCP_HEADER);
  const out = new DataView(answer.buffer);
  const size = isIpv4 ? 4 : 16;
  const from = isIpv4 ? 12 : 8;
  answer.set(bytes.subarray(off + from + size, off + from + 2 * size), from);
  answer.set(bytes.subarray(off + from, off + from + size), from + size);
  out.setUint16(header, view.getUint16(l4 + 2));
  out.setUint16(header + 2, view.getUint16(l4));
  const flags = tcpFlags(view, l4);
  if ((flags & TH_ACK) !== 0) out.setInt32(header + 4, view.getInt32(l4 + 8));
  else {
    // The data offset is believed: one beyond the packet makes the length negative (measured).
    const length = end - l4 - tcpHeaderLength(view, l4);
    const counted = ((flags & TH_SYN) !== 0 ? 1 : 0) + ((flags & TH_FIN) !== 0 ? 1 : 0);
    out.setInt32(header + 8, (view.getInt32(l4 + 4) + length + counted) | 0);
  }
  out.setUint8(header + 12, (TCP_HEADER / 4) << 4);
  out.setUint8(header + 13, (flags & TH_ACK) !== 0 ? TH_RST : TH_RST | TH_ACK);
  if (isIpv4) putIpv4(out, 0, DONT_FRAGMENT, IPPROTO_TCP);
  else putIpv6(out, IPPROTO_TCP);
  putChecksum(out, header, header + 16, pseudoSum(out, 0, pkt.family, IPPROTO_TCP, TCP_HEADER));
  return answer;
}
