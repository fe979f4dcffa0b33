import { R_IP_LENGTH, R_IP_SHORT, R_IP_VERSION, R_IP6_ADDRESS, R_IP6_HOPOPTS } from '../base/reason.ts';
import { hopOptionsOk } from './hopopts.ts';
import { AF_INET6, because, FRAG_MORE, type Packet } from './packet.ts';
import {
  IPPROTO_AH,
  IPPROTO_DSTOPTS,
  IPPROTO_FRAGMENT,
  IPPROTO_HOPOPTS,
  IPPROTO_NONE,
  IPPROTO_ROUTING,
} from './protocols.ts';

/** Bytes of an IPv6 header. */
export const IPV6_HEADER = 40;

/** Where {@link skipExtensionHeaders} writes what it found. One per caller, reused. */
export class ExtensionWalk {
  /** Protocol behind the extension headers. */
  proto = 0;
  /** Fragment offset in bytes | FRAG_MORE, from the last fragment header met. */
  frag = 0;
  /** First byte of the fragment header, 0 if none was met. */
  fragmentHeader = 0;
}

/** Whether a next-header number is one that Linux steps over in search of the transport header. */
function isExtensionHeader(next: number): boolean {
  return (
    next === IPPROTO_HOPOPTS ||
    next === IPPROTO_ROUTING ||
    next === IPPROTO_FRAGMENT ||
    next === IPPROTO_AH ||
    next === IPPROTO_NONE ||
    next === IPPROTO_DSTOPTS
  );
}

/**
 * Walks IPv6 extension headers (RFC 8200, section 4) the way Linux does when it looks for the transport header:
 * hop-by-hop, routing, destination options, AH and fragment headers are stepped over; a fragment that is not
 * the first ends the walk; "no next header" fails.
 * @param at first byte behind the IPv6 header
 * @param next the IPv6 header's next-header field
 * @returns first byte of the transport header (it may lie past `end`), or -1
 */
export function skipExtensionHeaders(
  view: DataView,
  at: number,
  end: number,
  next: number,
  out: ExtensionWalk,
): number {
  out.frag = 0;
  out.fragmentHeader = 0;
  while (isExtensionHeader(next)) {
    out.proto = next;
    if (next === IPPROTO_NONE || at + 2 > end) return -1;
    let length: number;
    if (next === IPPROTO_FRAGMENT) {
      if (at + 4 > end) return -1;
      const field = view.getUint16(at + 2);
      out.frag = (field & 0xfff8) | (field & 1 ? FRAG_MORE : 0);
      out.fragmentHeader = at;
      if (field >= 8) break;
      length = 8;
    } else if (next === IPPROTO_AH) {
      length = (view.getUint8(at + 1) + 2) << 2;
    } else {
      length = (view.getUint8(at + 1) + 1) << 3;
    }
    next = view.getUint8(at);
    at += length;
  }
  out.proto = next;
  return at;
}

/**
 * Bytes of an IPv6 datagram with its header. Payload length 0 with hop-by-hop options is how jumbograms begin
 * (RFC 2675, section 2): Linux then takes all that is there, whatever the options say (measured).
 * @param off first byte of the IPv6 header
 * @param there bytes from there on
 */
export function ipv6Length(view: DataView, off: number, there: number): number {
  const payload = view.getUint16(off + 4);
  return payload === 0 && view.getUint8(off + 6) === IPPROTO_HOPOPTS ? there : payload + IPV6_HEADER;
}

const walkScratch = new ExtensionWalk();

/**
 * Reads the IPv6 header at `pkt.off`, cuts the packet to its payload length and finds the transport header.
 * A packet in which none can be found keeps `l4 = -1` and is for the tracker to call INVALID.
 * @returns false and a reason if Linux drops it before connection tracking
 */
export function dissectIpv6(pkt: Packet): boolean {
  const { view, off } = pkt;
  const there = pkt.end - off;
  if (there < IPV6_HEADER) return refuse(pkt, R_IP_SHORT);
  const version = view.getUint8(off) >> 4;
  if (version !== 6) return refuse(pkt, R_IP_VERSION, version);
  const total = ipv6Length(view, off, there);
  if (total > there) return refuse(pkt, R_IP_LENGTH, total, there);
  pkt.end = off + total;
  if (impossibleAddress(view, off)) return refuse(pkt, R_IP6_ADDRESS);
  const next = view.getUint8(off + 6);
  if (next === IPPROTO_HOPOPTS && !hopOptionsOk(view, off + IPV6_HEADER, pkt.end))
    return refuse(pkt, R_IP6_HOPOPTS);
  pkt.family = AF_INET6;
  pkt.l4 = skipExtensionHeaders(view, off + IPV6_HEADER, pkt.end, next, walkScratch);
  pkt.proto = walkScratch.proto;
  pkt.frag = walkScratch.frag;
  return true;
}

/** A multicast source, or a multicast destination of reserved or interface-local scope (RFC 4291, section 2.7). */
function impossibleAddress(view: DataView, off: number): boolean {
  return (
    view.getUint8(off + 8) === 0xff ||
    (view.getUint8(off + 24) === 0xff && (view.getUint8(off + 25) & 15) < 2)
  );
}

function refuse(pkt: Packet, reason: number, a = 0, b = 0): false {
  because(pkt, reason, a, b);
  return false;
}
