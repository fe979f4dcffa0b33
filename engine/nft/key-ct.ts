import {
  type ByteOrder,
  CT_DIR,
  CT_EVENT,
  CT_LABEL,
  CT_STATE,
  CT_STATUS,
  type Datatype,
  INET_PROTO,
  INET_SERVICE,
  INTEGER,
  IPV4_ADDR,
  IPV6_ADDR,
  MARK,
  NF_PROTO,
  STRING,
  TIME,
} from './type-datatype.ts';

/** A key of `ct`. */
export interface CtKey {
  readonly name: string;
  /** Of an address: which family it is of; undefined where the family is the table's. */
  readonly family?: 'ip' | 'ip6' | undefined;
  /** NFT_CT_*. */
  readonly id: number;
  /** As `nft --debug=netlink` calls it. */
  readonly kernelName: string;
  readonly type: Datatype;
  readonly bits: number;
  readonly order: ByteOrder;
  /** Whether `original` or `reply` is forbidden, may, or must stand in front. */
  readonly direction: 'never' | 'may' | 'must';
  /** `ct KEY set` exists. */
  readonly settable: boolean;
}

interface Rest {
  readonly kernelName?: string;
  readonly bits?: number;
  readonly order?: ByteOrder;
  readonly direction?: 'never' | 'may' | 'must';
  readonly settable?: boolean;
  readonly family?: 'ip' | 'ip6';
}

function key(name: string, id: number, type: Datatype, rest: Rest = {}): CtKey {
  return {
    name,
    family: rest.family,
    id,
    kernelName: rest.kernelName ?? name,
    type,
    bits: rest.bits ?? type.bits,
    order: rest.order ?? type.order ?? 'host',
    direction: rest.direction ?? 'never',
    settable: rest.settable ?? false,
  };
}

const MAY = { direction: 'may' } as const;
const MUST = { direction: 'must' } as const;

const KEYS: readonly CtKey[] = [
  key('state', 0, CT_STATE),
  key('direction', 1, CT_DIR),
  key('status', 2, CT_STATUS),
  key('mark', 3, MARK, { settable: true }),
  key('secmark', 4, INTEGER, { bits: 32, settable: true }),
  key('expiration', 5, TIME),
  key('helper', 6, STRING, { bits: 128 }),
  key('l3proto', 7, NF_PROTO, { ...MAY, kernelName: 'l3protocol' }),
  key('saddr', 8, IPV4_ADDR, { ...MUST, kernelName: 'src' }),
  key('daddr', 9, IPV4_ADDR, { ...MUST, kernelName: 'dst' }),
  key('protocol', 10, INET_PROTO, MAY),
  key('proto-src', 11, INET_SERVICE, { ...MUST, kernelName: 'proto_src' }),
  key('proto-dst', 12, INET_SERVICE, { ...MUST, kernelName: 'proto_dst' }),
  key('label', 13, CT_LABEL, { settable: true }),
  key('packets', 14, INTEGER, { ...MAY, bits: 64 }),
  key('bytes', 15, INTEGER, { ...MAY, bits: 64 }),
  key('avgpkt', 16, INTEGER, { ...MAY, bits: 64 }),
  key('zone', 17, INTEGER, { ...MAY, bits: 16, settable: true }),
  key('event', 18, CT_EVENT, { settable: true }),
  key('id', 23, INTEGER, { kernelName: 'unknown', bits: 32, order: 'big' }),
];

const OF_FAMILY: readonly CtKey[] = [
  key('saddr', 19, IPV4_ADDR, { ...MUST, family: 'ip', kernelName: 'src_ip' }),
  key('daddr', 20, IPV4_ADDR, { ...MUST, family: 'ip', kernelName: 'dst_ip' }),
  key('saddr', 21, IPV6_ADDR, { ...MUST, family: 'ip6', kernelName: 'src_ip6' }),
  key('daddr', 22, IPV6_ADDR, { ...MUST, family: 'ip6', kernelName: 'dst_ip6' }),
];

const BY_NAME: ReadonlyMap<string, CtKey> = new Map(
  [...KEYS, ...OF_FAMILY].map((one) => [`${one.family ?? ''} ${one.name}`, one]),
);

/**
 * A key of `ct`.
 * @param family of `ct original ip saddr`. Without one, saddr and daddr are those of the table's family: their type
 *   here is IPv4's, and an IPv6 table's has IPV6_ADDR instead
 */
export function ctKey(name: string, family?: 'ip' | 'ip6'): CtKey | null {
  return BY_NAME.get(`${family ?? ''} ${name}`) ?? null;
}

/** The names of all keys, for suggestions. */
export function ctKeyNames(): readonly string[] {
  return KEYS.map((one) => one.name);
}
