import { R_IP_SHORT, R_IP_VERSION } from '../base/reason.ts';
import { dissectIpv4 } from './ipv4.ts';
import { dissectIpv6 } from './ipv6.ts';
import { AF_INET, AF_INET6, because, type Packet } from './packet.ts';

/**
 * Reads the network header at `pkt.off`: family, length, protocol, fragment, transport offset. Works in place,
 * copies nothing, throws nothing.
 * @param pkt with `family` as the link layer says, AF_UNSPEC to go by the version field
 * @returns false and a reason if Linux would drop the packet before connection tracking
 */
export function dissect(pkt: Packet): boolean {
  if (pkt.family === AF_INET) return dissectIpv4(pkt);
  if (pkt.family === AF_INET6) return dissectIpv6(pkt);
  if (pkt.end <= pkt.off) {
    because(pkt, R_IP_SHORT);
    return false;
  }
  const version = pkt.view.getUint8(pkt.off) >> 4;
  if (version === 4) return dissectIpv4(pkt);
  if (version === 6) return dissectIpv6(pkt);
  because(pkt, R_IP_VERSION, version);
  return false;
}
