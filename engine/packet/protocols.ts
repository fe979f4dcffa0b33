/** IP protocol numbers that keepstate looks into (IANA, Assigned Internet Protocol Numbers). */
export const IPPROTO_ICMP = 1;
/** TCP. */
export const IPPROTO_TCP = 6;
/** UDP. */
export const IPPROTO_UDP = 17;
/** DCCP: no tracker of its own in Linux 6.18, so generic. */
export const IPPROTO_DCCP = 33;
/** IPv6 routing header. */
export const IPPROTO_ROUTING = 43;
/** IPv6 fragment header. */
export const IPPROTO_FRAGMENT = 44;
/** GRE. */
export const IPPROTO_GRE = 47;
/** Authentication header. */
export const IPPROTO_AH = 51;
/** ICMPv6. */
export const IPPROTO_ICMPV6 = 58;
/** IPv6: no next header. */
export const IPPROTO_NONE = 59;
/** IPv6 destination options. */
export const IPPROTO_DSTOPTS = 60;
/** SCTP. */
export const IPPROTO_SCTP = 132;
/** UDP-Lite. */
export const IPPROTO_UDPLITE = 136;
/** IPv6 hop-by-hop options. */
export const IPPROTO_HOPOPTS = 0;

const NAMES: ReadonlyMap<number, string> = new Map([
  [IPPROTO_ICMP, 'icmp'],
  [IPPROTO_TCP, 'tcp'],
  [IPPROTO_UDP, 'udp'],
  [IPPROTO_DCCP, 'dccp'],
  [IPPROTO_GRE, 'gre'],
  [IPPROTO_ICMPV6, 'icmpv6'],
  [IPPROTO_SCTP, 'sctp'],
  [IPPROTO_UDPLITE, 'udplite'],
]);

/** The protocol's name as conntrack(8) prints it, `unknown` for those it has no name for. */
export function protocolName(proto: number): string {
  return NAMES.get(proto) ?? 'unknown';
}

/** The number of a protocol that conntrack(8) has a name for, undefined for any other word. */
export function protocolNumber(name: string): number | undefined {
  for (const [number, known] of NAMES) if (known === name) return number;
  return undefined;
}
