import {
  BOOLEAN,
  type ByteOrder,
  CLASSID,
  DAY,
  type Datatype,
  DEVGROUP,
  ETHER_TYPE,
  GID,
  HOUR,
  IFACE_INDEX,
  IFACE_TYPE,
  IFNAME,
  INET_PROTO,
  INTEGER,
  MARK,
  META_TIME,
  NF_PROTO,
  PKT_TYPE,
  REALM,
  UID,
} from './type-datatype.ts';

/** A key of `meta`. */
export interface MetaKey {
  readonly name: string;
  /** NFT_META_*. */
  readonly id: number;
  /** As `nft --debug=netlink` calls it. */
  readonly kernelName: string;
  readonly type: Datatype;
  readonly bits: number;
  readonly order: ByteOrder;
  /** Listed without `meta` in front. */
  readonly bare: boolean;
  /** `meta KEY set` exists. */
  readonly settable: boolean;
  /** The highest value, where not all bits are used. */
  readonly max?: bigint;
}

interface Rest {
  readonly kernelName?: string;
  readonly bits?: number;
  readonly order?: ByteOrder;
  readonly bare?: boolean;
  readonly settable?: boolean;
}

function key(name: string, id: number, type: Datatype, rest: Rest = {}): MetaKey {
  return {
    name,
    id,
    kernelName: rest.kernelName ?? name,
    type,
    bits: rest.bits ?? type.bits,
    order: rest.order ?? type.order ?? 'host',
    bare: rest.bare ?? false,
    settable: rest.settable ?? false,
  };
}

const KEYS: readonly MetaKey[] = [
  key('length', 0, INTEGER, { kernelName: 'len', bits: 32 }),
  key('protocol', 1, ETHER_TYPE),
  key('priority', 2, CLASSID, { settable: true }),
  key('mark', 3, MARK, { settable: true }),
  key('iif', 4, IFACE_INDEX, { bare: true }),
  key('oif', 5, IFACE_INDEX, { bare: true }),
  key('iifname', 6, IFNAME, { bare: true }),
  key('oifname', 7, IFNAME, { bare: true }),
  key('iiftype', 8, IFACE_TYPE),
  key('oiftype', 9, IFACE_TYPE),
  key('skuid', 10, UID),
  key('skgid', 11, GID),
  key('nftrace', 12, INTEGER, { bits: 1, settable: true }),
  key('rtclassid', 13, REALM),
  key('secmark', 14, INTEGER, { bits: 32, settable: true }),
  key('nfproto', 15, NF_PROTO),
  key('l4proto', 16, INET_PROTO),
  key('ibrname', 17, IFNAME, { kernelName: 'bri_iifname' }),
  key('obrname', 18, IFNAME, { kernelName: 'bri_oifname' }),
  key('pkttype', 19, PKT_TYPE, { settable: true }),
  key('cpu', 20, INTEGER, { bits: 32 }),
  key('iifgroup', 21, DEVGROUP, { bare: true }),
  key('oifgroup', 22, DEVGROUP, { bare: true }),
  key('cgroup', 23, INTEGER, { bits: 32 }),
  key('random', 24, INTEGER, { kernelName: 'prandom', bits: 32, order: 'big' }),
  key('ipsec', 25, BOOLEAN, { kernelName: 'secpath', bits: 8 }),
  key('iifkind', 26, IFNAME),
  key('oifkind', 27, IFNAME),
  key('ibrpvid', 28, INTEGER, { kernelName: 'bri_iifpvid', bits: 16 }),
  key('ibrvproto', 29, ETHER_TYPE, { kernelName: 'bri_iifvproto' }),
  key('time', 30, META_TIME),
  { ...key('day', 31, DAY), max: 6n },
  key('hour', 32, HOUR),
  key('sdif', 33, IFACE_INDEX),
  key('sdifname', 34, IFNAME),
];

const BY_NAME: ReadonlyMap<string, MetaKey> = new Map(KEYS.map((one) => [one.name, one]));

const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['secpath', 'ipsec'],
  ['ibriport', 'ibrname'],
  ['obriport', 'obrname'],
]);

/** A key of `meta` by its name or an older name of it. */
export function metaKey(name: string): MetaKey | null {
  return BY_NAME.get(SYNONYMS.get(name) ?? name) ?? null;
}

/** The names of all keys, for suggestions. */
export function metaKeyNames(): readonly string[] {
  return KEYS.map((one) => one.name);
}
