import type { Conntrack } from '../conntrack/conntrack.ts';
import { ExtensionWalk, IPV6_HEADER, skipExtensionHeaders } from '../packet/ipv6.ts';
import { AF_INET, type Packet } from '../packet/packet.ts';
import {
  IPPROTO_GRE,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
} from '../packet/protocols.ts';
import { isError } from './icmp-error.ts';
import { directionOf, isManipulated } from './translate.ts';

const IPV4_HEADER = 20;
const ICMP_HEADER = 8;
/** Bytes of a transport header that translation may write; of TCP and SCTP less if there is less. */
const LEAST = 8;
const WRITTEN: ReadonlyMap<number, number> = new Map([
  [IPPROTO_TCP, 20],
  [IPPROTO_UDP, LEAST],
  [IPPROTO_UDPLITE, LEAST],
  [IPPROTO_SCTP, 12],
  [IPPROTO_ICMP, LEAST],
  [IPPROTO_ICMPV6, LEAST],
  [IPPROTO_GRE, LEAST],
]);

const walkScratch = new ExtensionWalk();

/** Where the bytes end that a header's translation may write. @param l4 its first byte */
function behind(proto: number, l4: number, end: number): number {
  const most = WRITTEN.get(proto);
  if (most === undefined) return 0;
  return l4 + (l4 + most > end ? LEAST : most);
}

/**
 * How many of a packet's first bytes Linux brings together before it translates one end of it. Fragments that a
 * datagram came in melt into one as far as that goes, and it leaves in others than it came in (measured).
 * @param manip NF_NAT_MANIP_*
 * @returns bytes from the IP header on; 0 if it writes nothing
 */
export function writtenBytes(ct: Conntrack, pkt: Packet, manip: number): number {
  const { off, l4, end, proto } = pkt;
  const isDone = isManipulated(ct, pkt.flow, directionOf(pkt), manip);
  if (!isError(pkt)) return isDone ? behind(proto, l4, end) - off : 0;
  const quote = l4 + ICMP_HEADER;
  const head = quote + (pkt.family === AF_INET ? IPV4_HEADER : IPV6_HEADER);
  return Math.max(head, isDone && head <= end ? behindQuoted(pkt, quote) : 0) - off;
}

function behindQuoted({ view, family, end }: Packet, quote: number): number {
  if (family === AF_INET)
    return behind(view.getUint8(quote + 9), quote + ((view.getUint8(quote) & 15) << 2), end);
  const l4 = skipExtensionHeaders(view, quote + IPV6_HEADER, end, view.getUint8(quote + 6), walkScratch);
  return l4 < 0 ? 0 : behind(walkScratch.proto, l4, end);
}
