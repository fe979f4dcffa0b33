import { F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import type { HelpCall } from '../conntrack/helper.ts';
import { bookShift, newSeqAdjust } from '../conntrack/seq-adjust.ts';
import { IPS_NAT_MASK, IPS_SEQ_ADJUST } from '../conntrack/status.ts';
import { fold, pseudoSum, sum } from '../packet/checksum.ts';
import { AF_INET, type Packet } from '../packet/packet.ts';
import { IPPROTO_TCP, IPPROTO_UDP } from '../packet/protocols.ts';
import { insertBytes, makeRoom, removeBytes, replaceChecksum, writable } from '../packet/rewrite.ts';

/** The largest datagram; what would be longer is not changed. */
const MOST = 65535;

/** Whether the call's flow is translated, so that addresses in its payload are to be translated too (IPS_NAT_MASK). */
export function isTranslated(call: HelpCall): boolean {
  return (call.conntrack.table.words[call.flow * ROW_WORDS + F_STATUS]! & IPS_NAT_MASK) !== 0;
}

/**
 * Replaces bytes of a TCP packet's payload (nf_nat_mangle_tcp_packet). Lengths and checksums follow; if the length
 * changes, the numbers of all later segments of this direction are shifted. The packet moves into bytes of its own:
 * `pkt.view` and all offsets in it are other ones afterwards.
 * @param at first byte to replace, as an offset in `pkt.view`
 * @param oldLength how many bytes to replace
 * @param bytes what stands there instead
 * @returns false, and nothing changed, if the packet would be too long
 */
export function mangleTcp(call: HelpCall, at: number, oldLength: number, bytes: Uint8Array): boolean {
  const { pkt, ext, dir } = call;
  if (!replacePayload(pkt, at, oldLength, bytes)) return false;
  sumTcp(call);
  const by = bytes.length - oldLength;
  if (by === 0) return true;
  ext.seq ??= newSeqAdjust();
  bookShift(ext.seq[dir]!, pkt.view.getInt32(pkt.l4 + 4), by);
  call.conntrack.table.words[call.flow * ROW_WORDS + F_STATUS]! |= IPS_SEQ_ADJUST;
  return true;
}

/** Replaces bytes of a UDP packet's payload, as {@link mangleTcp} does. A checksum of 0 (none) stays. */
export function mangleUdp({ pkt }: HelpCall, at: number, oldLength: number, bytes: Uint8Array): boolean {
  if (!replacePayload(pkt, at, oldLength, bytes)) return false;
  sumUdp(pkt);
  return true;
}

/** The checksum of a TCP packet after {@link replacePayload}. */
export function sumTcp(call: HelpCall): void {
  const { pkt } = call;
  call.isSummed = true;
  sumTransport(pkt, IPPROTO_TCP, pkt.l4 + 16);
}

/** Length and checksum of a UDP packet after {@link replacePayload}. */
export function sumUdp(pkt: Packet): void {
  pkt.view.setUint16(pkt.l4 + 4, pkt.end - pkt.l4);
  if (pkt.view.getUint16(pkt.l4 + 6) === 0) return;
  sumTransport(pkt, IPPROTO_UDP, pkt.l4 + 6);
}

/**
 * As {@link mangleTcp} and {@link mangleUdp}, for whoever changes many places: only the IP header follows. To be
 * followed by {@link sumTcp} or {@link sumUdp}, and by what is shifted in all.
 */
export function replacePayload(pkt: Packet, at: number, oldLength: number, bytes: Uint8Array): boolean {
  const by = bytes.length - oldLength;
  if (by > 0 && pkt.end - pkt.off + by > MOST) return false;
  const from = at - pkt.off;
  writable(pkt);
  const here = from + pkt.off;
  if (by > 0) {
    makeRoom(pkt, by);
    insertBytes(pkt, here, by);
  } else if (by < 0) removeBytes(pkt, here, -by);
  pkt.bytes.set(bytes, here);
  if (by !== 0) lengthen(pkt, by);
  return true;
}

/** The IP header says how long the packet is. */
function lengthen(pkt: Packet, by: number): void {
  const { view, off } = pkt;
  if (pkt.family !== AF_INET) {
    view.setUint16(off + 4, view.getUint16(off + 4) + by);
    return;
  }
  const before = view.getUint16(off + 2);
  view.setUint16(off + 2, before + by);
  replaceChecksum(view, off + 10, before, before + by);
}

/** Measured: 0 is written as 0xffff, in TCP as in UDP, where alone it would mean that there is none (RFC 768). */
function sumTransport(pkt: Packet, proto: number, at: number): void {
  const { view, l4, end, off, family } = pkt;
  view.setUint16(at, 0);
  const checksum = ~fold(sum(view, l4, end, pseudoSum(view, off, family, proto, end - l4))) & 0xffff;
  view.setUint16(at, checksum === 0 ? 0xffff : checksum);
}
