import { R_LINK_SHORT, R_LINK_UNKNOWN, R_NOT_IP } from '../base/reason.ts';
import { AF_INET, FRAG_MORE, type Packet } from './packet.ts';
import {
  IPPROTO_GRE,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_NONE,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
} from './protocols.ts';
import { icmpText, icmpv6Text } from './text-icmp.ts';
import { endsText, hasPorts, Located, locate, protocolWord } from './text-ip.ts';
import { greText, sctpText, tcpText, udpliteText, udpText } from './text-transport.ts';

const whereScratch = new Located();

/** Whether the link layer found nothing that could be read as IP. */
function isNotIp(reason: number): boolean {
  return reason === R_NOT_IP || reason === R_LINK_SHORT || reason === R_LINK_UNKNOWN;
}

/** Transport header and what can be said of the payload. */
function transportText(view: DataView, w: Located): string {
  const { l4, end, proto } = w;
  const more = w.frag !== 0;
  switch (proto) {
    case IPPROTO_TCP:
      return tcpText(view, l4, end, more);
    case IPPROTO_UDP:
      return udpText(view, l4, end, more);
    case IPPROTO_UDPLITE:
      return udpliteText(view, l4, end, more);
    case IPPROTO_ICMP:
      return icmpText(view, l4, end);
    case IPPROTO_ICMPV6:
      return icmpv6Text(view, l4, end);
    case IPPROTO_SCTP:
      return sctpText(view, l4, end, more);
    case IPPROTO_GRE:
      return greText(view, l4, end, more);
    default:
      return more ? protocolWord(proto) : `${protocolWord(proto)} len ${end - l4}`;
  }
}

/** What is known of a datagram whose transport header was not found. */
function headlessText(w: Located): string {
  if (w.family === AF_INET) return `${protocolWord(w.proto)}, bad IP header length`;
  return w.proto === IPPROTO_NONE ? 'no next header' : 'extension headers cut short';
}

/** A fragment's place: ` frag 1480+512 more` for 512 bytes from byte 1480 on and others behind them. */
function fragmentText(w: Located): string {
  return ` frag ${w.frag & ~7}+${w.end - w.data}${w.frag & FRAG_MORE ? ' more' : ''}`;
}

/**
 * One line about a packet: `10.0.0.1:1000 > 10.1.0.1:80 tcp SYN seq 1 win 64240 len 0`. Shows what there is of a
 * packet that is truncated, malformed or was refused; throws nothing, whatever the bytes.
 * @param pkt after enterLink and dissect, or after tracking
 */
export function packetText(pkt: Packet): string {
  const { view, off, end } = pkt;
  const w = whereScratch;
  if (isNotIp(pkt.reason)) return `${end - off} bytes, not IP`;
  if (!locate(view, off, end, w)) return `${end - off} bytes, no IP header`;
  const later = w.frag > FRAG_MORE;
  const ports = !later && hasPorts(w.proto) && w.l4 >= 0 && w.l4 + 4 <= w.end ? w.l4 : -1;
  const ends = endsText(view, off, w.family, ports);
  if (w.l4 < 0) return `${ends} ${headlessText(w)}`;
  if (later) return `${ends} ${protocolWord(w.proto)}${fragmentText(w)}`;
  const line = `${ends} ${transportText(view, w)}`;
  return w.frag === 0 ? line : line + fragmentText(w);
}
