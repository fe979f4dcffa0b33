import { after, before } from '../base/seq.ts';
import type { Packet } from '../packet/packet.ts';
import { replaceChecksum, writable } from '../packet/rewrite.ts';

/** How far the sequence numbers of one direction are shifted (nf_ct_seqadj): by `before` up to a place, then by `after`. */
export interface SeqShift {
  /** Sequence number, as the sender counts, where the last change of length was. */
  place: number;
  before: number;
  after: number;
}

/** Both directions: original, reply. */
export type SeqAdjust = readonly [SeqShift, SeqShift];

/** Nothing shifted yet. */
export function newSeqAdjust(): SeqAdjust {
  return [
    { place: 0, before: 0, after: 0 },
    { place: 0, before: 0, after: 0 },
  ];
}

/**
 * Books a change of a payload's length (nf_ct_seqadj_set). A change at a place that was changed already is a
 * retransmission and counts once.
 * @param seq of the segment whose length changed, as its sender counts
 * @param by how many bytes longer it is
 */
export function bookShift(shift: SeqShift, seq: number, by: number): void {
  if (shift.before !== shift.after && !before(shift.place, seq)) return;
  shift.place = seq;
  shift.before = shift.after;
  shift.after += by;
}

/** By how much a sequence number is shifted (nf_ct_seq_offset). @param seq as its sender counts */
export function seqOffset(shift: SeqShift, seq: number): number {
  return after(seq, shift.place) ? shift.after : shift.before;
}

/** By how much what acknowledges a shifted number is. @param ack as its sender, who saw shifted numbers, counts */
function ackOffset(shift: SeqShift, ack: number): number {
  return after((ack - shift.before) | 0, shift.place) ? shift.after : shift.before;
}

/**
 * Brings the numbers of a TCP segment to what its receiver counts (nf_ct_seq_adjust): sequence number, acknowledgement,
 * SACK blocks.
 * @param dir its direction: 0 original, 1 reply
 * @returns false if its options are malformed
 */
export function adjustSegment(pkt: Packet, adjust: SeqAdjust, dir: number): boolean {
  if (pkt.l4 + 20 > pkt.end) return false;
  const own = adjust[dir]!;
  const other = adjust[1 - dir]!;
  const seq = pkt.view.getInt32(pkt.l4 + 4);
  const ack = pkt.view.getInt32(pkt.l4 + 8);
  const seqBy = seqOffset(own, seq);
  const ackBy = isAck(pkt) ? ackOffset(other, ack) : 0;
  writable(pkt);
  replaceWord(pkt, pkt.l4 + 4, seq + seqBy);
  if (isAck(pkt)) {
    replaceWord(pkt, pkt.l4 + 8, ack - ackBy);
    return adjustSacks(pkt, other);
  }
  return true;
}

function isAck(pkt: Packet): boolean {
  return (pkt.view.getUint8(pkt.l4 + 13) & 0x10) !== 0;
}

/** Changes a word of the TCP header, and the checksum with it. */
function replaceWord(pkt: Packet, at: number, to: number): void {
  const from = pkt.view.getInt32(at);
  replaceChecksum(pkt.view, pkt.l4 + 16, from, to | 0);
  pkt.view.setInt32(at, to);
}

function adjustSacks(pkt: Packet, other: SeqShift): boolean {
  const end = pkt.l4 + (pkt.view.getUint8(pkt.l4 + 12) >>> 4) * 4;
  if (end > pkt.end) return false;
  let at = pkt.l4 + 20;
  while (at < end) {
    const kind = pkt.view.getUint8(at);
    if (kind === 0) return true;
    if (kind === 1) {
      at++;
      continue;
    }
    if (at + 2 > end) return false;
    const length = pkt.view.getUint8(at + 1);
    if (length < 2 || at + length > end) return false;
    if (kind === 5 && length >= 10 && (length - 2) % 8 === 0)
      for (let edge = at + 2; edge < at + length; edge += 4) {
        const place = pkt.view.getInt32(edge);
        replaceWord(pkt, edge, place - ackOffset(other, place));
      }
    at += length;
  }
  return true;
}
