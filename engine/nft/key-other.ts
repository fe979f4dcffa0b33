import {
  BOOLEAN,
  type ByteOrder,
  CGROUPSV2,
  type Datatype,
  FIB_ADDRTYPE,
  IFACE_INDEX,
  INTEGER,
  IPV4_ADDR,
  IPV6_ADDR,
  MARK,
  REALM,
  STRING,
} from './type-datatype.ts';

/** A key of `rt`, `socket`, `osf`, `ipsec`, or a result of `fib`. */
export interface OtherKey {
  readonly name: string;
  /** NFT_RT_*, NFT_SOCKET_*, NFT_FIB_RESULT_*, NFT_XFRM_KEY_*. */
  readonly id: number;
  /** As `nft --debug=netlink` calls it. */
  readonly kernelName: string;
  readonly type: Datatype;
  readonly bits: number;
  readonly order: ByteOrder;
  /** The highest value, where not all bits are used. */
  readonly max?: bigint;
}

function key(
  name: string,
  id: number,
  type: Datatype,
  bits: number = type.bits,
  order: ByteOrder = type.order ?? 'host',
  kernelName: string = name,
): OtherKey {
  return { name, id, kernelName, type, bits, order };
}

const RT: readonly OtherKey[] = [
  key('classid', 0, REALM),
  key('mtu', 3, INTEGER, 16, 'host', 'tcpmss'),
  key('ipsec', 4, BOOLEAN, 8),
];
const NEXTHOP4 = key('nexthop', 1, IPV4_ADDR, 32, 'big', 'nexthop4');
const NEXTHOP6 = key('nexthop', 2, IPV6_ADDR, 128, 'big', 'nexthop6');

const SOCKET: readonly OtherKey[] = [
  { ...key('transparent', 0, INTEGER, 8), max: 1n },
  key('mark', 1, MARK),
  { ...key('wildcard', 2, INTEGER, 8), max: 1n },
  key('cgroupv2', 3, CGROUPSV2),
];

const FIB: readonly OtherKey[] = [
  key('oif', 1, IFACE_INDEX),
  key('oifname', 2, STRING, 128),
  key('type', 3, FIB_ADDRTYPE),
];

const OSF: readonly OtherKey[] = [key('name', 0, STRING, 128), key('version', 1, STRING, 128)];

const IPSEC: readonly OtherKey[] = [
  key('daddr', 1, IPV4_ADDR, 32, 'big', 'daddr4'),
  key('saddr', 3, IPV4_ADDR, 32, 'big', 'saddr4'),
  key('reqid', 5, INTEGER, 32),
  key('spi', 6, INTEGER, 32, 'big'),
];
const IPSEC6: readonly OtherKey[] = [
  key('daddr', 2, IPV6_ADDR, 128, 'big', 'daddr6'),
  key('saddr', 4, IPV6_ADDR, 128, 'big', 'saddr6'),
];

function find(list: readonly OtherKey[], name: string): OtherKey | null {
  return list.find((one) => one.name === name) ?? null;
}

/**
 * A key of `rt`.
 * @param family of `rt ip6 nexthop`, or the table's; nexthop needs one
 */
export function rtKey(name: string, family?: 'ip' | 'ip6'): OtherKey | null {
  if (name !== 'nexthop') return find(RT, name);
  return family === 'ip6' ? NEXTHOP6 : family === 'ip' ? NEXTHOP4 : null;
}

/** A key of `socket`. Of transparent and wildcard only 0 and 1 are values. */
export function socketKey(name: string): OtherKey | null {
  return find(SOCKET, name);
}

/** What `fib` finds. oif may also be compared with exists and missing; its type is BOOLEAN then. */
export function fibResult(name: string): OtherKey | null {
  return find(FIB, name);
}

/** What `osf` finds; the number of version is the flag NFT_OSF_F_VERSION. */
export function osfKey(name: string): OtherKey | null {
  return find(OSF, name);
}

/** A key of `ipsec`. */
export function ipsecKey(name: string, family?: 'ip' | 'ip6'): OtherKey | null {
  return find(family === 'ip6' && name.endsWith('addr') ? IPSEC6 : IPSEC, name);
}

/** What numgen, jhash and symhash give: a number in this machine's byte order. */
export const GENERATED: OtherKey = key('generated', 0, INTEGER, 32);
