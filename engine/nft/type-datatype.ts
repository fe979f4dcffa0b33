import type { SymbolTable } from './type-symbols.ts';
import * as symbols from './type-symbols.ts';

/** In which byte order a value stands in registers: as in the packet, or as this machine keeps its numbers. */
export type ByteOrder = 'host' | 'big';

/**
 * How a value without a name is written: `decimal`; `hex` as short as possible; `padded` hex with as many digits as
 * the value has bits; the rest by rules of their own (print-constant's table).
 */
export type Notation =
  | 'decimal'
  | 'hex'
  | 'padded'
  | 'string'
  | 'lladdr'
  | 'ipv4'
  | 'ipv6'
  | 'service'
  | 'protocol'
  | 'boolean'
  | 'interface'
  | 'named'
  | 'classid'
  | 'relative'
  | 'date'
  | 'hour'
  | 'user'
  | 'group'
  | 'label'
  | 'path'
  | 'verdict';

/** A data type of the language, as `nft describe` shows it. */
export interface Datatype {
  /** As `type` in a set's definition names it. */
  readonly name: string;
  /** In words, as messages name it. */
  readonly desc: string;
  /** Bits, or 0 where the expression decides (integer, string, bitmask). */
  readonly bits: number;
  /** Null: the expression decides. */
  readonly order: ByteOrder | null;
  readonly base: 'integer' | 'bitmask' | 'string' | 'lladdr' | 'none';
  readonly notation: Notation;
  readonly symbols: SymbolTable | null;
}

function integer(
  name: string,
  desc: string,
  bits: number,
  order: ByteOrder | null,
  notation: Notation,
  table: SymbolTable | null = null,
): Datatype {
  return { name, desc, bits, order, base: 'integer', notation, symbols: table };
}

function bitmask(
  name: string,
  desc: string,
  bits: number,
  order: ByteOrder | null,
  table: SymbolTable | null,
): Datatype {
  return {
    name,
    desc,
    bits,
    order,
    base: 'bitmask',
    notation: table === null && bits === 128 ? 'label' : 'hex',
    symbols: table,
  };
}

/** A number of any size. */
export const INTEGER: Datatype = integer('integer', 'integer', 0, null, 'decimal');
/** What `@th,0,16` is: an integer that is listed in hex. Its name is integer's. */
export const RAW_INTEGER: Datatype = integer('integer', 'integer', 0, 'big', 'hex');
/** Text of any length. */
export const STRING: Datatype = {
  name: 'string',
  desc: 'string',
  bits: 0,
  order: 'host',
  base: 'string',
  notation: 'string',
  symbols: null,
};
/** The value of a verdict map. */
export const VERDICT: Datatype = {
  name: 'verdict',
  desc: 'netfilter verdict',
  bits: 0,
  order: 'host',
  base: 'none',
  notation: 'verdict',
  symbols: null,
};
/** Flags without names. What is of this type itself is compared as a number is: only what is based on it is a mask. */
export const BITMASK: Datatype = integer('bitmask', 'bitmask', 0, null, 'hex');
/** What `exists` and `missing` are values of. */
export const BOOLEAN: Datatype = integer('boolean', 'boolean type', 1, 'host', 'boolean', symbols.BOOLEANS);

/** `ether saddr`. */
export const ETHER_ADDR: Datatype = {
  name: 'ether_addr',
  desc: 'Ethernet address',
  bits: 48,
  order: 'big',
  base: 'lladdr',
  notation: 'lladdr',
  symbols: null,
};
/** `ip saddr`. */
export const IPV4_ADDR: Datatype = integer('ipv4_addr', 'IPv4 address', 32, 'big', 'ipv4');
/** `ip6 saddr`. */
export const IPV6_ADDR: Datatype = integer('ipv6_addr', 'IPv6 address', 128, 'big', 'ipv6');
/** `ip protocol`, `meta l4proto`. */
export const INET_PROTO: Datatype = integer('inet_proto', 'Internet protocol', 8, 'big', 'protocol');
/** `tcp dport`. */
export const INET_SERVICE: Datatype = integer(
  'inet_service',
  'internet network service',
  16,
  'big',
  'service',
);
/** `meta mark`, `ct mark`. */
export const MARK: Datatype = integer('mark', 'packet mark', 32, 'host', 'padded');
/** `ct expiration`, in ms. */
export const TIME: Datatype = integer('time', 'relative time', 32, 'host', 'relative');
/** `icmp type`. */
export const ICMP_TYPE: Datatype = integer('icmp_type', 'ICMP type', 8, 'big', 'decimal', symbols.ICMP_TYPES);
/** `icmp code`, `reject with icmp`. */
export const ICMP_CODE: Datatype = integer('icmp_code', 'icmp code', 8, 'big', 'decimal', symbols.ICMP_CODES);
/** `icmpv6 type`. */
export const ICMPV6_TYPE: Datatype = integer(
  'icmpv6_type',
  'ICMPv6 type',
  8,
  'big',
  'decimal',
  symbols.ICMPV6_TYPES,
);
/** `icmpv6 code`, `reject with icmpv6`. */
export const ICMPV6_CODE: Datatype = integer(
  'icmpv6_code',
  'icmpv6 code',
  8,
  'big',
  'decimal',
  symbols.ICMPV6_CODES,
);
/** `reject with icmpx`. */
export const ICMPX_CODE: Datatype = integer(
  'icmpx_code',
  'icmpx code',
  8,
  'big',
  'decimal',
  symbols.ICMPX_CODES,
);
/** `igmp type`. */
export const IGMP_TYPE: Datatype = integer('igmp_type', 'IGMP type', 8, 'big', 'decimal', symbols.IGMP_TYPES);
/** `ether type`, `meta protocol`. */
export const ETHER_TYPE: Datatype = integer(
  'ether_type',
  'Ethernet protocol',
  16,
  'big',
  'padded',
  symbols.ETHER_TYPES,
);
/** `arp operation`. */
export const ARP_OP: Datatype = integer(
  'arp_op',
  'ARP operation',
  16,
  'big',
  'decimal',
  symbols.ARP_OPERATIONS,
);
/** `meta nfproto`. */
export const NF_PROTO: Datatype = integer(
  'nf_proto',
  'netfilter protocol',
  8,
  'host',
  'decimal',
  symbols.NF_PROTOS,
);
/** `ip dscp`. */
export const DSCP: Datatype = integer(
  'dscp',
  'Differentiated Services Code Point',
  6,
  'big',
  'padded',
  symbols.DSCPS,
);
/** `ip ecn`. */
export const ECN: Datatype = integer(
  'ecn',
  'Explicit Congestion Notification',
  2,
  'big',
  'padded',
  symbols.ECNS,
);
/** `tcp flags`. */
export const TCP_FLAG: Datatype = bitmask('tcp_flag', 'TCP flag', 8, 'host', symbols.TCP_FLAGS);
/** `dccp type`. */
export const DCCP_PKTTYPE: Datatype = integer(
  'dccp_pkttype',
  'DCCP packet type',
  4,
  'big',
  'decimal',
  symbols.DCCP_TYPES,
);
/** `mh type`. */
export const MH_TYPE: Datatype = integer(
  'mh_type',
  'Mobility Header Type',
  8,
  'big',
  'decimal',
  symbols.MH_TYPES,
);
/** `ct state`. */
export const CT_STATE: Datatype = bitmask('ct_state', 'conntrack state', 32, 'host', symbols.CT_STATES);
/** `ct direction`. */
export const CT_DIR: Datatype = integer(
  'ct_dir',
  'conntrack direction',
  8,
  'host',
  'decimal',
  symbols.CT_DIRECTIONS,
);
/** `ct status`. */
export const CT_STATUS: Datatype = bitmask('ct_status', 'conntrack status', 32, 'host', symbols.CT_STATUSES);
/** `ct event`. */
export const CT_EVENT: Datatype = bitmask('ct_event', 'conntrack event bits', 32, 'host', symbols.CT_EVENTS);
/** Bit 5 is written `5`; there are no names without a connlabel.conf. */
export const CT_LABEL: Datatype = bitmask('ct_label', 'conntrack label', 128, 'host', null);
/** `iif`, `fib … oif`: a number in the kernel, listed by name while such an interface exists. */
export const IFACE_INDEX: Datatype = integer(
  'iface_index',
  'network interface index',
  32,
  'host',
  'interface',
);
/** `meta iiftype`. */
export const IFACE_TYPE: Datatype = integer(
  'iface_type',
  'network interface type',
  16,
  'host',
  'decimal',
  symbols.INTERFACE_TYPES,
);
/** `iifname`. */
export const IFNAME: Datatype = {
  name: 'ifname',
  desc: 'network interface name',
  bits: 128,
  order: 'host',
  base: 'string',
  notation: 'string',
  symbols: null,
};
/** `meta skuid`. */
export const UID: Datatype = integer('uid', 'user ID', 32, 'host', 'user', symbols.USERS);
/** `meta skgid`. */
export const GID: Datatype = integer('gid', 'group ID', 32, 'host', 'group', symbols.GROUPS);
/** `rt classid`. */
export const REALM: Datatype = integer('realm', 'routing realm', 32, 'host', 'named', symbols.REALMS);
/** `meta priority`. */
export const CLASSID: Datatype = integer('classid', 'TC classid', 32, 'host', 'classid');
/** `meta pkttype`. */
export const PKT_TYPE: Datatype = integer(
  'pkt_type',
  'packet type',
  8,
  'host',
  'decimal',
  symbols.PACKET_TYPES,
);
/** `iifgroup`. */
export const DEVGROUP: Datatype = integer(
  'devgroup',
  'devgroup name',
  32,
  'host',
  'named',
  symbols.DEVICE_GROUPS,
);
/** `fib … type`. */
export const FIB_ADDRTYPE: Datatype = integer(
  'fib_addrtype',
  'fib address type',
  32,
  'host',
  'decimal',
  symbols.FIB_TYPES,
);
/** `socket cgroupv2`. */
export const CGROUPSV2: Datatype = integer('cgroupsv2', 'cgroupsv2 path', 64, 'host', 'path');
/** `meta time`, in ns since 1970. */
export const META_TIME: Datatype = integer('time', 'Relative time of packet reception', 64, 'host', 'date');
/** `meta day`. */
export const DAY: Datatype = integer(
  'day',
  'Day of week of packet reception',
  8,
  'host',
  'named',
  symbols.DAYS,
);
/** `meta hour`, in seconds since midnight. */
export const HOUR: Datatype = integer('hour', 'Hour of day of packet reception', 32, 'host', 'hour');

const TYPES: readonly Datatype[] = [
  VERDICT,
  NF_PROTO,
  BITMASK,
  INTEGER,
  STRING,
  IPV4_ADDR,
  IPV6_ADDR,
  ETHER_ADDR,
  ETHER_TYPE,
  ARP_OP,
  INET_PROTO,
  INET_SERVICE,
  ICMP_TYPE,
  TCP_FLAG,
  DCCP_PKTTYPE,
  MH_TYPE,
  TIME,
  MARK,
  IFACE_INDEX,
  IFACE_TYPE,
  REALM,
  CLASSID,
  UID,
  GID,
  CT_STATE,
  CT_DIR,
  CT_STATUS,
  ICMPV6_TYPE,
  CT_LABEL,
  PKT_TYPE,
  ICMP_CODE,
  ICMPV6_CODE,
  ICMPX_CODE,
  DEVGROUP,
  DSCP,
  ECN,
  FIB_ADDRTYPE,
  BOOLEAN,
  IFNAME,
  IGMP_TYPE,
  DAY,
  HOUR,
  CGROUPSV2,
]; // prettier-ignore

const BY_NAME: ReadonlyMap<string, Datatype> = new Map(TYPES.map((type) => [type.name, type]));

/** The type of a name as it stands in `type ipv4_addr . inet_service`. `time` is the relative one. */
export function findType(name: string): Datatype | null {
  return BY_NAME.get(name) ?? null;
}

/** The names of all types, for suggestions. */
export function typeNames(): readonly string[] {
  return TYPES.map((type) => type.name);
}
