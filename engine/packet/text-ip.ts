import { ipv4Text, ipv6Text } from './address.ts';
import { IPV4_HEADER } from './ipv4.ts';
import { ExtensionWalk, IPV6_HEADER, ipv6Length, skipExtensionHeaders } from './ipv6.ts';
import { AF_INET, AF_INET6, AF_UNSPEC, FRAG_MORE } from './packet.ts';
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

/** The protocol in a word: its name, else `proto 50`. */
export function protocolWord(proto: number): string {
  if (proto === IPPROTO_NONE) return 'no next header';
  const name = protocolName(proto);
  return name === 'unknown' ? `proto ${proto}` : name;
}

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

/** The IPv6 address at `at`. */
export function ipv6At(view: DataView, at: number): string {
  return ipv6Text(view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), view.getInt32(at + 12));
}

/**
 * Source and destination of a datagram whose addresses are there: `10.0.0.1:1000 > 10.1.0.1:80`, with brackets
 * around IPv6 addresses that have a port behind them.
 * @param off first byte of the IP header
 * @param ports first byte of the ports, -1 for none
 */
export function endsText(view: DataView, off: number, family: number, ports: number): string {
  if (family === AF_INET) {
    const src = ipv4Text(view.getInt32(off + 12));
    const dst = ipv4Text(view.getInt32(off + 16));
    if (ports < 0) return `${src} > ${dst}`;
    return `${src}:${view.getUint16(ports)} > ${dst}:${view.getUint16(ports + 2)}`;
  }
  const src = ipv6At(view, off + 8);
  const dst = ipv6At(view, off + 24);
  if (ports < 0) return `${src} > ${dst}`;
  return `[${src}]:${view.getUint16(ports)} > [${dst}]:${view.getUint16(ports + 2)}`;
}
