import type { Host } from '../host/host.ts';
import { RTN_LOCAL } from '../host/host.ts';
import { LOOPBACK } from '../host/model.ts';
import { AF_INET, type Packet } from '../packet/packet.ts';

/** Whether a packet of this host's own is for this host itself. */
export function isForSelf(host: Host, pkt: Packet): boolean {
  const at = pkt.off + (pkt.family === AF_INET ? 16 : 24);
  return host.addressType(pkt.family, pkt.view, at, 0) === RTN_LOCAL;
}

/** The device that a packet of this host's own leaves by: lo for itself, 0 if there is no route. */
export function outputDevice(host: Host, pkt: Packet): number {
  const at = pkt.off + (pkt.family === AF_INET ? 16 : 24);
  return isForSelf(host, pkt) ? LOOPBACK : host.routeDevice(pkt.family, pkt.view, at, pkt.mark, 0);
}
