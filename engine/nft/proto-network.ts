import { field, fields, type ProtocolDesc } from './proto-header.ts';
import { TRANSPORTS } from './proto-transport.ts';
import {
  ARP_OP,
  DSCP,
  ECN,
  ETHER_ADDR,
  ETHER_TYPE,
  INET_PROTO,
  INTEGER,
  IPV4_ADDR,
  IPV6_ADDR,
} from './type-datatype.ts';

/** What follows an Ethernet header, by EtherType (`ether type`, `meta protocol`). */
export const NETWORKS: ReadonlyMap<number, string> = new Map([
  [0x0800, 'ip'],
  [0x0806, 'arp'],
  [0x86dd, 'ip6'],
  [0x8100, 'vlan'],
  [0x88a8, 'vlan'],
]);

/** Headers of the link layer and of the network layer. */
export const NETWORK_HEADERS: readonly ProtocolDesc[] = [
  {
    name: 'ether',
    base: 'll',
    bits: 112,
    upper: { field: 'type', protocols: NETWORKS },
    fields: fields(
      field('daddr', 0, ETHER_ADDR),
      field('saddr', 48, ETHER_ADDR),
      field('type', 96, ETHER_TYPE),
    ),
  },
  {
    name: 'vlan',
    base: 'll',
    bits: 32,
    upper: { field: 'type', protocols: NETWORKS },
    fields: fields(
      field('pcp', 0, INTEGER, 3),
      field('dei', 3, INTEGER, 1),
      // The older name of dei; only read.
      field('cfi', 3, INTEGER, 1),
      field('id', 4, INTEGER, 12),
      field('type', 16, ETHER_TYPE),
    ),
  },
  {
    name: 'arp',
    base: 'nh',
    bits: 224,
    upper: null,
    fields: fields(
      field('htype', 0, INTEGER, 16),
      field('ptype', 16, ETHER_TYPE),
      field('hlen', 32, INTEGER, 8),
      field('plen', 40, INTEGER, 8),
      field('operation', 48, ARP_OP),
      field('saddr ether', 64, ETHER_ADDR),
      field('saddr ip', 112, IPV4_ADDR),
      field('daddr ether', 144, ETHER_ADDR),
      field('daddr ip', 192, IPV4_ADDR),
    ),
  },
  {
    name: 'ip',
    base: 'nh',
    bits: 160,
    upper: { field: 'protocol', protocols: TRANSPORTS },
    fields: fields(
      field('version', 0, INTEGER, 4),
      field('hdrlength', 4, INTEGER, 4),
      field('dscp', 8, DSCP),
      field('ecn', 14, ECN),
      field('length', 16, INTEGER, 16),
      field('id', 32, INTEGER, 16),
      field('frag-off', 48, INTEGER, 16),
      field('ttl', 64, INTEGER, 8),
      field('protocol', 72, INET_PROTO),
      field('checksum', 80, INTEGER, 16),
      field('saddr', 96, IPV4_ADDR),
      field('daddr', 128, IPV4_ADDR),
    ),
  },
  {
    name: 'ip6',
    base: 'nh',
    bits: 320,
    upper: { field: 'nexthdr', protocols: TRANSPORTS },
    fields: fields(
      field('version', 0, INTEGER, 4),
      field('dscp', 4, DSCP),
      field('ecn', 10, ECN),
      field('flowlabel', 12, INTEGER, 20),
      field('length', 32, INTEGER, 16),
      field('nexthdr', 48, INET_PROTO),
      field('hoplimit', 56, INTEGER, 8),
      field('saddr', 64, IPV6_ADDR),
      field('daddr', 192, IPV6_ADDR),
    ),
  },
];
