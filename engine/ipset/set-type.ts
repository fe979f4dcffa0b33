/** One part of an element. */
export type Part = 'ip' | 'net' | 'port' | 'mac' | 'mark' | 'iface' | 'set';

/** Options of `create`, beside those that every type has (timeout, counters, comment, skbinfo). */
export type CreateOption =
  | 'family'
  | 'hashsize'
  | 'maxelem'
  | 'bucketsize'
  | 'initval'
  | 'forceadd'
  | 'netmask'
  | 'bitmask'
  | 'markmask'
  | 'range'
  | 'size';

/** A type of set. */
export interface SetType {
  /** As `ipset save` prints it. */
  readonly name: string;
  /** Names that it had in earlier versions. */
  readonly aliases: readonly string[];
  readonly method: 'bitmap' | 'hash' | 'list';
  readonly parts: readonly Part[];
  readonly options: readonly CreateOption[];
  /** Whether `family` can be chosen; `inet` is IPv4 only, `none` holds no addresses. */
  readonly family: 'both' | 'inet' | 'none';
  /** Whether addresses of IPv4 may be given as a range or network that stands for several elements: by part. */
  readonly ranges: readonly boolean[];
}

const HASH: readonly CreateOption[] = ['family', 'hashsize', 'maxelem', 'bucketsize', 'initval', 'forceadd'];
const MASKS: readonly CreateOption[] = ['netmask', 'bitmask'];

function hash(
  parts: readonly Part[],
  aliases: readonly string[],
  more: readonly CreateOption[] = [],
): SetType {
  const addresses = parts.some((p) => p === 'ip' || p === 'net');
  return {
    name: `hash:${parts.join(',')}`,
    aliases,
    method: 'hash',
    parts,
    options: [...HASH.filter((o) => addresses || o !== 'family'), ...more],
    family: addresses ? 'both' : 'none',
    ranges: parts.map((p, i) => p === 'net' || p === 'port' || (p === 'ip' && i === 0)),
  };
}

/** All types of ipset 7.17, in the order of its man page. */
export const SET_TYPES: readonly SetType[] = [
  {
    name: 'bitmap:ip',
    aliases: ['ipmap'],
    method: 'bitmap',
    parts: ['ip'],
    options: ['range', 'netmask'],
    family: 'inet',
    ranges: [true],
  },
  {
    name: 'bitmap:ip,mac',
    aliases: ['macipmap'],
    method: 'bitmap',
    parts: ['ip', 'mac'],
    options: ['range'],
    family: 'inet',
    ranges: [false, false],
  },
  {
    name: 'bitmap:port',
    aliases: ['portmap'],
    method: 'bitmap',
    parts: ['port'],
    options: ['range'],
    family: 'none',
    ranges: [true],
  },
  hash(['ip'], ['iphash'], MASKS),
  hash(['mac'], ['machash']),
  { ...hash(['ip', 'mac'], ['ipmachash']), ranges: [false, false] },
  hash(['net'], ['nethash']),
  hash(['net', 'net'], ['netnethash'], MASKS),
  hash(['ip', 'port'], ['ipporthash'], MASKS),
  hash(['net', 'port'], ['netporthash']),
  hash(['ip', 'port', 'ip'], ['ipportiphash']),
  hash(['ip', 'port', 'net'], ['ipportnethash']),
  hash(['ip', 'mark'], ['ipmarkhash'], ['markmask']),
  hash(['net', 'port', 'net'], ['netportnethash']),
  hash(['net', 'iface'], ['netifacehash']),
  {
    name: 'list:set',
    aliases: ['setlist'],
    method: 'list',
    parts: ['set'],
    options: ['size'],
    family: 'none',
    ranges: [false],
  },
];

const BY_NAME: ReadonlyMap<string, SetType> = new Map(
  SET_TYPES.flatMap((t) => [t.name, ...t.aliases].map((n): [string, SetType] => [n, t])),
);

/** The type of a name or of an earlier name, undefined if there is none. */
export function setType(name: string): SetType | undefined {
  return BY_NAME.get(name);
}

/** What `create` says, with everything that was not said. */
export interface SetOptions {
  /** 4 or 16: bytes of an address; 4 where there is none. */
  addressBytes: number;
  hashsize: number;
  maxelem: number;
  bucketsize: number;
  /** The hash's secret as it is listed, 0 if not given. */
  initval: number;
  forceadd: boolean;
  /** Prefix length, 0 if not given. */
  netmask: number;
  /** Words of the address's mask, null if not given. */
  bitmask: readonly number[] | null;
  /** Words that addresses are masked with, null if they are not. */
  mask: readonly number[] | null;
  markmask: number | null;
  /** First and last address or port of a bitmap, unsigned. */
  from: number;
  to: number;
  /** Of a list. */
  size: number;
  /** Default timeout (s), or -1 if elements have none. */
  timeout: number;
  counters: boolean;
  comment: boolean;
  skbinfo: boolean;
}
