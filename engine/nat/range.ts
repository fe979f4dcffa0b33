/** Ranges that addresses and ports are translated to, as rules give them (nf_nat_range2). */

/** NF_NAT_MANIP_SRC: the source is translated. */
export const NF_NAT_MANIP_SRC = 0;
/** NF_NAT_MANIP_DST: the destination is. */
export const NF_NAT_MANIP_DST = 1;

/** NF_NAT_RANGE_MAP_IPS: the address is mapped. */
export const NF_NAT_RANGE_MAP_IPS = 1;
/** NF_NAT_RANGE_PROTO_SPECIFIED: the port is. */
export const NF_NAT_RANGE_PROTO_SPECIFIED = 2;
/** NF_NAT_RANGE_PROTO_RANDOM: any port of the range, even if the flow's own is free. */
export const NF_NAT_RANGE_PROTO_RANDOM = 4;
/** NF_NAT_RANGE_PERSISTENT: the address depends on the source alone. */
export const NF_NAT_RANGE_PERSISTENT = 8;
/** NF_NAT_RANGE_PROTO_RANDOM_FULLY: as PROTO_RANDOM. */
export const NF_NAT_RANGE_PROTO_RANDOM_FULLY = 16;
/** Either of the two. */
export const NF_NAT_RANGE_PROTO_RANDOM_ALL: number =
  NF_NAT_RANGE_PROTO_RANDOM | NF_NAT_RANGE_PROTO_RANDOM_FULLY;
/** NF_NAT_RANGE_PROTO_OFFSET: ports keep their distance from a base port. */
export const NF_NAT_RANGE_PROTO_OFFSET = 32;
/** NF_NAT_RANGE_NETMAP: one network is mapped to another, host by host. */
export const NF_NAT_RANGE_NETMAP = 64;

/** What a flow is to be translated to. Addresses are one word (IPv4) or four (IPv6), in network order. */
export interface NatRange {
  /** NF_NAT_RANGE_*. */
  flags: number;
  /** First and last address; looked at with MAP_IPS. */
  minAddress: readonly number[] | null;
  maxAddress: readonly number[] | null;
  /** First and last port, ICMP id or GRE key; looked at with PROTO_SPECIFIED. */
  minPort: number;
  maxPort: number;
  /** The port that the first one stands for; looked at with PROTO_OFFSET. */
  basePort: number;
}

/** A range that says nothing: of any address, with any port. */
export function anyRange(): NatRange {
  return { flags: 0, minAddress: null, maxAddress: null, minPort: 0, maxPort: 0, basePort: 0 };
}

/** A range of one address, with any port. */
export function addressRange(address: readonly number[]): NatRange {
  return { ...anyRange(), flags: NF_NAT_RANGE_MAP_IPS, minAddress: address, maxAddress: address };
}
