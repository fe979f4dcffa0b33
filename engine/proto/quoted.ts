import { R_ICMP_OUTER, R_ICMP_QUOTE, R_ICMP_UNKNOWN, R_ICMP6_OUTER } from '../base/reason.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import { F_DST, ROW_WORDS } from '../conntrack/flow-table.ts';
import { NO_ANSWER, TRACK_ACCEPT, TRACK_INVALID } from '../conntrack/tracker.ts';
import { T_DST, T_KIND, T_PORTS, T_SRC, T_ZONE, TUPLE_WORDS, type Tuple } from '../conntrack/tuple.ts';
import { ExtensionWalk, IPV6_HEADER, skipExtensionHeaders } from '../packet/ipv6.ts';
import { AF_INET, because, IP_CT_RELATED, IP_CT_RELATED_REPLY, type Packet } from '../packet/packet.ts';

const IPV4_HEADER = 20;
const IPV4_OFFSET_MASK = 0x1fff;

const tupleScratch: Tuple = new Int32Array(TUPLE_WORDS);
const walkScratch = new ExtensionWalk();

/** Transport offset of a quoted packet, or -1; its protocol is left in `walkScratch`. */
function quotedTransport(view: DataView, off: number, end: number, family: number): number {
  if (family !== AF_INET) {
    if (off + IPV6_HEADER > end) return -1;
    const l4 = skipExtensionHeaders(view, off + IPV6_HEADER, end, view.getUint8(off + 6), walkScratch);
    return walkScratch.frag >= 8 ? -1 : l4;
  }
  if (off + IPV4_HEADER > end) return -1;
  // Only a later fragment, which has no transport header, cannot be looked up. Version, checksum and length
  // of the quoted header are not looked at (measured).
  if ((view.getUint16(off + 6) & IPV4_OFFSET_MASK) !== 0) return -1;
  const l4 = off + ((view.getUint8(off) & 15) << 2);
  walkScratch.proto = view.getUint8(off + 9);
  return l4 > end ? -1 : l4;
}

/**
 * An ICMP or ICMPv6 error: RELATED to the flow of the packet that it quotes, in the direction in which the
 * error travels. It neither makes nor confirms nor refreshes anything.
 * @param quote first byte of the quoted IP header
 * @returns TRACK_ACCEPT or TRACK_INVALID with the reason in the packet
 */
export function trackQuoted(ct: Conntrack, pkt: Packet, quote: number): number {
  const { view, end, family } = pkt;
  const t = tupleScratch;
  const l4 = quotedTransport(view, quote, end, family);
  const proto = walkScratch.proto;
  if (l4 < 0 || !ct.tupleOf(view, quote, family, l4, end, proto, t)) return invalid(pkt, R_ICMP_QUOTE);
  const answer = ct.tracker(proto).invert(t[T_PORTS]!);
  if (answer === NO_ANSWER) return invalid(pkt, R_ICMP_QUOTE);
  const src = t[T_SRC]!;
  t[T_SRC] = t[T_DST]!;
  t[T_DST] = src;
  t[T_PORTS] = answer;
  t[T_KIND] = proto | (family << 8);
  t[T_ZONE] = pkt.zone;
  const hit = ct.lookUp(t);
  if (hit === 0) return invalid(pkt, R_ICMP_UNKNOWN);
  const flow = hit >> 1;
  const dir = hit & 1;
  const outer = family === AF_INET ? view.getInt32(pkt.off + 16) : ct.pool.find(view, pkt.off + 24);
  // The tuple found leads to the quoted sender, and so must the error itself.
  const inner = ct.table.words[flow * ROW_WORDS + F_DST + dir * 3]!;
  if (outer !== inner) {
    because(pkt, family === AF_INET ? R_ICMP_OUTER : R_ICMP6_OUTER, outer, inner);
    return TRACK_INVALID;
  }
  pkt.flow = flow;
  pkt.ctinfo = dir === 0 ? IP_CT_RELATED : IP_CT_RELATED_REPLY;
  return TRACK_ACCEPT;
}

function invalid(pkt: Packet, reason: number): number {
  because(pkt, reason);
  return TRACK_INVALID;
}
