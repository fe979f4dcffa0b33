import { LINE_ROOM, LineWriter, piece } from '../base/line-writer.ts';
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
import { writeIcmp, writeIcmpv6 } from './text-icmp.ts';
import { hasPorts, Located, locatePacket, PROTOCOL_WORDS, writeEnds } from './text-ip.ts';
import { writeGre, writeSctp, writeTcp, writeUdp, writeUdplite } from './text-transport.ts';

const NOT_IP = piece(' bytes, not IP');
const NO_HEADER = piece(' bytes, no IP header');
const BAD_HEADER = piece(', bad IP header length');
const NO_NEXT_HEADER = piece(' no next header');
const EXTENSIONS_SHORT = piece(' extension headers cut short');
const LEN = piece(' len ');
const FRAGMENT = piece(' frag ');
const MORE = piece(' more');
const PLUS = 0x2b;

const whereScratch = new Located();

/** Whether the link layer found nothing that could be read as IP. */
function isNotIp(reason: number): boolean {
  return reason === R_NOT_IP || reason === R_LINK_SHORT || reason === R_LINK_UNKNOWN;
}

/** Transport header and what can be said of the payload, a space in front. */
function writeTransport(out: LineWriter, view: DataView, w: Located): void {
  const { l4, end, proto } = w;
  const more = w.frag !== 0;
  switch (proto) {
    case IPPROTO_TCP:
      writeTcp(out, view, l4, end, more);
      break;
    case IPPROTO_UDP:
      writeUdp(out, view, l4, end, more);
      break;
    case IPPROTO_UDPLITE:
      writeUdplite(out, view, l4, end, more);
      break;
    case IPPROTO_ICMP:
      writeIcmp(out, view, l4, end);
      break;
    case IPPROTO_ICMPV6:
      writeIcmpv6(out, view, l4, end);
      break;
    case IPPROTO_SCTP:
      writeSctp(out, view, l4, end, more);
      break;
    case IPPROTO_GRE:
      writeGre(out, view, l4, end, more);
      break;
    default:
      out.piece(PROTOCOL_WORDS.of(proto));
      if (more) return;
      out.field(LEN, end - l4);
  }
}

/** What is known of a datagram whose transport header was not found. */
function writeHeadless(out: LineWriter, w: Located): void {
  if (w.family === AF_INET) {
    out.piece(PROTOCOL_WORDS.of(w.proto));
    out.piece(BAD_HEADER);
  } else out.piece(w.proto === IPPROTO_NONE ? NO_NEXT_HEADER : EXTENSIONS_SHORT);
}

/** A fragment's place: ` frag 1480+512 more` for 512 bytes from byte 1480 on and others behind them. */
function writeFragment(out: LineWriter, w: Located): void {
  out.field(FRAGMENT, w.frag & ~7);
  out.byte(PLUS);
  out.uint(w.end - w.data);
  if (w.frag & FRAG_MORE) out.piece(MORE);
}

/**
 * Writes about a packet: `10.0.0.1:1000 > 10.1.0.1:80 tcp SYN seq 1 win 64240 len 0`. Shows what there is of a
 * packet that is truncated, malformed or was refused; throws nothing, whatever the bytes.
 * @param out with {@link LINE_ROOM}
 * @param pkt after enterLink and dissect, or after tracking
 */
export function writePacket(out: LineWriter, pkt: Packet): void {
  const { view, off, end } = pkt;
  const w = whereScratch;
  const notIp = isNotIp(pkt.reason);
  if (notIp || !locatePacket(pkt, w)) {
    out.uint(end - off);
    out.piece(notIp ? NOT_IP : NO_HEADER);
    return;
  }
  const { l4, frag } = w;
  const later = frag > FRAG_MORE;
  const ports = !later && hasPorts(w.proto) && l4 >= 0 && l4 + 4 <= w.end ? l4 : -1;
  writeEnds(out, view, off, w.family, ports);
  if (l4 < 0) {
    writeHeadless(out, w);
    return;
  }
  if (later) out.piece(PROTOCOL_WORDS.of(w.proto));
  else writeTransport(out, view, w);
  if (frag !== 0) writeFragment(out, w);
}

const lineScratch = new LineWriter();

/** What {@link writePacket} writes, as text. */
export function packetText(pkt: Packet): string {
  lineScratch.at = 0;
  lineScratch.room(LINE_ROOM);
  writePacket(lineScratch, pkt);
  return lineScratch.toString();
}
