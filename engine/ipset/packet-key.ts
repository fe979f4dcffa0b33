import { AF_INET, type Packet } from '../packet/packet.ts';
import {
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
} from '../packet/protocols.ts';
import type { HookState } from '../rules/hook-state.ts';

/** Bytes of a link header with two hardware addresses (ETH_HLEN). */
const ETH_HLEN = 14;

/** No port can be read. */
export const NO_PORT = -1;

/**
 * Protocol << 16 | port of a packet, as sets see it: type and code of ICMP, 0 where a protocol has no ports.
 * @returns NO_PORT where there should be one but is not: later fragments, cut headers
 */
export function packetPort(pkt: Packet, isSrc: boolean): number {
  const { proto, l4, view } = pkt;
  const isLater = (pkt.frag & ~1) !== 0;
  if (isLater && pkt.family !== AF_INET) return NO_PORT;
  const has =
    proto === IPPROTO_TCP || proto === IPPROTO_UDP || proto === IPPROTO_SCTP || proto === IPPROTO_UDPLITE;
  if (!has && proto !== IPPROTO_ICMP && proto !== IPPROTO_ICMPV6) return proto << 16;
  // The kernel wants the whole header of the protocol.
  const size = proto === IPPROTO_TCP ? 20 : proto === IPPROTO_SCTP ? 12 : 8;
  if (isLater || l4 < 0 || l4 + size > pkt.end) return NO_PORT;
  return (proto << 16) | view.getUint16(has && !isSrc ? l4 + 2 : l4);
}

/** Whether a port of this protocol can be in a bitmap of ports. */
export function isBitmapProtocol(proto: number): boolean {
  return proto === IPPROTO_TCP || proto === IPPROTO_UDP;
}

/** Offset of the packet's address, source or destination. */
export function addressAt(pkt: Packet, isSrc: boolean): number {
  return pkt.family === AF_INET ? pkt.off + (isSrc ? 12 : 16) : pkt.off + (isSrc ? 8 : 24);
}

/** Offset of a hardware address of the packet's Ethernet header, -1 if it has none. */
export function macAt(pkt: Packet, isSrc: boolean): number {
  if (pkt.mac < 0 || pkt.off - pkt.mac < ETH_HLEN) return -1;
  return isSrc ? pkt.mac + 6 : pkt.mac;
}

/** The name of the device that the packet came in by or leaves by, '' if there is none. */
export function deviceName(state: HookState, isSrc: boolean): string {
  const index = isSrc ? state.pkt.ifin : state.pkt.ifout;
  return index === 0 ? '' : (state.host.device(index)?.name ?? '');
}
