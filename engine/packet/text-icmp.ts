import { ipv4Text } from './address.ts';
import {
  ICMP_DEST_UNREACH,
  ICMP_FRAG_NEEDED,
  ICMP_HEADER,
  ICMP_REDIRECT,
  icmpCodeName,
  icmpTypeName,
  isIcmpError,
} from './icmp.ts';
import {
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  ICMPV6_PKT_TOOBIG,
  icmpv6CodeName,
  icmpv6TypeName,
  isIcmpv6Error,
  NDISC_NEIGHBOUR_ADVERTISEMENT,
  NDISC_NEIGHBOUR_SOLICITATION,
  NDISC_REDIRECT,
} from './icmpv6.ts';
import { FRAG_MORE } from './packet.ts';
import { IPPROTO_ICMP, IPPROTO_ICMPV6 } from './protocols.ts';
import { endsText, hasPorts, ipv6At, Located, locate, protocolWord } from './text-ip.ts';

/** By type: whether an ICMP message that is no error has an identifier and a sequence number. */
const ICMP_WITH_ID: readonly boolean[] = Array.from(
  { length: 19 },
  (_, type) => type === 0 || type === 8 || type > 12,
);

const quoteScratch = new Located();

/** What an error quotes: ` about 10.0.0.1:33434 > 10.1.0.1:33434 udp`, as far as it is there. */
function quoteText(view: DataView, at: number, end: number): string {
  if (!locate(view, at, end, quoteScratch)) return ' about a packet cut short';
  const { family, proto, l4, frag, end: stop } = quoteScratch;
  const first = l4 >= 0 && frag <= FRAG_MORE;
  const ports = first && hasPorts(proto) && l4 + 4 <= stop ? l4 : -1;
  const line = ` about ${endsText(view, at, family, ports)} ${protocolWord(proto)}`;
  if (!first) return l4 >= 0 ? `${line} frag ${frag & ~7}+` : line;
  if (proto === IPPROTO_ICMP && l4 < stop) return `${line} ${icmpTypeName(view.getUint8(l4))}`;
  if (proto === IPPROTO_ICMPV6 && l4 < stop) return `${line} ${icmpv6TypeName(view.getUint8(l4))}`;
  return line;
}

function idText(view: DataView, l4: number): string {
  return ` id ${view.getUint16(l4 + 4)} seq ${view.getUint16(l4 + 6)}`;
}

/**
 * An ICMP message: `icmp echo request id 7 seq 1`, `icmp time exceeded (11/0) about …`.
 * @param l4 first byte of its header
 * @param end first byte past the message
 */
export function icmpText(view: DataView, l4: number, end: number): string {
  if (l4 + ICMP_HEADER > end) return `icmp cut short (${end - l4} bytes)`;
  const type = view.getUint8(l4);
  const code = view.getUint8(l4 + 1);
  if (ICMP_WITH_ID[type]) return `icmp ${icmpTypeName(type)}${idText(view, l4)}`;
  const line = `icmp ${icmpCodeName(type, code)} (${type}/${code})`;
  if (!isIcmpError(type)) return line;
  const about = quoteText(view, l4 + ICMP_HEADER, end);
  if (type === ICMP_REDIRECT) return `${line} to ${ipv4Text(view.getInt32(l4 + 4))}${about}`;
  const tooBig = type === ICMP_DEST_UNREACH && code === ICMP_FRAG_NEEDED;
  return tooBig ? `${line} mtu ${view.getUint16(l4 + 6)}${about}` : line + about;
}

/** What neighbour discovery is about: the target that follows the header (RFC 4861, sections 4.3 to 4.5). */
function targetText(view: DataView, l4: number, end: number): string {
  const target = l4 + ICMP_HEADER;
  if (target + 16 > end) return ' cut short';
  const text = ipv6At(view, target);
  if (view.getUint8(l4) !== NDISC_REDIRECT) return ` ${text}`;
  return target + 32 > end ? ` to ${text} cut short` : ` to ${text} for ${ipv6At(view, target + 16)}`;
}

/**
 * An ICMPv6 message: `icmpv6 echo request id 7 seq 1`, `icmpv6 neighbour solicitation fe80::1`.
 * @param l4 first byte of its header
 * @param end first byte past the message
 */
export function icmpv6Text(view: DataView, l4: number, end: number): string {
  if (l4 + ICMP_HEADER > end) return `icmpv6 cut short (${end - l4} bytes)`;
  const type = view.getUint8(l4);
  const code = view.getUint8(l4 + 1);
  if (type === ICMPV6_ECHO_REQUEST || type === ICMPV6_ECHO_REPLY) {
    return `icmpv6 ${icmpv6TypeName(type)}${idText(view, l4)}`;
  }
  if (isIcmpv6Error(type)) {
    const mtu = type === ICMPV6_PKT_TOOBIG ? ` mtu ${view.getUint32(l4 + 4)}` : '';
    const line = `icmpv6 ${icmpv6CodeName(type, code)} (${type}/${code})${mtu}`;
    return line + quoteText(view, l4 + ICMP_HEADER, end);
  }
  const line = `icmpv6 ${icmpv6TypeName(type)}`;
  const target =
    type === NDISC_NEIGHBOUR_SOLICITATION ||
    type === NDISC_NEIGHBOUR_ADVERTISEMENT ||
    type === NDISC_REDIRECT;
  return target ? line + targetText(view, l4, end) : `${line} (${type}/${code})`;
}
