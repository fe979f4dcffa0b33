import { R_HOP_LIMIT, R_IP_OPTION, R_LINK_LOCAL, R_MTU, R_SOURCE_ROUTE } from '../base/reason.ts';
import type { HostModel } from '../host/model.ts';
import { ipError, parameterProblem, tooBig } from '../host/reject.ts';
import { isLinkLocalSource, unreachableCode } from '../host/routing.ts';
import { because, type Packet } from '../packet/packet.ts';
import { NF_INET_PRE_ROUTING } from '../rules/family.ts';
import { hopLimit } from './hop-limit.ts';
import { OPTIONS_FINE, OPTIONS_SOURCE_ROUTE } from './ip-options.ts';
import { pathMtu } from './mtu.ts';

/** The IP layer keeps a packet from being forwarded. */
export interface Stop {
  /** The ICMP error that tells its sender, a whole IP packet; null if there is none. */
  readonly error: Uint8Array | null;
}

/**
 * What keeps a packet from being forwarded, once it is routed: its hop limit, a link-local source, its length.
 * @param fragment bytes of the longest fragment that it came in, 0 if it came whole
 * @returns null if nothing does; else `pkt` says why
 */
export function stopOf(host: HostModel, pkt: Packet, fragment: number): Stop | null {
  const hops = hopLimit(pkt);
  if (hops <= 1) {
    because(pkt, R_HOP_LIMIT, hops);
    return { error: ipError(host, pkt, true, 0, NF_INET_PRE_ROUTING) };
  }
  if (isLinkLocalSource(pkt)) {
    because(pkt, R_LINK_LOCAL);
    return unroutable(host, pkt);
  }
  const mtu = pathMtu(host, pkt, fragment);
  if (mtu === 0) return null;
  because(pkt, R_MTU, pkt.end - pkt.off, mtu);
  return { error: tooBig(host, pkt, mtu) };
}

/** What {@link IpOptions.arrive} found wrong with a packet; null if nothing is. */
export function optionStop(host: HostModel, pkt: Packet, wrong: number): Stop | null {
  if (wrong === OPTIONS_FINE) return null;
  if (wrong === OPTIONS_SOURCE_ROUTE) {
    because(pkt, R_SOURCE_ROUTE);
    return { error: null };
  }
  because(pkt, R_IP_OPTION, wrong);
  return { error: parameterProblem(host, pkt, wrong) };
}

/** Routing refused a packet, which says why: its sender may be told. */
export function unroutable(host: HostModel, pkt: Packet): Stop {
  const code = unreachableCode(pkt.family, pkt.reason);
  return { error: code < 0 ? null : ipError(host, pkt, false, code, NF_INET_PRE_ROUTING) };
}
