import { ips, protocolNumber, REASONS, TCP_STATE_NAMES } from '@keepstate/engine';
import type { Subject } from './filter-subject.ts';

/** A field that holds a number, by its word in the language. */
export interface NumberField {
  readonly word: string;
  readonly most: number;
  /** True if any of the field's values (a port either way) is within the bounds. */
  readonly within: (s: Subject, low: number, high: number) => boolean;
  /** Only packets have it. */
  readonly packets?: boolean;
  /** Only flows of a table that is looked at again and again have it. */
  readonly top?: boolean;
  readonly help: string;
}

function between(value: number, low: number, high: number): boolean {
  return value >= low && value <= high;
}

/** Nobody asks for the very number of a rate: one number is the least that it may be. */
function atLeast(value: number, low: number, high: number): boolean {
  return value >= low && (low === high || value <= high);
}

/** Words that take numbers: `port 80`, `port 80,443`, `port 1000-2000`. */
export const NUMBER_FIELDS: readonly NumberField[] = [
  { word: 'sport', most: 65535, within: (s, a, b) => between(s.sport, a, b), help: 'source port' },
  { word: 'dport', most: 65535, within: (s, a, b) => between(s.dport, a, b), help: 'destination port' },
  {
    word: 'port',
    most: 65535,
    within: (s, a, b) => between(s.sport, a, b) || between(s.dport, a, b),
    help: 'source or destination port',
  },
  {
    word: 'proto',
    most: 255,
    within: (s, a, b) => between(s.protonum, a, b),
    help: 'protocol, by number or name',
  },
  { word: 'type', most: 255, within: (s, a, b) => between(s.type, a, b), help: 'ICMP or ICMPv6 type' },
  { word: 'code', most: 255, within: (s, a, b) => between(s.code, a, b), help: 'ICMP or ICMPv6 code' },
  { word: 'mark', most: 0xffffffff, within: (s, a, b) => between(s.mark, a, b), help: 'conntrack mark' },
  { word: 'zone', most: 65535, within: (s, a, b) => between(s.zone, a, b), help: 'conntrack zone' },
  { word: 'flow', most: 0xffffffff, within: (s, a, b) => between(s.flow, a, b), help: 'id of the flow' },
  {
    word: 'packet',
    most: Number.MAX_SAFE_INTEGER,
    packets: true,
    within: (s, a, b) => between(s.packet, a, b),
    help: 'number of the packet',
  },
  {
    word: 'rate',
    most: Number.MAX_SAFE_INTEGER,
    top: true,
    within: (s, a, b) => atLeast(s.byteRate, a, b),
    help: 'bytes a second, at least',
  },
  {
    word: 'packet-rate',
    most: Number.MAX_SAFE_INTEGER,
    top: true,
    within: (s, a, b) => atLeast(s.packetRate, a, b),
    help: 'packets a second, at least',
  },
];

/** A field that holds one of a few words. */
export interface WordField {
  readonly word: string;
  readonly values: readonly string[];
  readonly is: (s: Subject, value: string) => boolean;
  readonly packets?: boolean;
  readonly help: string;
}

const TABLE_STATES = [
  ...TCP_STATE_NAMES,
  'LISTEN',
  'CLOSED',
  'COOKIE_WAIT',
  'COOKIE_ECHOED',
  'SHUTDOWN_SENT',
  'SHUTDOWN_RECD',
  'SHUTDOWN_ACK_SENT',
  'HEARTBEAT_SENT',
];

/** Status words; UNREPLIED is the absence of a bit. */
export const STATUS_BITS: ReadonlyMap<string, number> = new Map([
  ['EXPECTED', ips.IPS_EXPECTED],
  ['SEEN_REPLY', ips.IPS_SEEN_REPLY],
  ['ASSURED', ips.IPS_ASSURED],
  ['UNREPLIED', 0],
  ['CONFIRMED', ips.IPS_CONFIRMED],
  ['SRC_NAT', ips.IPS_SRC_NAT],
  ['DST_NAT', ips.IPS_DST_NAT],
  ['DYING', ips.IPS_DYING],
  ['FIXED_TIMEOUT', ips.IPS_FIXED_TIMEOUT],
]);

function statusIs(s: Subject, value: string): boolean {
  const bit = STATUS_BITS.get(value)!;
  if (s.status < 0) return false;
  return bit === 0 ? (s.status & ips.IPS_SEEN_REPLY) === 0 : (s.status & bit) !== 0;
}

/** Words that take words: `state ESTABLISHED,TIME_WAIT`. */
export const WORD_FIELDS: readonly WordField[] = [
  {
    word: 'state',
    values: TABLE_STATES,
    is: (s, v) => s.state === v,
    help: 'state in the table, as conntrack -L shows it',
  },
  {
    word: 'status',
    values: [...STATUS_BITS.keys()],
    is: statusIs,
    help: 'status bit of the flow, or UNREPLIED',
  },
  {
    word: 'ctstate',
    values: ['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'UNTRACKED'],
    is: (s, v) => s.ctstate === v,
    packets: true,
    help: "the packet's ct state",
  },
  {
    word: 'verdict',
    values: ['accept', 'drop', 'reject', 'stolen', 'held', 'queue', 'unknown', 'none'],
    is: (s, v) => s.verdict === v,
    packets: true,
    help: 'what became of the packet',
  },
  {
    word: 'reason',
    values: REASONS.map((r) => r.name),
    is: (s, v) => s.reason === v,
    packets: true,
    help: 'reason given for the packet, by name',
  },
];

/** Words that take an address or a network. */
export const ADDRESS_FIELDS: readonly { readonly word: 'src' | 'dst' | 'host'; readonly help: string }[] = [
  { word: 'src', help: 'source address' },
  { word: 'dst', help: 'destination address' },
  { word: 'host', help: 'source or destination address; the word may be left out' },
];

/** Protocols that may stand alone. */
export const PROTOCOL_WORDS: readonly string[] = [
  'tcp',
  'udp',
  'icmp',
  'icmpv6',
  'sctp',
  'gre',
  'udplite',
  'dccp',
].filter((name) => protocolNumber(name) !== undefined);

/** Words of nft, iptables and tcpdump, and what they are called here: for suggestions. */
export const OTHERS_WORDS: Readonly<Record<string, string>> = {
  saddr: 'src',
  daddr: 'dst',
  source: 'src',
  destination: 'dst',
  net: 'host',
  protocol: 'proto',
  ip: 'ipv4',
};

/** Families that may stand alone. */
export const FAMILY_WORDS: readonly string[] = ['ipv4', 'ipv6'];
