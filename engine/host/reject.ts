import { icmpErrorAbout, mayAnswer, tcpResetFor } from '../packet/build-reject.ts';
import {
  ICMP_DEST_UNREACH,
  ICMP_FRAG_NEEDED,
  ICMP_PARAMETERPROB,
  ICMP_TIME_EXCEEDED,
} from '../packet/icmp.ts';
import { ICMPV6_DEST_UNREACH, ICMPV6_PKT_TOOBIG, ICMPV6_TIME_EXCEED } from '../packet/icmpv6.ts';
import { AF_INET, type Packet } from '../packet/packet.ts';
import { type Host, RTN_BROADCAST, RTN_LOCAL } from './host.ts';

const NF_INET_PRE_ROUTING = 0;
const NF_INET_FORWARD = 2;
/** Documentation addresses (RFC 5737, RFC 3849) that a firewall answers from if no address of its own is known. */
const UNKNOWN4 = Uint8Array.of(192, 0, 2, 1);
const UNKNOWN6 = Uint8Array.of(0x20, 1, 13, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

/**
 * The address that an ICMP error about a packet comes from. Measured: the packet's destination if that is this machine
 * (IPv4 before routing: if its sender is, which is all that is asked then), else as for any packet to its sender.
 * @param hook NF_INET_* where it is sent
 */
function errorSource(host: Host, pkt: Packet, hook: number): Uint8Array {
  const { bytes, view, off, family } = pkt;
  const isIpv4 = family === AF_INET;
  const size = isIpv4 ? 4 : 16;
  const src = off + (isIpv4 ? 12 : 8);
  const dst = src + size;
  // A bridge has no address: as with `reject` in Linux's bridges the one that was asked for answers.
  if (host.transparent) return bytes.slice(dst, dst + size);
  const asked = isIpv4 && hook === NF_INET_PRE_ROUTING ? src : dst;
  if (host.addressType(family, view, asked, 0) === RTN_LOCAL) return bytes.slice(dst, dst + size);
  const out = new Uint8Array(size);
  if (!host.isDefault && host.sourceAddress(family, view, src, 0, out)) return out;
  return isIpv4 ? UNKNOWN4 : UNKNOWN6;
}

/** Whether an answer finds its way: the sender's address has a route. */
function isReachable(host: Host, pkt: Packet): boolean {
  const src = pkt.off + (pkt.family === AF_INET ? 12 : 8);
  return host.routeDevice(pkt.family, pkt.view, src, 0, 0) !== 0;
}

/** Measured: before routing nobody answers this machine in the name of another. */
function isForeign(host: Host, { family, view, off }: Packet, hook: number): boolean {
  if (hook !== NF_INET_PRE_ROUTING || family !== AF_INET || host.transparent) return false;
  const isLocal = (at: number): boolean => host.addressType(AF_INET, view, at, 0) === RTN_LOCAL;
  return isLocal(off + 12) && !isLocal(off + 16);
}

/** Whether a packet goes to a broadcast address of this machine's networks, as far as that is known at its hook. */
function isBroadcast(host: Host, pkt: Packet, hook: number): boolean {
  if (hook === NF_INET_PRE_ROUTING || pkt.family !== AF_INET) return false;
  return host.addressType(AF_INET, pkt.view, pkt.off + 16, 0) === RTN_BROADCAST;
}

/**
 * The reset by which REJECT and nft's reject answer a TCP segment.
 * @param hook NF_INET_* where it is sent
 * @returns a whole IP packet, null if Linux sends none: not TCP, a reset itself, a wrong checksum, to a group
 */
export function tcpReset(host: Host, pkt: Packet, hook: number): Uint8Array | null {
  if (isBroadcast(host, pkt, hook) || !isReachable(host, pkt)) return null;
  return tcpResetFor(pkt, hook !== NF_INET_PRE_ROUTING);
}

/**
 * The error "destination unreachable" by which REJECT and nft's reject answer a packet.
 * @param hook NF_INET_* where it is sent
 * @param code of ICMP or ICMPv6, as the packet's family asks for
 * @returns a whole IP packet, null if Linux sends none: about an error, a later fragment, a wrong checksum, to a group
 */
export function icmpReject(host: Host, pkt: Packet, hook: number, code: number): Uint8Array | null {
  const isRouted = hook !== NF_INET_PRE_ROUTING;
  if (!mayAnswer(pkt, true, isRouted) || isBroadcast(host, pkt, hook) || !isReachable(host, pkt)) return null;
  if (isForeign(host, pkt, hook)) return null;
  const type = pkt.family === AF_INET ? ICMP_DEST_UNREACH : ICMPV6_DEST_UNREACH;
  return icmpErrorAbout(pkt, type, code, 0, errorSource(host, pkt, hook), isRouted);
}

/** Whether the IP layer itself may send an error about a packet. */
function mayTell(host: Host, pkt: Packet, hook: number): boolean {
  return mayAnswer(pkt, false, true) && !isBroadcast(host, pkt, hook) && isReachable(host, pkt);
}

/**
 * The error that the IP layer itself sends about a packet that it cannot forward. Unlike REJECT it does not look at
 * the packet's checksum (measured).
 * @param exceeded whether the hop limit was used up; else the destination is unreachable
 * @param hook NF_INET_* behind which it is sent
 */
export function ipError(
  host: Host,
  pkt: Packet,
  exceeded: boolean,
  code: number,
  hook: number,
): Uint8Array | null {
  if (!mayTell(host, pkt, hook)) return null;
  const unreachable = pkt.family === AF_INET ? ICMP_DEST_UNREACH : ICMPV6_DEST_UNREACH;
  const late = pkt.family === AF_INET ? ICMP_TIME_EXCEEDED : ICMPV6_TIME_EXCEED;
  return icmpErrorAbout(pkt, exceeded ? late : unreachable, code, 0, errorSource(host, pkt, hook), true);
}

/** The error about an IPv4 packet whose header is wrong at a byte (RFC 792, "Parameter Problem"). */
export function parameterProblem(host: Host, pkt: Packet, at: number): Uint8Array | null {
  if (!mayTell(host, pkt, NF_INET_PRE_ROUTING)) return null;
  const source = errorSource(host, pkt, NF_INET_FORWARD);
  return icmpErrorAbout(pkt, ICMP_PARAMETERPROB, 0, at * 2 ** 24, source, true, at);
}

/** The error about a packet that is longer than the MTU (bytes) of its next link and may not be cut (RFC 1191, RFC 8201). */
export function tooBig(host: Host, pkt: Packet, mtu: number): Uint8Array | null {
  if (!mayTell(host, pkt, NF_INET_PRE_ROUTING)) return null;
  const source = errorSource(host, pkt, NF_INET_FORWARD);
  return pkt.family === AF_INET
    ? icmpErrorAbout(pkt, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, mtu, source, true)
    : icmpErrorAbout(pkt, ICMPV6_PKT_TOOBIG, 0, mtu, source, true);
}
