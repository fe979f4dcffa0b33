/** Packets with headers that generated traffic seldom or never has, each kind with values on both sides of a test. */
import { icmp } from '../../engine/packet/build-icmp.ts';
import { icmpv6 } from '../../engine/packet/build-icmpv6.ts';
import { type IpFields, ipPacket } from '../../engine/packet/build-ip.ts';
import {
  authenticationHeader,
  destinationOptions,
  type ExtensionHeader,
  fragmentHeader,
  hopByHop,
  routingHeader,
} from '../../engine/packet/build-ipv6.ts';
import { type SctpChunk, sctp, sctpData, sctpInit, sctpInitAck } from '../../engine/packet/build-sctp.ts';
import { type TcpFields, tcp } from '../../engine/packet/build-tcp.ts';
import { udp, udplite } from '../../engine/packet/build-udp.ts';
import { TH_ACK, TH_SYN } from '../../engine/packet/tcp.ts';
import type { RulePacket } from './rules-types.ts';

const ENDS4 = { src: '192.168.1.5', dst: '198.51.100.7' };
const ENDS6 = { src: 'fd00:1::5', dst: '2001:db8:5::1' };
const PORTS = { sport: 1024, dport: 80 };

/** Bytes written as hex, blanks between. */
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

function ip4(proto: number, body: Uint8Array, ip: IpFields = {}): RulePacket {
  return { from: 'eth1', bytes: ipPacket({ ...ENDS4, ip }, proto, body) };
}

function ip6(proto: number, body: Uint8Array, ip: IpFields = {}): RulePacket {
  return { from: 'eth1', bytes: ipPacket({ ...ENDS6, ip }, proto, body) };
}

function udp4(payload: number, ip: IpFields = {}): RulePacket {
  return ip4(17, udp({ ...ENDS4, ...PORTS, payload }), ip);
}

function udp6(payload: number, ip: IpFields = {}): RulePacket {
  return ip6(17, udp({ ...ENDS6, ...PORTS, payload }), ip);
}

/** Authentication headers (RFC 4302), one of them cut short. */
export const AH: readonly RulePacket[] = [
  ip4(51, hex('06040000 00000001 00000002 000000000000000000000000')),
  ip4(51, hex('11040007 00000100 ffffffff 000000000000000000000000')),
  ip4(51, hex('06040000 00000001')),
  ip6(51, hex('3b040000 00000001 00000002 000000000000000000000000')),
  ip6(51, hex('3b040000 ffffffff 00000005 000000000000000000000000')),
];

/** ESP (RFC 4303), one of them cut short. */
export const ESP: readonly RulePacket[] = [
  ip4(50, hex('00000001 00000005 aabbccdd')),
  ip4(50, hex('ffffffff 00000001')),
  ip4(50, hex('000001')),
  ip6(50, hex('00000001 00000005 aabbccdd')),
];

/** IPComp (RFC 3173), one of them cut short. */
export const COMP: readonly RulePacket[] = [
  ip4(108, hex('06000001 aabb')),
  ip4(108, hex('1105ffff aabb')),
  ip6(108, hex('11050007 aabb')),
  ip4(108, hex('0600')),
];

/**
 * A DCCP packet (RFC 4340, section 5.1).
 * @param long whether its sequence number is the long one
 * @param words length of its header
 */
function dccp(type: number, long = true, words = 6, options = hex(''), length = 24): Uint8Array {
  const body = new Uint8Array(Math.max(length, words * 4));
  new DataView(body.buffer).setUint32(0, (PORTS.sport << 16) | PORTS.dport);
  body[4] = words;
  body[8] = (type << 1) | Number(long);
  body.set(options, words * 4 - options.length);
  return body.slice(0, length);
}

const DCCP_TYPES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15];
const DCCP_OPTIONS = ['02030900', '00000203', '2c040200', '2c000200', '1f020000', '1f030200', '21030200'];

/** DCCP of each type; then headers that are cut short. */
export const DCCP: readonly RulePacket[] = [
  ...DCCP_TYPES.map((type) => ip4(33, dccp(type))),
  ip6(33, dccp(0)),
  ip6(33, dccp(5)),
  ip4(33, dccp(0, true, 6, hex(''), 6)),
  ip4(33, dccp(0, true, 6, hex(''), 10)),
];

/** DCCP of each type with headers of all lengths, and with options. */
export const DCCP_OPTIONED: readonly RulePacket[] = [
  ...DCCP_TYPES.flatMap((type) =>
    [true, false].flatMap((long) =>
      [2, 3, 4, 5, 6, 7, 8].map((words) => ip4(33, dccp(type, long, words, hex(''), 32))),
    ),
  ),
  ...DCCP_OPTIONS.map((options) => ip4(33, dccp(2, true, 5, hex(options), 20))),
];

const extended = (...extensions: readonly ExtensionHeader[]): RulePacket => udp6(8, { extensions });
const ROUTER_ALERT = hex('01040000 00000104 00000000 0000');
/** A segment routing header (RFC 8754) of two segments, one left: tag 0x102. */
const SEGMENTS: ExtensionHeader = {
  type: 43,
  bytes: hex('11040401 01050102 20010db8000000000000000000000001 20010db8000000000000000000000002'),
};

/** IPv6 with extension headers of all kinds but fragments, and Mobile IPv6 (RFC 6275). */
export const EXTENSIONS: readonly RulePacket[] = [
  extended(),
  extended(hopByHop()),
  extended(hopByHop(ROUTER_ALERT)),
  extended(destinationOptions()),
  extended(destinationOptions(ROUTER_ALERT)),
  extended(routingHeader({ segmentsLeft: 0 })),
  extended(routingHeader({ segmentsLeft: 2, type: 3 })),
  extended(routingHeader({ type: 2, segmentsLeft: 0, addresses: ['2001:db8::1'] })),
  extended(routingHeader({ type: 0, segmentsLeft: 0, addresses: ['2001:db8::1', '2001:db8::2'] })),
  extended(SEGMENTS),
  extended(
    hopByHop(),
    destinationOptions(),
    routingHeader({ segmentsLeft: 0 }),
    authenticationHeader({ spi: 5 }),
    destinationOptions(),
  ),
  extended(authenticationHeader({ spi: 9 })),
  ip6(135, hex('3b000500 00000000')),
  ip6(135, hex('3b000100 12340000')),
  ip6(135, hex('3b010200 00000000 0000000000000000')),
  ip6(135, hex('3b00')),
];

/** Fragment headers of whole packets. */
export const WHOLE_FRAGMENTS: readonly RulePacket[] = [5, 0xffffffff].map((id) =>
  extended(fragmentHeader({ offset: 0, more: false, id })),
);

/** Fragments of which the rest never comes. */
export const LONE_FRAGMENTS: readonly RulePacket[] = [
  extended(fragmentHeader({ offset: 0, more: true, id: 77 })),
  extended(fragmentHeader({ offset: 8, more: false, id: 78 })),
];

/** ICMP messages, one of them cut short. */
export const ICMP: readonly RulePacket[] = [
  ip4(1, icmp({ type: 8, id: 5, seq: 9, payload: 8 })),
  ip4(1, icmp({ type: 0, id: 5, seq: 9, payload: 8 })),
  ip4(1, icmp({ type: 5, code: 1, rest: 0xc0a80101, payload: 28 })),
  ip4(1, icmp({ type: 3, code: 4, rest: 1280, payload: 28 })),
  ip4(1, icmp({ type: 12, rest: 0x05000000, payload: 28 })),
  ip4(1, icmp({ type: 13, id: 1, seq: 2, payload: 12 })),
  ip4(1, icmp({ type: 17, id: 1, seq: 2, payload: 4 })),
  ip4(1, icmp({ type: 8, id: 65535, seq: 65535, payload: 8 })),
  ip4(1, hex('0800')),
];

/** ICMPv6 messages. */
export const ICMPV6: readonly RulePacket[] = [
  { type: 128, id: 5, seq: 9, payload: 8 },
  { type: 2, rest: 1280, payload: 48 },
  { type: 4, code: 1, rest: 6, payload: 48 },
  { type: 130, rest: 0x27100000, payload: 16 },
  { type: 135, payload: hex('20010db8000000000000000000000001') },
  { type: 137, payload: hex('20010db800000000000000000000000120010db8000000000000000000000002') },
  { type: 1, code: 4, payload: 48 },
].map((message) => ip6(58, icmpv6({ ...ENDS6, ...message })));

/** IGMP messages (RFC 3376), one of them cut short. */
export const IGMP: readonly RulePacket[] = [
  '11640000e0000001',
  '16000000e0000005',
  '17ff0000e0000005',
  '2200',
].map((bytes) => ip4(2, hex(bytes)));

/** IPv4 options (RFC 791, RFC 2113), router alert with both of its values among them. */
export const IP_OPTIONS: readonly RulePacket[] = [
  '94040000',
  '01010100',
  '070708 0a090909 00',
  '070b0c 0a090909 0a080808 00',
  '8a0708 0a090909 00',
  '44040500',
  '88041234',
  '01 94040005 010100',
].map((options) => udp4(8, { options: hex(options) }));

function sctp4(chunks: readonly SctpChunk[], vtag = 9, ports = PORTS): RulePacket {
  return ip4(132, sctp({ ...ports, vtag, chunks }));
}

/** SCTP (RFC 9260) with chunks of many kinds, one packet cut short. */
export const SCTP: readonly RulePacket[] = [
  sctp4([sctpInit({ tag: 7, tsn: 5, window: 3000 })], 0),
  sctp4([sctpInitAck({ tag: 9 })], 7, { sport: 80, dport: 1024 }),
  sctp4([sctpData(4, 77)], 9, { sport: 1024, dport: 81 }),
  sctp4([
    { type: 10, value: 4 },
    sctpData(5, 78),
    { type: 3, value: hex('00000005 00001000 00010002 00010002 00000009') },
  ]),
  sctp4([
    { type: 4, value: 4 },
    { type: 6, flags: 1 },
  ]),
  sctp4([{ type: 0, flags: 7, value: hex('0000004d 0003 0004 00000033 61') }]),
  sctp4([
    { type: 7, value: hex('00000033') },
    { type: 14, flags: 1 },
    { type: 12, value: hex('00000007') },
    { type: 13 },
    { type: 8 },
    { type: 11 },
    { type: 0xc1, value: 12 },
  ]),
  ip6(132, sctp({ ...PORTS, vtag: 0, chunks: [sctpInit({ tag: 7 })] })),
  ip4(132, hex('0400005000000000')),
];

function tcp4(fields: Partial<TcpFields>, ip: IpFields = {}): RulePacket {
  return ip4(6, tcp({ ...ENDS4, ...PORTS, flags: TH_SYN, seq: 100, ...fields }), ip);
}

/** A SYN with some of the four bits behind its header's length set. */
function reserved(bits: number): RulePacket {
  const body = tcp({ ...ENDS4, ...PORTS, flags: TH_SYN, seq: 100 });
  body[12]! |= bits;
  return ip4(6, body);
}

/** TCP with options of many kinds, wrong ones among them, and headers with values at their boundaries. */
export const TCP: readonly RulePacket[] = [
  ...[
    '020405b4',
    '020405b4 0402080a00000001000000ff 01030307',
    '1e0c0081 0102030405060708',
    '1e043112',
    '220a 0102030405060708 0101',
    '22020101',
    '1312 0102030405060708090a0b0c0d0e0f10 0101',
    '0305000001010101',
    '02030000',
    '00000000',
    'fe041234',
    '02',
  ].map((options) => tcp4({ options: hex(options) })),
  tcp4({ flags: TH_ACK, options: hex('0101050a 0000000100000005') }),
  tcp4({ flags: TH_ACK, options: hex('01010512 0000000100000005 000000090000000c') }),
  tcp4({ urgent: 77, window: 1 }),
  tcp4({ flags: TH_ACK, seq: 101, ack: 5, payload: 20 }),
  tcp4({ flags: 0xc2 }),
  tcp4({ flags: 0x82 }),
  tcp4({ flags: 0x42 }, { tos: 1 }),
  reserved(2),
  reserved(15),
  ip6(
    6,
    tcp({
      ...ENDS6,
      ...PORTS,
      flags: TH_SYN,
      seq: 5,
      options: { mss: 1220, wscale: 5, sackPermitted: true, timestamps: [7, 9] },
    }),
  ),
];

/** UDP-Lite (RFC 3828), one of them cut short. */
export const UDPLITE: readonly RulePacket[] = [
  ip4(136, udplite({ ...ENDS4, ...PORTS, payload: 20, checksumAs: 'linux' })),
  ip4(136, udplite({ ...ENDS4, ...PORTS, payload: 20, coverage: 8, checksumAs: 'linux' })),
  ip6(136, udplite({ ...ENDS6, ...PORTS, payload: 20, coverage: 12, checksumAs: 'linux' })),
  ip4(136, hex('040000500008')),
];

/** IP headers with values at their boundaries. */
export const IP: readonly RulePacket[] = [
  udp4(8, { tos: 0xb8, id: 7, ttl: 2 }),
  udp4(80, { tos: 3, id: 65535, df: true, ttl: 255 }),
  udp6(8, { tos: 0xb9, flowLabel: 0xfffff }),
  udp6(100, { tos: 1, flowLabel: 1, ttl: 255 }),
  tcp4({}, { tos: 0x10 }),
];
