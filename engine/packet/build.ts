/**
 * Whole IP packets, one call each, IPv4 or IPv6 as the addresses say, with right lengths and checksums unless told
 * otherwise. Fields of the IP header stand under `ip`. The functions behind them, one header a file, make the
 * layers on their own: `ipv4({ …, proto: IPPROTO_TCP, payload: tcp({ … }) })`.
 */

import { ipv4Text, ipv6Text } from './address.ts';
import { type Payload, viewOf } from './build-bytes.ts';
import { type GreFields, gre, type PptpGreFields, pptpGre } from './build-gre.ts';
import { type IcmpErrorFields, type IcmpFields, icmp, icmpError } from './build-icmp.ts';
import { icmpv6, icmpv6Error } from './build-icmpv6.ts';
import { type Addressed, ipPacket } from './build-ip.ts';
import { type SctpFields, sctp } from './build-sctp.ts';
import { type TcpFields, tcp } from './build-tcp.ts';
import { type UdpFields, type UdpliteFields, udp, udplite } from './build-udp.ts';
import { NDISC_REDIRECT, NDISC_ROUTER_SOLICITATION } from './icmpv6.ts';
import {
  IPPROTO_GRE,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
} from './protocols.ts';

/** A TCP packet; see {@link TcpFields}. @throws RangeError if an address is none, or the options are too long */
export function tcpPacket(o: Addressed & TcpFields): Uint8Array {
  return ipPacket(o, IPPROTO_TCP, tcp(o));
}

/** A UDP packet; see {@link UdpFields}. @throws RangeError if an address is none */
export function udpPacket(o: Addressed & UdpFields): Uint8Array {
  return ipPacket(o, IPPROTO_UDP, udp(o));
}

/** A UDP-Lite packet; see {@link UdpliteFields}. @throws RangeError if an address is none */
export function udplitePacket(o: Addressed & UdpliteFields): Uint8Array {
  return ipPacket(o, IPPROTO_UDPLITE, udplite(o));
}

/** An ICMP packet; see {@link IcmpFields}. @throws RangeError if an address is none */
export function icmpPacket(o: Addressed & IcmpFields): Uint8Array {
  return ipPacket(o, IPPROTO_ICMP, icmp(o));
}

/**
 * An ICMPv6 packet; see {@link IcmpFields}. Neighbour discovery leaves with hop limit 255 (RFC 4861, section 3.1).
 * @throws RangeError if an address is none
 */
export function icmpv6Packet(o: Addressed & IcmpFields): Uint8Array {
  const neighbour = o.type >= NDISC_ROUTER_SOLICITATION && o.type <= NDISC_REDIRECT;
  const ip = neighbour ? { ttl: 255, ...o.ip } : (o.ip ?? {});
  return ipPacket({ src: o.src, dst: o.dst, ip }, IPPROTO_ICMPV6, icmpv6(o));
}

/** An error's packet: like any other, but sent to the quoted sender if no destination is given. */
export type ErrorPacketFields = Omit<Addressed, 'dst'> & { readonly dst?: string } & IcmpErrorFields;

/** An ICMP error about an IPv4 packet; see {@link IcmpErrorFields}. @throws RangeError if an address is none */
export function icmpErrorPacket(o: ErrorPacketFields): Uint8Array {
  const dst = o.dst ?? ipv4Text(viewOf(o.quoted).getInt32(12));
  return ipPacket({ ...o, dst }, IPPROTO_ICMP, icmpError(o));
}

/** An ICMPv6 error about an IPv6 packet; see {@link IcmpErrorFields}. @throws RangeError if an address is none */
export function icmpv6ErrorPacket(o: ErrorPacketFields): Uint8Array {
  const view = viewOf(o.quoted);
  const word = (at: number): number => view.getInt32(at);
  const dst = o.dst ?? ipv6Text(word(8), word(12), word(16), word(20));
  return ipPacket({ ...o, dst }, IPPROTO_ICMPV6, icmpv6Error({ ...o, dst }));
}

/** An SCTP packet; see {@link SctpFields}. @throws RangeError if an address is none */
export function sctpPacket(o: Addressed & SctpFields): Uint8Array {
  return ipPacket(o, IPPROTO_SCTP, sctp(o));
}

/** A GRE packet of version 0; see {@link GreFields}. @throws RangeError if an address is none */
export function grePacket(o: Addressed & GreFields): Uint8Array {
  return ipPacket(o, IPPROTO_GRE, gre(o));
}

/** A GRE packet of version 1; see {@link PptpGreFields}. @throws RangeError if an address is none */
export function pptpGrePacket(o: Addressed & PptpGreFields): Uint8Array {
  return ipPacket(o, IPPROTO_GRE, pptpGre(o));
}

/** What a packet of any protocol is made of. */
export interface GenericFields {
  readonly proto: number;
  readonly payload?: Payload;
}

/** A packet of any protocol, its payload as given. @throws RangeError if an address is none */
export function genericPacket(o: Addressed & GenericFields): Uint8Array {
  return ipPacket(o, o.proto, o.payload ?? 0);
}

export type { Payload } from './build-bytes.ts';
export { fragmentIpv4, fragmentIpv6 } from './build-fragment.ts';
export type { GreFields, PptpGreFields } from './build-gre.ts';
export type { IcmpErrorFields, IcmpFields } from './build-icmp.ts';
export type { Addressed, IpFields } from './build-ip.ts';
export { type EthernetFields, ethernetFrame, type VlanTag } from './build-link.ts';
export type { SctpChunk, SctpFields } from './build-sctp.ts';
export type { TcpFields, TcpOptions } from './build-tcp.ts';
export type { UdpFields, UdpliteFields } from './build-udp.ts';
