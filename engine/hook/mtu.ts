import type { HostModel } from '../host/model.ts';
import { fragmentIpv4 } from '../packet/build-fragment.ts';
import { AF_INET, type Packet } from '../packet/packet.ts';

/** DF in the third word of an IPv4 header's fragment field (RFC 791, section 3.1). */
const DONT_FRAGMENT = 0x4000;

/**
 * The MTU of the device that a packet leaves by, if it is longer; 0 if it fits. A packet that is longer than the MTU of
 * the device that it came in by, too, is what a network card put together of several: Linux does not measure those.
 */
export function outgrownMtu(host: HostModel, pkt: Packet): number {
  const mtu = host.device(pkt.ifout)?.mtu ?? 0;
  const length = pkt.end - pkt.off;
  if (mtu === 0 || length <= mtu) return 0;
  const came = host.device(pkt.ifin)?.mtu ?? 0;
  return came !== 0 && length > came ? 0 : mtu;
}

/**
 * The MTU that keeps a packet from being forwarded: it is longer and may not be cut (RFC 1191, RFC 8201). 0 if it may go.
 * @param fragment bytes of the longest fragment that it came in, 0 if it came whole. Measured: what came in fragments
 *   leaves in such, and only their length counts
 */
export function pathMtu(host: HostModel, pkt: Packet, fragment: number): number {
  if (pkt.family === AF_INET && (pkt.view.getUint16(pkt.off + 6) & DONT_FRAGMENT) === 0) return 0;
  if (fragment === 0) return outgrownMtu(host, pkt);
  const mtu = host.device(pkt.ifout)?.mtu ?? 0;
  return mtu !== 0 && fragment > mtu ? mtu : 0;
}

/**
 * What leaves of an IPv4 packet that may be cut: itself, or its fragments.
 * @param bytes the packet as it leaves, `pkt` tells by which device
 */
export function cutToMtu(host: HostModel, pkt: Packet, bytes: Uint8Array): readonly Uint8Array[] {
  const mtu = pkt.family === AF_INET ? outgrownMtu(host, pkt) : 0;
  if (mtu === 0) return [bytes];
  const header = (bytes[0]! & 15) << 2;
  return fragmentIpv4(bytes, (mtu - header) & ~7);
}
