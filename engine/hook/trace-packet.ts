import type { Host } from '../host/host.ts';
import { findProtocol } from '../nft/proto-table.ts';
import { TRANSPORTS } from '../nft/proto-transport.ts';
import { printConstant } from '../nft/type-print.ts';
import { AF_INET, type Packet } from '../packet/packet.ts';

/** The fields of each header that `nft monitor trace` prints, in its order (measured). */
const PRINTED: Readonly<Record<string, readonly string[]>> = {
  ether: ['saddr', 'daddr'],
  ip: ['saddr', 'daddr', 'dscp', 'ecn', 'ttl', 'id', 'protocol', 'length'],
  ip6: ['saddr', 'daddr', 'dscp', 'ecn', 'hoplimit', 'flowlabel', 'nexthdr', 'length'],
  tcp: ['sport', 'dport', 'flags', 'window'],
  udp: ['sport', 'dport', 'length'],
  udplite: ['sport', 'dport', 'csumcov', 'checksum'],
  dccp: ['sport', 'dport'],
  sctp: ['sport', 'dport', 'vtag'],
  esp: ['spi', 'sequence'],
  ah: ['spi', 'hdrlength', 'nexthdr'],
  icmp: ['type', 'code', 'id', 'sequence'],
  icmpv6: ['type', 'code', 'param-problem'],
};
/** Fields whose name in traces is another one than in rules. */
const NAMES: Readonly<Record<string, string>> = { 'param-problem': 'parameter-problem' };
/** Bytes of the header that are taken for printed, where that is less than all of it. */
const COVERED: Readonly<Record<string, number>> = { dccp: 4, icmp: 8, icmpv6: 8 };
/** How much the kernel tells of a packet: bytes of its network and transport headers. */
const NETWORK_MOST = 40;
const TRANSPORT_MOST = 20;
const ETHERNET_HEADER = 14;
const ARPHRD_ETHER = 1;

/** Bits of a packet as a number. */
function bitsAt(view: DataView, at: number, offset: number, length: number): bigint {
  let value = 0n;
  for (let bit = offset & ~7; bit < offset + length; bit += 8)
    value = (value << 8n) | BigInt(view.getUint8(at + (bit >> 3)));
  const behind = (8 - ((offset + length) & 7)) & 7;
  return (value >> BigInt(behind)) & ((1n << BigInt(length)) - 1n);
}

/** Bytes that no field covers: `@th,64,40 0x68656c6c6f `. */
function rawText(base: string, view: DataView, at: number, from: number, to: number): string {
  if (to <= from) return '';
  const value = bitsAt(view, at, from * 8, (to - from) * 8);
  return `@${base},${from * 8},${(to - from) * 8} 0x${value.toString(16)} `;
}

/**
 * The fields of a header.
 * @param end first byte past what there is of it; a field that is not all there is left out
 * @param without a field that goes without saying
 */
function headerText(name: string, view: DataView, at: number, end: number, without: string): string {
  const header = findProtocol(name);
  let text = '';
  for (const fieldName of PRINTED[name] ?? []) {
    const field = header?.fields.get(fieldName);
    if (field === undefined || fieldName === without || at * 8 + field.offset + field.bits > end * 8)
      continue;
    const raw = bitsAt(view, at, field.offset, field.bits);
    const value = printConstant({ type: field.type, bits: field.bits, value: raw }, {});
    text += `${name} ${NAMES[fieldName] ?? fieldName} ${name === 'tcp' && fieldName === 'flags' ? '== ' : ''}${value} `;
  }
  return text;
}

/** What comes behind the network header. */
function transportText(pkt: Packet, name: string | undefined): string {
  const { view, l4, end } = pkt;
  if (l4 < 0 || l4 >= end || pkt.frag >= 8) return '';
  const there = Math.min(end, l4 + TRANSPORT_MOST);
  if (name === undefined || PRINTED[name] === undefined) return rawText('th', view, l4, 0, there - l4);
  const covered = COVERED[name] ?? (findProtocol(name)?.bits ?? 0) / 8;
  return headerText(name, view, l4, there, '') + rawText('th', view, l4, covered, there - l4);
}

function networkText(pkt: Packet, tableFamily: string): string {
  const { view, off, end, family } = pkt;
  const isIpv4 = family === AF_INET;
  const next = isIpv4 ? view.getUint8(off + 9) : view.getUint8(off + 6);
  const upper = TRANSPORTS.get(next);
  const isKnown = upper !== undefined && PRINTED[upper] !== undefined;
  const name = isIpv4 ? 'ip' : 'ip6';
  // A transport header says by itself which one it is, but in a table of both families nft does not rely on it.
  const without = isKnown && tableFamily === name ? (isIpv4 ? 'protocol' : 'nexthdr') : '';
  const text = headerText(name, view, off, end, without);
  const header = isIpv4 ? (view.getUint8(off) & 15) << 2 : 40;
  const options = isIpv4 ? rawText('nh', view, off, 20, Math.min(header, NETWORK_MOST)) : '';
  return text + options + transportText(pkt, isKnown ? upper : undefined);
}

/**
 * The packet as `nft monitor trace` (1.0.6) describes it, behind `packet: `; ends in a space.
 * @param tableFamily family of the chain's table, as nft names it
 */
export function tracePacket(host: Host, pkt: Packet, tableFamily: string): string {
  let text = '';
  const input = host.device(pkt.ifin);
  const output = host.device(pkt.ifout);
  if (input !== null) text += `iif "${input.name}" `;
  if (output !== null) text += `oif "${output.name}" `;
  const { mac } = pkt;
  if (input !== null && input.type === ARPHRD_ETHER && mac >= 0 && mac + ETHERNET_HEADER <= pkt.end)
    text += headerText('ether', pkt.view, mac, mac + ETHERNET_HEADER, '');
  return text + networkText(pkt, tableFamily);
}
