/** ICMP's requests, each with the type of the reply that answers it (RFC 792, RFC 950). */
export const ICMP_PAIRS: readonly (readonly [request: number, reply: number])[] = [
  [8, 0],
  [13, 14],
  [15, 16],
  [17, 18],
];

/** ICMPv6's: echo (RFC 4443, section 4), node information (RFC 4620). Types of the two families do not overlap. */
export const ICMPV6_PAIRS: readonly (readonly [request: number, reply: number])[] = [
  [128, 129],
  [139, 140],
];

/** By type of either family: the request that it answers; itself if it is no reply. */
export const REQUEST_OF: Uint8Array = Uint8Array.from({ length: 256 }, (_, type) => type);
for (const [request, reply] of [...ICMP_PAIRS, ...ICMPV6_PAIRS]) REQUEST_OF[reply] = request;
