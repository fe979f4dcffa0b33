/**
 * A tuple is TUPLE_WORDS words: who speaks to whom in one direction. Addresses are IPv4 words or handles of the
 * {@link AddressPool}, so that both families compare with the same four comparisons.
 */
export type Tuple = Int32Array;

/** Words of a tuple. */
export const TUPLE_WORDS = 5;
/** Source: an IPv4 address, or the handle of an IPv6 one (0: not in the pool). */
export const T_SRC = 0;
/** Destination, as the source. */
export const T_DST = 1;
/**
 * What tells flows of two hosts apart: source port << 16 | destination port; for ICMP id << 16 | type << 8 |
 * code; for GRE source key << 16 | destination key; 0 for protocols without any.
 */
export const T_PORTS = 2;
/** Protocol | family << 8. */
export const T_KIND = 3;
/** conntrack zone. */
export const T_ZONE = 4;

/** Swaps the two halves of a port word. */
export function swapPorts(ports: number): number {
  return (ports << 16) | (ports >>> 16);
}
