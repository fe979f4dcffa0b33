import { field, fieldOf, fields, type ProtocolDesc } from './proto-header.ts';
import {
  BITMASK,
  DCCP_PKTTYPE,
  ICMP_CODE,
  ICMP_TYPE,
  ICMPV6_CODE,
  ICMPV6_TYPE,
  IGMP_TYPE,
  INET_PROTO,
  INET_SERVICE,
  INTEGER,
  TCP_FLAG,
} from './type-datatype.ts';

/** The numbers of transport protocols that nft knows the headers of: `ip protocol`, `ip6 nexthdr`, `meta l4proto`. */
export const TRANSPORTS: ReadonlyMap<number, string> = new Map([
  [1, 'icmp'],
  [2, 'igmp'],
  [6, 'tcp'],
  [17, 'udp'],
  [33, 'dccp'],
  [50, 'esp'],
  [51, 'ah'],
  [58, 'icmpv6'],
  [108, 'comp'],
  [132, 'sctp'],
  [136, 'udplite'],
]);

const PORTS = [field('sport', 0, INET_SERVICE), field('dport', 16, INET_SERVICE)] as const;

const ECHO = [8, 0];
const ECHO6 = [128, 129];

/** Headers that begin where the kernel sees the transport header. */
export const TRANSPORT_HEADERS: readonly ProtocolDesc[] = [
  {
    name: 'tcp',
    base: 'th',
    bits: 160,
    upper: null,
    fields: fields(
      ...PORTS,
      field('sequence', 32, INTEGER, 32),
      field('ackseq', 64, INTEGER, 32),
      field('doff', 96, INTEGER, 4),
      field('reserved', 100, INTEGER, 4),
      field('flags', 104, TCP_FLAG),
      field('window', 112, INTEGER, 16),
      field('checksum', 128, INTEGER, 16),
      field('urgptr', 144, INTEGER, 16),
    ),
  },
  {
    name: 'udp',
    base: 'th',
    bits: 64,
    upper: null,
    fields: fields(...PORTS, field('length', 32, INTEGER, 16), field('checksum', 48, INTEGER, 16)),
  },
  {
    name: 'udplite',
    base: 'th',
    bits: 64,
    upper: null,
    fields: fields(...PORTS, field('csumcov', 32, INTEGER, 16), field('checksum', 48, INTEGER, 16)),
  },
  {
    name: 'sctp',
    base: 'th',
    bits: 96,
    upper: null,
    fields: fields(...PORTS, field('vtag', 32, INTEGER, 32), field('checksum', 64, INTEGER, 32)),
  },
  {
    name: 'dccp',
    base: 'th',
    bits: 128,
    upper: null,
    fields: fields(...PORTS, field('type', 67, DCCP_PKTTYPE)),
  },
  { name: 'th', base: 'th', bits: 32, upper: null, fields: fields(...PORTS) },
  {
    name: 'icmp',
    base: 'th',
    bits: 64,
    upper: null,
    fields: fields(
      field('type', 0, ICMP_TYPE),
      field('code', 8, ICMP_CODE),
      field('checksum', 16, INTEGER, 16),
      fieldOf(ECHO, field('id', 32, INTEGER, 16)),
      fieldOf(ECHO, field('sequence', 48, INTEGER, 16)),
      fieldOf([5], field('gateway', 32, INTEGER, 32)),
      fieldOf([3], field('mtu', 48, INTEGER, 16)),
    ),
  },
  {
    name: 'icmpv6',
    base: 'th',
    bits: 64,
    upper: null,
    fields: fields(
      field('type', 0, ICMPV6_TYPE),
      field('code', 8, ICMPV6_CODE),
      field('checksum', 16, INTEGER, 16),
      // Read as param-problem, listed as parameter-problem, which nft 1.0.6 cannot read (measured).
      fieldOf([4], field('param-problem', 32, INTEGER, 32)),
      fieldOf([2], field('mtu', 32, INTEGER, 32)),
      fieldOf(ECHO6, field('id', 32, INTEGER, 16)),
      fieldOf(ECHO6, field('sequence', 48, INTEGER, 16)),
      fieldOf([130], field('max-delay', 32, INTEGER, 16)),
    ),
  },
  {
    name: 'igmp',
    base: 'th',
    bits: 64,
    upper: null,
    fields: fields(
      field('type', 0, IGMP_TYPE),
      field('mrt', 8, INTEGER, 8),
      field('checksum', 16, INTEGER, 16),
      field('group', 32, INTEGER, 32),
    ),
  },
  {
    name: 'ah',
    base: 'th',
    bits: 96,
    upper: { field: 'nexthdr', protocols: TRANSPORTS },
    fields: fields(
      field('nexthdr', 0, INET_PROTO),
      field('hdrlength', 8, INTEGER, 8),
      field('reserved', 16, INTEGER, 16),
      field('spi', 32, INTEGER, 32),
      field('sequence', 64, INTEGER, 32),
    ),
  },
  {
    name: 'esp',
    base: 'th',
    bits: 64,
    upper: null,
    fields: fields(field('spi', 0, INTEGER, 32), field('sequence', 32, INTEGER, 32)),
  },
  {
    name: 'comp',
    base: 'th',
    bits: 32,
    upper: { field: 'nexthdr', protocols: TRANSPORTS },
    fields: fields(
      field('nexthdr', 0, INET_PROTO),
      field('flags', 8, BITMASK, 8),
      field('cpi', 16, INTEGER, 16),
    ),
  },
];
