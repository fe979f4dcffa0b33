import {
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
} from '../packet/protocols.ts';
import { protocolName, protocolNumber, servicePort } from './names.ts';
import { cut, parseNumber } from './parse-value.ts';
import { SetError } from './set-error.ts';

/** Protocols with ports. */
const WITH_PORTS: readonly number[] = [IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_UDPLITE];

type Names = ReadonlyMap<string, number>;

function names(...rows: readonly (readonly [string, number, number])[]): Names {
  return new Map(rows.map(([name, type, code]) => [name, (type << 8) | code]));
}

/** Names of ICMP's type and code, as `ipset help hash:ip,port` lists them (RFC 792, RFC 1812); first name first. */
const ICMP_NAMES: Names = names(
  ['echo-reply', 0, 0],
  ['pong', 0, 0],
  ['network-unreachable', 3, 0],
  ['host-unreachable', 3, 1],
  ['protocol-unreachable', 3, 2],
  ['port-unreachable', 3, 3],
  ['fragmentation-needed', 3, 4],
  ['source-route-failed', 3, 5],
  ['network-unknown', 3, 6],
  ['host-unknown', 3, 7],
  ['network-prohibited', 3, 9],
  ['host-prohibited', 3, 10],
  ['TOS-network-unreachable', 3, 11],
  ['TOS-host-unreachable', 3, 12],
  ['communication-prohibited', 3, 13],
  ['host-precedence-violation', 3, 14],
  ['precedence-cutoff', 3, 15],
  ['source-quench', 4, 0],
  ['network-redirect', 5, 0],
  ['host-redirect', 5, 1],
  ['TOS-network-redirect', 5, 2],
  ['TOS-host-redirect', 5, 3],
  ['echo-request', 8, 0],
  ['ping', 8, 0],
  ['router-advertisement', 9, 0],
  ['router-solicitation', 10, 0],
  ['ttl-zero-during-transit', 11, 0],
  ['ttl-zero-during-reassembly', 11, 1],
  ['ip-header-bad', 12, 0],
  ['required-option-missing', 12, 1],
  ['timestamp-request', 13, 0],
  ['timestamp-reply', 14, 0],
  ['address-mask-request', 17, 0],
  ['address-mask-reply', 18, 0],
);

/** The same of ICMPv6 (RFC 4443, RFC 4861). */
const ICMPV6_NAMES: Names = names(
  ['no-route', 1, 0],
  ['communication-prohibited', 1, 1],
  ['address-unreachable', 1, 3],
  ['port-unreachable', 1, 4],
  ['packet-too-big', 2, 0],
  ['ttl-zero-during-transit', 3, 0],
  ['ttl-zero-during-reassembly', 3, 1],
  ['bad-header', 4, 0],
  ['unknown-header-type', 4, 1],
  ['unknown-option', 4, 2],
  ['echo-request', 128, 0],
  ['ping', 128, 0],
  ['echo-reply', 129, 0],
  ['pong', 129, 0],
  ['router-solicitation', 133, 0],
  ['router-advertisement', 134, 0],
  ['neighbour-solicitation', 135, 0],
  ['neigbour-solicitation', 135, 0],
  ['neighbour-advertisement', 136, 0],
  ['neigbour-advertisement', 136, 0],
  ['redirect', 137, 0],
);

function nameOf(value: number, known: Names): string | undefined {
  for (const [name, word] of known) if (word === value) return name;
  return undefined;
}

/** Ports from one to another of a protocol, both included. */
export interface PortRange {
  readonly proto: number;
  readonly from: number;
  readonly to: number;
}

function onePort(text: string, proto: number): number {
  const name = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (/^\d/.test(name)) return parseNumber(name, 0, 65535);
  const port = servicePort(name, proto);
  if (port === undefined) throw new SetError(`cannot parse '${text}' as a ${protocolName(proto)} port`, text);
  return port;
}

function portsOf(text: string, proto: number): PortRange {
  const [first, last] = cut(text, '-');
  const a = onePort(first, proto);
  const b = last === undefined ? a : onePort(last, proto);
  return { proto, from: Math.min(a, b), to: Math.max(a, b) };
}

function typeAndCode(text: string, proto: number): PortRange {
  const what = proto === IPPROTO_ICMP ? 'ICMP' : 'ICMPv6';
  const known = (proto === IPPROTO_ICMP ? ICMP_NAMES : ICMPV6_NAMES).get(text);
  if (known !== undefined) return { proto, from: known, to: known };
  const [type, code] = text.split('/');
  if (code === undefined) throw new SetError(`cannot parse ${text} as an ${what} type/code`, text);
  const value = (parseNumber(type!, 0, 255) << 8) | parseNumber(code, 0, 255);
  return { proto, from: value, to: value };
}

/** A protocol's number or name. @throws SetError */
function protocolOf(text: string): number {
  if (text === 'icmpv6') return IPPROTO_ICMPV6;
  const proto = /^\d+$/.test(text) ? Number(text) : protocolNumber(text);
  if (proto === undefined || proto > 255) throw new SetError(`cannot parse '${text}' as a protocol`, text);
  if (proto === 0) throw new SetError('invalid protocol specified', text);
  return proto;
}

/**
 * `[proto:]port[-port]` of an element.
 * @param bytes of the set's addresses: ICMP is of IPv4 only, ICMPv6 of IPv6
 * @throws SetError
 */
export function parsePorts(text: string, bytes: number): PortRange {
  const [first, rest] = cut(text, ':');
  if (rest === undefined) return portsOf(first, IPPROTO_TCP);
  const proto = protocolOf(first);
  if (WITH_PORTS.includes(proto)) return portsOf(rest, proto);
  if (proto === IPPROTO_ICMP || proto === IPPROTO_ICMPV6) {
    if ((proto === IPPROTO_ICMP) !== (bytes === 4)) {
      const family = proto === IPPROTO_ICMP ? 'inet' : 'inet6';
      throw new SetError(`protocol ${first} can be used with family ${family} only`, first);
    }
    return typeAndCode(rest, proto);
  }
  if (rest !== '0') throw new SetError(`protocol ${first} can be used with pseudo port value 0 only`, rest);
  return { proto, from: 0, to: 0 };
}

/** `port[-port]` of a bitmap: the protocol only says where to look up names. @throws SetError */
export function parseBitmapPorts(text: string): PortRange {
  const [first, rest] = cut(text, ':');
  if (rest === undefined) return portsOf(first, IPPROTO_TCP);
  const proto = protocolOf(first);
  if (proto !== IPPROTO_TCP && proto !== IPPROTO_UDP)
    throw new SetError(`protocol ${first} cannot be used in a bitmap of ports`, first);
  return portsOf(rest, proto);
}

/** As an element lists it. @param port for ICMP the type and code */
export function portText(proto: number, port: number): string {
  const known = proto === IPPROTO_ICMP ? ICMP_NAMES : proto === IPPROTO_ICMPV6 ? ICMPV6_NAMES : undefined;
  const value = known === undefined ? `${port}` : (nameOf(port, known) ?? `${port >> 8}/${port & 255}`);
  return `${protocolName(proto)}:${value}`;
}
