import { field, fields, type HeaderFields } from './proto-header.ts';
import { INET_PROTO, INTEGER, IPV6_ADDR, MH_TYPE } from './type-datatype.ts';

/** Something that is searched for in a packet: an IPv6 extension header, an option, a chunk. */
export interface SoughtHeader {
  readonly name: string;
  /** The number it is found by: a protocol, an option's kind, a chunk's type. */
  readonly id: number;
  readonly fields: HeaderFields;
}

type Field = ReturnType<typeof field>;

function sought(name: string, id: number, ...list: readonly Field[]): SoughtHeader {
  return { name, id, fields: fields(...list) };
}

function index(list: readonly SoughtHeader[]): ReadonlyMap<string, SoughtHeader> {
  return new Map(list.map((one) => [one.name, one]));
}

/** An integer. */
function int(name: string, offset: number, bits: number): Field {
  return field(name, offset, INTEGER, bits);
}

/** `addr[1]`, `addr[2]`: addresses behind a routing header's eight bytes. nft 1.0.6 crashes on a third (measured). */
function addresses(name: string): readonly Field[] {
  return Array.from({ length: 2 }, (_, i) => field(`${name}[${i + 1}]`, 64 + 128 * i, IPV6_ADDR));
}

const NEXT = [field('nexthdr', 0, INET_PROTO), int('hdrlength', 8, 8)] as const;

const IPV6_HEADERS = index([
  sought('hbh', 0, ...NEXT),
  sought('rt', 43, ...NEXT, int('type', 16, 8), int('seg-left', 24, 8)),
  sought('rt0', 43, ...addresses('addr')),
  sought('rt2', 43, field('addr', 64, IPV6_ADDR)),
  sought('srh', 43, int('last-entry', 32, 8), int('flags', 40, 8), int('tag', 48, 16), ...addresses('sid')),
  sought(
    'frag',
    44,
    field('nexthdr', 0, INET_PROTO),
    int('reserved', 8, 8),
    int('frag-off', 16, 13),
    int('reserved2', 29, 2),
    int('more-fragments', 31, 1),
    int('id', 32, 32),
  ),
  sought('dst', 60, ...NEXT),
  sought('mh', 135, ...NEXT, field('type', 16, MH_TYPE), int('reserved', 24, 8), int('checksum', 32, 16)),
]);

const LENGTH = int('length', 8, 8);

/** The blocks of a SACK option; `sack` is another name of the first. */
function sack(name: string, block: number): SoughtHeader {
  const from = 16 + 64 * block;
  return sought(name, 5, LENGTH, int('left', from, 32), int('right', from + 32, 32));
}

const TCP_OPTIONS = index([
  sought('eol', 0),
  sought('nop', 1),
  sought('maxseg', 2, LENGTH, int('size', 16, 16)),
  sought('window', 3, LENGTH, int('count', 16, 8)),
  sought('sack-perm', 4, LENGTH),
  sack('sack', 0),
  sack('sack0', 0),
  sack('sack1', 1),
  sack('sack2', 2),
  sack('sack3', 3),
  sought('timestamp', 8, LENGTH, int('tsval', 16, 32), int('tsecr', 48, 32)),
  sought('md5sig', 19, LENGTH),
  sought('mptcp', 30, LENGTH, int('subtype', 16, 4)),
  sought('fastopen', 34, LENGTH),
]);

const TYPE_LENGTH = [int('type', 0, 8), LENGTH] as const;
const ROUTE = [...TYPE_LENGTH, int('ptr', 16, 8), int('addr', 24, 32)] as const;

const IP_OPTIONS = index([
  sought('rr', 7, ...ROUTE),
  sought('lsrr', 131, ...ROUTE),
  sought('ssrr', 137, ...ROUTE),
  sought('ra', 148, ...TYPE_LENGTH, int('value', 16, 16)),
]);

function chunk(name: string, id: number, ...list: readonly Field[]): SoughtHeader {
  return sought(name, id, int('type', 0, 8), int('flags', 8, 8), int('length', 16, 16), ...list);
}

const INIT = [
  int('init-tag', 32, 32),
  int('a-rwnd', 64, 32),
  int('num-outbound-streams', 96, 16),
  int('num-inbound-streams', 112, 16),
  int('initial-tsn', 128, 32),
] as const;

const SCTP_CHUNKS = index([
  chunk('data', 0, int('tsn', 32, 32), int('stream', 64, 16), int('ssn', 80, 16), int('ppid', 96, 32)),
  chunk('init', 1, ...INIT),
  chunk('init-ack', 2, ...INIT),
  chunk(
    'sack',
    3,
    int('cum-tsn-ack', 32, 32),
    int('a-rwnd', 64, 32),
    int('num-gap-ack-blocks', 96, 16),
    int('num-dup-tsns', 112, 16),
  ),
  chunk('heartbeat', 4),
  chunk('heartbeat-ack', 5),
  chunk('abort', 6),
  chunk('shutdown', 7, int('cum-tsn-ack', 32, 32)),
  chunk('shutdown-ack', 8),
  chunk('error', 9),
  chunk('cookie-echo', 10),
  chunk('cookie-ack', 11),
  chunk('ecne', 12, int('lowest-tsn', 32, 32)),
  chunk('cwr', 13, int('lowest-tsn', 32, 32)),
  chunk('shutdown-complete', 14),
  chunk('asconf-ack', 128, int('seqno', 32, 32)),
  chunk('forward-tsn', 192, int('new-cum-tsn', 32, 32)),
  chunk('asconf', 193, int('seqno', 32, 32)),
]);

/** An IPv6 extension header: hbh, rt, rt0, rt2, srh (AST: rt4), frag, dst, mh. */
export function exthdr(name: string): SoughtHeader | null {
  return IPV6_HEADERS.get(name === 'rt4' ? 'srh' : name) ?? null;
}

/** A TCP option. */
export function tcpOption(name: string): SoughtHeader | null {
  return TCP_OPTIONS.get(name) ?? null;
}

/** An IPv4 option. */
export function ipOption(name: string): SoughtHeader | null {
  return IP_OPTIONS.get(name) ?? null;
}

/** An SCTP chunk. */
export function sctpChunk(name: string): SoughtHeader | null {
  return SCTP_CHUNKS.get(name) ?? null;
}

/** The names of all SCTP chunks. */
export function sctpChunkNames(): readonly string[] {
  return [...SCTP_CHUNKS.keys()];
}

/** The names of all IPv4 options. */
export function ipOptionNames(): readonly string[] {
  return [...IP_OPTIONS.keys()];
}

/** All TCP options, for what lists a raw one by its name. */
export function tcpOptions(): readonly SoughtHeader[] {
  return [...TCP_OPTIONS.values()];
}
