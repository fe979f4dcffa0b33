import {
  R_TCP_ACK_OVER,
  R_TCP_ACK_UNDER,
  R_TCP_OVERSHOT,
  R_TCP_SEQ_OVER,
  R_TCP_SEQ_UNDER,
} from '../base/reason.ts';
import { after, before } from '../base/seq.ts';
import { because, type Packet } from '../packet/packet.ts';
import { TCP_HEADER, TH_ACK, TH_RST, TH_SYN, tcpHeaderLength } from '../packet/tcp.ts';
import { highestSack, SYN_SACK_PERM, SYN_WSCALE, synOptions } from './tcp-options.ts';
import type { Segment } from './tcp-segment.ts';
import { INDEX_ACK, TCP_SYN_RECV, TCP_SYN_SENT } from './tcp-states.ts';
import * as W from './tcp-words.ts';

/** In the window. */
export const WINDOW_ACCEPT = 0;
/** Outside, but let through as it is: it may be right and our picture wrong. */
export const WINDOW_IGNORE = 1;
/** Outside: INVALID. */
export const WINDOW_INVALID = 2;

/** An ACK may lag this far behind what the other side sent (measured; larger windows allow more). */
export const MAX_ACK_WINDOW = 66000;

/**
 * Takes over what a SYN's options announce. Of the flags only SIDE_BE_LIBERAL survives; a SYN without any
 * option changes nothing (measured).
 */
export function noteSynOptions(w: Int32Array, at: number, dir: number, pkt: Packet): void {
  const { view, l4 } = pkt;
  if (tcpHeaderLength(view, l4) === TCP_HEADER) return;
  const found = synOptions(view, l4 + TCP_HEADER, l4 + tcpHeaderLength(view, l4));
  const flags =
    (W.sideFlags(w, at, dir) & W.SIDE_BE_LIBERAL) |
    (found & SYN_WSCALE ? W.SIDE_WSCALE : 0) |
    (found & SYN_SACK_PERM ? W.SIDE_SACK_PERM : 0);
  W.setSide(w, at, dir, flags, found & 0xff);
}

/** Starts a side from its SYN or SYN+ACK. */
function initSender(w: Int32Array, at: number, pkt: Packet, s: Segment): void {
  const sender = at + W.W_SIDE + s.dir * W.SIDE_WORDS;
  w[sender + W.S_END] = w[sender + W.S_MAXEND] = s.end;
  w[sender + W.S_MAXWIN] = s.window === 0 ? 1 : s.window;
  noteSynOptions(w, at, s.dir, pkt);
  // RFC 7323 section 2.2: windows are scaled only if both sides offer it.
  const both = W.sideFlags(w, at, 0) & W.sideFlags(w, at, 1) & W.SIDE_WSCALE;
  if (s.dir === 1 && both === 0) {
    W.setSide(w, at, 0, W.sideFlags(w, at, 0), 0);
    W.setSide(w, at, 1, W.sideFlags(w, at, 1), 0);
  }
}

/** Starts a side in the middle of a connection, from whatever segment came. */
function pickUpSender(w: Int32Array, at: number, s: Segment, sack: number): void {
  const sender = at + W.W_SIDE + s.dir * W.SIDE_WORDS;
  const receiver = at + W.W_SIDE + (1 - s.dir) * W.SIDE_WORDS;
  const scaled = s.window << W.sideScale(w, at, s.dir);
  const maxwin = scaled === 0 ? 1 : scaled;
  w[sender + W.S_END] = s.end;
  w[sender + W.S_MAXWIN] = maxwin;
  w[sender + W.S_MAXEND] = s.end + maxwin;
  // The other side was not seen yet: its bounds follow what this one acknowledges.
  if (w[receiver + W.S_MAXWIN] === 0) w[receiver + W.S_END] = w[receiver + W.S_MAXEND] = sack;
  // An answer to a keep-alive acknowledges one more than was seen.
  else if (sack === ((w[receiver + W.S_END]! + 1) | 0)) w[receiver + W.S_END] = sack;
}

/**
 * Starts a side, or starts it over, where a segment calls for it.
 * @returns whether that is all there is to check
 */
function startSide(w: Int32Array, at: number, pkt: Packet, s: Segment, sack: number): boolean {
  const sender = at + W.W_SIDE + s.dir * W.SIDE_WORDS;
  const state = w[at + W.W_STATE]! & 0xff;
  const syn = (s.flags & TH_SYN) !== 0;
  if (w[sender + W.S_MAXWIN] === 0) {
    if (!syn) {
      pickUpSender(w, at, s, sack);
      return false;
    }
    initSender(w, at, pkt, s);
    return (s.flags & TH_ACK) === 0;
  }
  // The connection starts over with a higher sequence number (RFC 9293 section 3.4.3).
  if (!after(s.end, w[sender + W.S_END]!) || (state !== TCP_SYN_SENT && state !== TCP_SYN_RECV)) return false;
  initSender(w, at, pkt, s);
  return s.dir === 1 && (s.flags & TH_ACK) === 0;
}

/**
 * Whether a segment lies in the windows that both sides announced, and if so moves the windows on. After Guido
 * van Rooij, "Real Stateful TCP Packet Filtering in IP Filter" (2001), which the kernel names as its source;
 * bounds and order of the checks as measured on Linux 6.18.
 * @param w the table's words, `at` the first word of the flow's row
 * @param s the segment; where its fields mean nothing they are brought to what is known
 * @param liberal nf_conntrack_tcp_be_liberal
 * @returns WINDOW_*; the reason is left in the packet unless it is WINDOW_ACCEPT
 */
export function inWindow(w: Int32Array, at: number, pkt: Packet, s: Segment, liberal: boolean): number {
  const { dir, flags } = s;
  const sender = at + W.W_SIDE + dir * W.SIDE_WORDS;
  const receiver = at + W.W_SIDE + (1 - dir) * W.SIDE_WORDS;
  let sack = s.ack;
  if ((W.sideFlags(w, at, 1 - dir) & W.SIDE_SACK_PERM) !== 0)
    sack = highestSack(pkt.view, pkt.l4 + TCP_HEADER, pkt.l4 + s.header, s.ack);
  if (s.shift !== 0) {
    s.ack = (s.ack - s.shift) | 0;
    sack = (sack - s.shift) | 0;
  }
  if (w[sender + W.S_MAXWIN] === 0 || (flags & (TH_SYN | TH_RST | TH_ACK)) !== TH_ACK) {
    if ((w[sender + W.S_MAXWIN] === 0 || (flags & TH_SYN) !== 0) && startSide(w, at, pkt, s, sack))
      return WINDOW_ACCEPT;
    sack = fillIn(w, at, s, sack);
  }
  const { seq, end, ack } = s;
  const sentEnd = w[sender + W.S_END]!;
  const maxend = w[sender + W.S_MAXEND]!;
  const ownWindow = w[sender + W.S_MAXWIN]!;
  const seen = w[receiver + W.S_END]!;
  const window = w[receiver + W.S_MAXWIN]!;
  const lag = ownWindow >>> 0 > MAX_ACK_WINDOW ? ownWindow : MAX_ACK_WINDOW;

  // The four bounds: sequence number and acknowledgment, upper and lower. Without `| 0` the first numbers that leave int32
  // have V8 compile all this anew.
  if (
    !before(seq, (maxend + 1) | 0) ||
    !before(sack, (seen + 1) | 0) ||
    (window !== 0 && !after(end, (sentEnd - window - 1) | 0)) ||
    !after(sack, (seen - lag - 1) | 0)
  ) {
    const verdict = misfit(w, at, pkt, s, sack);
    if (!liberal && (W.sideFlags(w, at, dir) & W.SIDE_BE_LIBERAL) === 0) return verdict;
    pkt.reason = 0;
    return WINDOW_ACCEPT;
  }

  // What the segment tells of its sender.
  let sides = w[at + W.W_SIDES]!;
  const shift = dir << 4;
  const win = (flags & TH_SYN) !== 0 ? s.window : s.window << ((sides >>> (shift + 8)) & 0xff);
  const swin = (win + ((sack - ack) | 0)) >>> 0;
  if (ownWindow >>> 0 < swin) w[sender + W.S_MAXWIN] = swin;
  if (after(end, sentEnd)) {
    w[sender + W.S_END] = end;
    sides |= W.SIDE_UNACKED << shift;
  }
  if (
    (flags & TH_ACK) !== 0 &&
    ((sides & (W.SIDE_MAXACK_SET << shift)) === 0 || after(ack, w[sender + W.S_MAXACK]!))
  ) {
    w[sender + W.S_MAXACK] = ack;
    sides |= W.SIDE_MAXACK_SET << shift;
  }

  // What it allows its receiver.
  if (window !== 0 && after(end, maxend)) w[receiver + W.S_MAXWIN] = window + ((end - maxend) | 0);
  const allowed = (sack + win) | 0;
  if (after(allowed, (w[receiver + W.S_MAXEND]! - 1) | 0))
    w[receiver + W.S_MAXEND] = allowed + (win === 0 ? 1 : 0);
  if (ack === seen) sides &= ~(W.SIDE_UNACKED << (16 - shift));
  w[at + W.W_SIDES] = sides;

  if (s.index === INDEX_ACK) noteRepetition(w, at, s);
  return WINDOW_ACCEPT;
}

/** Gives fields that mean nothing in this segment the value that is known. Returns the new `sack`. */
function fillIn(w: Int32Array, at: number, s: Segment, sack: number): number {
  const { dir, flags } = s;
  const rst = (flags & TH_RST) !== 0;
  // A RST that answers a SYN carries sequence number 0.
  if (rst && s.seq === 0 && (w[at + W.W_STATE]! & 0xff) === TCP_SYN_SENT)
    s.seq = s.end = w[at + W.W_SIDE + dir * W.SIDE_WORDS + W.S_END]!;
  // Without ACK, and in a RST that acknowledges 0 as some stacks send it, the field means nothing.
  if ((flags & TH_ACK) !== 0 && !(rst && s.ack === 0)) return sack;
  s.ack = w[at + W.W_SIDE + (1 - dir) * W.SIDE_WORDS + W.S_END]!;
  return s.ack;
}

/** What to do with a segment that is outside, and which bound says so. */
function misfit(w: Int32Array, at: number, pkt: Packet, s: Segment, sack: number): number {
  const sender = at + W.W_SIDE + s.dir * W.SIDE_WORDS;
  const receiver = at + W.W_SIDE + (1 - s.dir) * W.SIDE_WORDS;
  const maxend = w[sender + W.S_MAXEND]!;
  const seen = w[receiver + W.S_END]!;
  const window = w[receiver + W.S_MAXWIN]!;
  const seqFloor = (w[sender + W.S_END]! - window - 1) | 0;
  const own = w[sender + W.S_MAXWIN]! >>> 0;
  const floor = (seen - (own > MAX_ACK_WINDOW ? own : MAX_ACK_WINDOW) - 1) | 0;

  if (!before(s.seq, maxend + 1)) {
    const overshot = (s.end - maxend + 1) >>> 0;
    if (
      window !== 0 &&
      after(s.end, seqFloor) &&
      after(sack, floor) &&
      overshot <= window >>> 0 &&
      before(sack, seen + 1)
    ) {
      // Only the sequence number is off: note it, so that the other side's ACK of this data will be believed.
      w[sender + W.S_END] = s.end;
      W.addSideFlags(w, at, s.dir, W.SIDE_UNACKED);
      return outside(pkt, WINDOW_IGNORE, R_TCP_OVERSHOT, overshot, s.seq);
    }
    return outside(pkt, WINDOW_INVALID, R_TCP_SEQ_OVER, maxend + 1, s.seq);
  }
  if (!before(sack, seen + 1)) return outside(pkt, WINDOW_INVALID, R_TCP_ACK_OVER, seen + 1, sack);
  if (window !== 0 && !after(s.end, seqFloor))
    return outside(pkt, WINDOW_IGNORE, R_TCP_SEQ_UNDER, seqFloor, s.end);
  return outside(pkt, WINDOW_IGNORE, R_TCP_ACK_UNDER, floor, sack);
}

function outside(pkt: Packet, verdict: number, reason: number, bound: number, value: number): number {
  because(pkt, reason, bound >>> 0, value >>> 0);
  return verdict;
}

/** Counts how often the very same ACK came in a row. */
function noteRepetition(w: Int32Array, at: number, s: Segment): void {
  const last = w[at + W.W_LAST]!;
  if (
    w[at + W.W_LAST_SEQ] === s.seq &&
    w[at + W.W_LAST_ACK] === s.ack &&
    w[at + W.W_LAST_END] === s.end &&
    (last & W.LAST_WIN) === s.window &&
    ((last >>> W.LAST_DIR_SHIFT) & 1) === s.dir
  ) {
    w[at + W.W_LAST] = last + (1 << W.LAST_RETRANS_SHIFT);
    return;
  }
  w[at + W.W_LAST_SEQ] = s.seq;
  w[at + W.W_LAST_ACK] = s.ack;
  w[at + W.W_LAST_END] = s.end;
  w[at + W.W_LAST] = (last & 0x00fe0000) | (s.dir << W.LAST_DIR_SHIFT) | s.window;
}
