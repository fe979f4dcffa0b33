import type { Conntrack } from '../conntrack/conntrack.ts';
import { F_DST, F_PORTS, F_SRC, F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import { IPS_MASK } from '../conntrack/status.ts';
import { halves } from '../packet/checksum.ts';
import type { Packet } from '../packet/packet.ts';
import { IPPROTO_TCP } from '../packet/protocols.ts';
import { writable } from '../packet/rewrite.ts';
import { addChange } from './manip-checksum.ts';
import { NF_NAT_MANIP_DST, NF_NAT_MANIP_SRC } from './range.ts';
import { directionOf, isManipulated } from './translate.ts';

/** Where checksum, source and destination stand in an IPv4 header (RFC 791). */
const IP_CHECK = 10;
const IP_SRC = 12;
const IP_DST = 16;
/** Where the checksum stands behind a TCP (RFC 9293) and a UDP header (RFC 768). */
const TCP_CHECK = 16;
const UDP_CHECK = 6;
/** The source port, of both as one word. */
const SOURCE_PORT = 0xffff0000;

/** First word, in the row of a packet's flow, of the tuple that answers it. */
function answerAt(pkt: Packet): number {
  return pkt.flow * ROW_WORDS + (1 - directionOf(pkt)) * 3;
}

/**
 * Where an IPv4 packet goes once its destination is translated.
 * @returns the address as one word
 */
export function translatedDestination(ct: Conntrack, pkt: Packet): number {
  if (!isManipulated(ct, pkt.flow, directionOf(pkt), NF_NAT_MANIP_DST))
    return pkt.view.getInt32(pkt.off + IP_DST);
  return ct.table.words[answerAt(pkt) + F_SRC]!;
}

/**
 * Translates both ends of a whole TCP or UDP packet over IPv4 at once, as {@link translate} does one after the other.
 * The packet moves into bytes of its own.
 * @param pkt of an established flow that no helper follows
 */
export function translatePlain(ct: Conntrack, pkt: Packet): void {
  const w = ct.table.words;
  const answer = answerAt(pkt);
  const dir = directionOf(pkt);
  pkt.status = w[pkt.flow * ROW_WORDS + F_STATUS]! & IPS_MASK;
  writable(pkt);
  const { view, off, l4 } = pkt;
  const isTcp = pkt.proto === IPPROTO_TCP;
  const check = l4 + (isTcp ? TCP_CHECK : UDP_CHECK);
  const back = w[answer + F_PORTS]!;
  const before = view.getInt32(l4);
  let ports = before;
  let change = 0;
  if (isManipulated(ct, pkt.flow, dir, NF_NAT_MANIP_SRC)) {
    const to = w[answer + F_DST]!;
    change += halves(~view.getInt32(off + IP_SRC)) + halves(to);
    view.setInt32(off + IP_SRC, to);
    ports = (ports & ~SOURCE_PORT) | (back << 16);
  }
  if (isManipulated(ct, pkt.flow, dir, NF_NAT_MANIP_DST)) {
    const to = w[answer + F_SRC]!;
    change += halves(~view.getInt32(off + IP_DST)) + halves(to);
    view.setInt32(off + IP_DST, to);
    ports = (ports & SOURCE_PORT) | (back >>> 16);
  }
  addChange(view, off + IP_CHECK, change);
  view.setInt32(l4, ports);
  // No checksum, of UDP only, stays none; one that comes to 0 is written as 0xffff (RFC 768).
  if (!isTcp && view.getUint16(check) === 0) return;
  addChange(view, check, change + halves(~before) + halves(ports));
  if (!isTcp && view.getUint16(check) === 0) view.setUint16(check, 0xffff);
}
