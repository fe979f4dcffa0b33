import {
  R_LINK_LOCAL,
  R_MARTIAN_DESTINATION,
  R_MARTIAN_SOURCE,
  R_NO_MEMBER,
  R_NO_ROUTE,
  R_NOT_FORWARDING,
  R_ROUTE_BLACKHOLE,
  R_ROUTE_PROHIBIT,
  R_ROUTE_UNREACHABLE,
  R_RP_FILTER,
} from '../base/reason.ts';
import { AF_INET, AF_INET6, because, type Packet } from '../packet/packet.ts';
import {
  RTN_ANYCAST,
  RTN_BLACKHOLE,
  RTN_BROADCAST,
  RTN_LOCAL,
  RTN_PROHIBIT,
  RTN_UNICAST,
  RTN_UNSPEC,
} from './host.ts';
import { type HostModel, LOOPBACK } from './model.ts';

/** Of {@link routeInput}: for this machine. */
export const ROUTE_LOCAL = 1;
/** To be forwarded by the device in `pkt.ifout`. */
export const ROUTE_FORWARD = 2;
/** Dropped, `pkt` says why. */
export const ROUTE_DROP = 0;

const ALL_HOSTS4 = 0xe0000001 | 0;
const BROADCAST = -1;

function drop(pkt: Packet, reason: number): number {
  because(pkt, reason);
  return ROUTE_DROP;
}

/** What becomes of a packet that no route leads on. */
function without(pkt: Packet, type: number): number {
  if (type === RTN_UNSPEC) return drop(pkt, R_NO_ROUTE);
  if (type === RTN_BLACKHOLE) return drop(pkt, R_ROUTE_BLACKHOLE);
  return drop(pkt, type === RTN_PROHIBIT ? R_ROUTE_PROHIBIT : R_ROUTE_UNREACHABLE);
}

/** Whether the reverse path filter refuses: strict asks for the same device, loose for any route (RFC 3704). */
function isFiltered(host: HostModel, pkt: Packet): boolean {
  if (host.rpFilter === 0) return false;
  const back = host.routeDevice(AF_INET, pkt.view, pkt.off + 12, 0, 0);
  return host.rpFilter === 1 ? back !== pkt.ifin : back === 0;
}

/** Multicast of IPv4: 224.0.0.1 is every host's, others are for members. Multicast routing there is none. */
function routeGroup4(host: HostModel, pkt: Packet, dst: number): number {
  return dst === ALL_HOSTS4 || host.isMember(AF_INET, pkt.view, pkt.off + 16)
    ? ROUTE_LOCAL
    : drop(pkt, R_NO_MEMBER);
}

/** Addresses that no packet from outside may have (ip_route_input; measured, tests/kernel/README.md). */
function isMartianSource(host: HostModel, pkt: Packet, src: number): boolean {
  if (src >>> 28 === 14 || src === BROADCAST) return true;
  if (src >>> 24 === 127) return pkt.ifin !== LOOPBACK && !host.routeLocalnet;
  return pkt.ifin !== LOOPBACK && !host.acceptLocal && host.isLocal(AF_INET, pkt.view, pkt.off + 12);
}

function routeInput4(host: HostModel, pkt: Packet): number {
  const { view, off } = pkt;
  const src = view.getInt32(off + 12);
  const dst = view.getInt32(off + 16);
  if (isMartianSource(host, pkt, src)) return drop(pkt, R_MARTIAN_SOURCE);
  if (dst >>> 28 === 14) return routeGroup4(host, pkt, dst);
  if (dst === BROADCAST || (src === 0 && dst === 0)) return ROUTE_LOCAL;
  // Measured: of network 0 only the address 0.0.0.0 is refused.
  if (src === 0) return drop(pkt, R_MARTIAN_SOURCE);
  if (dst === 0 || (dst >>> 24 === 127 && pkt.ifin !== LOOPBACK && !host.routeLocalnet))
    return drop(pkt, R_MARTIAN_DESTINATION);
  const type = host.routeType(AF_INET, view, off + 16);
  if (pkt.ifin !== LOOPBACK && isFiltered(host, pkt)) return drop(pkt, R_RP_FILTER);
  if (type === RTN_LOCAL || type === RTN_BROADCAST) return ROUTE_LOCAL;
  if (!host.forwarding) return drop(pkt, R_NOT_FORWARDING);
  if (type !== RTN_UNICAST) return without(pkt, type);
  pkt.ifout = host.routeDevice(AF_INET, view, off + 16, pkt.mark, 0);
  return ROUTE_FORWARD;
}

/** ff02::1 and ff02::2 are every router's, and the solicited-node groups those of its addresses. */
function routeGroup6(host: HostModel, pkt: Packet): number {
  return host.isMember(AF_INET6, pkt.view, pkt.off + 24) ? ROUTE_LOCAL : drop(pkt, R_NO_MEMBER);
}

function isUnspecified6(view: DataView, at: number): boolean {
  return (view.getInt32(at) | view.getInt32(at + 4) | view.getInt32(at + 8) | view.getInt32(at + 12)) === 0;
}

function routeInput6(host: HostModel, pkt: Packet): number {
  const { view, off } = pkt;
  if (view.getUint8(off + 24) === 0xff) return routeGroup6(host, pkt);
  const type = host.routeType(AF_INET6, view, off + 24);
  if (type === RTN_LOCAL || type === RTN_ANYCAST) return ROUTE_LOCAL;
  if (type !== RTN_UNICAST) return without(pkt, type);
  if (!host.forwarding) return drop(pkt, R_NOT_FORWARDING);
  if (isUnspecified6(view, off + 8)) return drop(pkt, R_MARTIAN_SOURCE);
  pkt.ifout = host.routeDevice(AF_INET6, view, off + 24, pkt.mark, 0);
  return ROUTE_FORWARD;
}

/**
 * Where a packet goes that came in, as routing decides behind PREROUTING.
 * @param pkt with `ifin`; gets `ifout` if it is forwarded, and a reason if it is dropped
 * @returns ROUTE_*
 */
export function routeInput(host: HostModel, pkt: Packet): number {
  if (host.isDefault && pkt.ifin !== LOOPBACK) {
    pkt.ifout = host.routeDevice(pkt.family, pkt.view, pkt.off + (pkt.family === AF_INET ? 16 : 24), 0, 0);
    return ROUTE_FORWARD;
  }
  return pkt.family === AF_INET ? routeInput4(host, pkt) : routeInput6(host, pkt);
}

/** Whether a link-local source (fe80::/10) keeps a packet from being forwarded; measured: answered, not forwarded. */
export function isLinkLocalSource(pkt: Packet): boolean {
  return pkt.family === AF_INET6 && pkt.view.getUint16(pkt.off + 8) >>> 6 === 0xfe80 >>> 6;
}

/** Code of "destination unreachable" for a packet that was not routed: index 0 IPv4, 1 IPv6; -1 for no answer. */
export function unreachableCode(family: number, reason: number): number {
  const isIpv4 = family === AF_INET;
  if (reason === R_NO_ROUTE) return 0;
  if (reason === R_ROUTE_UNREACHABLE) return isIpv4 ? 1 : 0;
  if (reason === R_ROUTE_PROHIBIT) return isIpv4 ? 13 : 1;
  if (reason === R_LINK_LOCAL) return 2;
  return -1;
}

/**
 * The device that a packet came in by, when the capture does not say: the one that leads back to its sender, else the
 * first that is not lo.
 */
export function inputDevice(host: HostModel, pkt: Packet): number {
  const at = pkt.off + (pkt.family === AF_INET ? 12 : 8);
  const back = host.isDefault ? 0 : host.routeDevice(pkt.family, pkt.view, at, 0, 0);
  return back > LOOPBACK ? back : host.firstDevice;
}
