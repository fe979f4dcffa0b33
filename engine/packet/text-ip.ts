import { type LineWriter, PieceTable, piece } from '../base/line-writer.ts';
import { IPV4_HEADER } from './ipv4.ts';
import { ExtensionWalk, IPV6_HEADER, ipv6Length, skipExtensionHeaders } from './ipv6.ts';
import { AF_INET, AF_INET6, AF_UNSPEC, FRAG_MORE, type Packet } from './packet.ts';
import {
  IPPROTO_DCCP,
  IPPROTO_NONE,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
  protocolName,
} from './protocols.ts';

/** What {@link locate} found out about an IP datagram. One per caller, reused. */
export class Located {
  /** AF_INET, AF_INET6, or AF_UNSPEC if this is no IP header. */
  family: number = AF_UNSPEC;
  /** First byte of the transport header, or -1. */
  l4 = -1;
  /** Transport protocol; for a later fragment of IPv6 what its fragment header names. */
  proto = 0;
  /** Fragment offset in bytes | FRAG_MORE. */
  frag = 0;
  /** First byte of what a fragment carries: behind the IPv4 header or the fragment header. */
  data = 0;
  /** First byte past the datagram, as far as it is there. */
  end = 0;
}

const walkScratch = new ExtensionWalk();

/**
 * Finds its way through an IP header without judging it: a wrong checksum or length is no obstacle, so that a
 * packet that was refused, or is quoted in part, can still be shown.
 * @param end first byte that must not be read
 * @param out told what was found
 * @returns whether both addresses are there
 */
export function locate(view: DataView, off: number, end: number, out: Located): boolean {
  out.family = AF_UNSPEC;
  out.l4 = -1;
  if (off >= end) return false;
  const version = view.getUint8(off) >> 4;
  if (version === 4 && off + IPV4_HEADER <= end) locateIpv4(view, off, end, out);
  else if (version === 6 && off + IPV6_HEADER <= end) locateIpv6(view, off, end, out);
  return out.family !== AF_UNSPEC;
}

/**
 * What {@link locate} finds in a packet, without another search where dissection has found it already.
 * @param pkt after enterLink and dissect, or after tracking
 * @returns whether both addresses are there
 */
export function locatePacket(pkt: Packet, out: Located): boolean {
  // Only a dissection that went well sets `l4`. What fragments carry is not noted in the packet.
  if (pkt.l4 < 0 || pkt.l4 > pkt.end || pkt.frag !== 0) return locate(pkt.view, pkt.off, pkt.end, out);
  out.family = pkt.family;
  out.l4 = pkt.l4;
  out.proto = pkt.proto;
  out.frag = 0;
  out.data = pkt.l4;
  out.end = pkt.end;
  return true;
}

function locateIpv4(view: DataView, off: number, end: number, out: Located): void {
  const header = (view.getUint8(off) & 15) << 2;
  const total = view.getUint16(off + 2);
  const field = view.getUint16(off + 6);
  out.family = AF_INET;
  out.end = total >= header && off + total < end ? off + total : end;
  out.proto = view.getUint8(off + 9);
  out.frag = ((field & 0x1fff) << 3) | (field & 0x2000 ? FRAG_MORE : 0);
  out.l4 = header >= IPV4_HEADER && off + header <= out.end ? off + header : -1;
  out.data = out.l4;
}

function locateIpv6(view: DataView, off: number, end: number, out: Located): void {
  const total = ipv6Length(view, off, end - off);
  out.family = AF_INET6;
  out.end = off + total < end ? off + total : end;
  const l4 = skipExtensionHeaders(view, off + IPV6_HEADER, out.end, view.getUint8(off + 6), walkScratch);
  out.frag = walkScratch.frag;
  out.data = walkScratch.fragmentHeader + 8;
  // The walk stops at the fragment header of a later fragment, whose first byte names the protocol.
  const later = l4 >= 0 && out.frag > FRAG_MORE;
  out.proto = later ? view.getUint8(l4) : walkScratch.proto;
  out.l4 = later ? out.data : l4;
  if (out.l4 > out.end) out.l4 = -1;
}

/** The protocol in a word, a space in front: its name, else ` proto 50`. */
export const PROTOCOL_WORDS: PieceTable = new PieceTable((proto) => {
  if (proto === IPPROTO_NONE) return ' no next header';
  const name = protocolName(proto);
  return name === 'unknown' ? ` proto ${proto}` : ` ${name}`;
});

/** Whether a protocol's header begins with source and destination port. */
export function hasPorts(proto: number): boolean {
  return (
    proto === IPPROTO_TCP ||
    proto === IPPROTO_UDP ||
    proto === IPPROTO_UDPLITE ||
    proto === IPPROTO_SCTP ||
    proto === IPPROTO_DCCP
  );
}

/** Writes the IPv6 address at `at`. */
export function writeIpv6At(out: LineWriter, view: DataView, at: number): void {
  out.ipv6(view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), view.getInt32(at + 12));
}

const TO = piece(' > ');
const BRACKET = piece('[');
const BRACKET_COLON = piece(']:');
const TO_BRACKET = piece(' > [');

/**
 * Writes source and destination of a datagram whose addresses are there: `10.0.0.1:1000 > 10.1.0.1:80`, with
 * brackets around IPv6 addresses that have a port behind them.
 * @param off first byte of the IP header
 * @param ports first byte of the ports, -1 for none
 */
export function writeEnds(out: LineWriter, view: DataView, off: number, family: number, ports: number): void {
  if (family !== AF_INET) {
    writeEnds6(out, view, off, ports);
    return;
  }
  const src = view.getInt32(off + 12);
  const dst = view.getInt32(off + 16);
  if (ports >= 0) {
    out.ipv4Ends(src, view.getUint16(ports), dst, view.getUint16(ports + 2));
    return;
  }
  out.ipv4(src);
  out.piece(TO);
  out.ipv4(dst);
}

function writeEnds6(out: LineWriter, view: DataView, off: number, ports: number): void {
  if (ports < 0) {
    writeIpv6At(out, view, off + 8);
    out.piece(TO);
    writeIpv6At(out, view, off + 24);
    return;
  }
  out.piece(BRACKET);
  writeIpv6At(out, view, off + 8);
  out.field(BRACKET_COLON, view.getUint16(ports));
  out.piece(TO_BRACKET);
  writeIpv6At(out, view, off + 24);
  out.field(BRACKET_COLON, view.getUint16(ports + 2));
}
