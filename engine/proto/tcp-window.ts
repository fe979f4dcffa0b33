import {
  R_TCP_ACK_OVER,
  R_TCP_ACK_UNDER,
  R_TCP_OVERSHOT,
  R_TCP_SEQ_OVER,
  R_TCP_SEQ_UNDER,
} from '../base/reason.ts';
import { after, before } from '../base/seq.ts';
import { because, type Packet } from '../packet/packet.ts';
import {
  TCP_HEADER,
  TH_ACK,
  TH_FIN,
  TH_RST,
  TH_SYN,
  tcpAck,
  tcpFlags,
  tcpHeaderLength,
  tcpSeq,
  tcpWindow,
} from '../packet/tcp.ts';
import { highestSack, SYN_SACK_PERM, SYN_WSCALE, synOptions } from './tcp-options.ts';
import { INDEX_ACK, TCP_SYN_RECV, TCP_SYN_SENT } from './tcp-states.ts';
import * as W from './tcp-words.ts';

/** In the window. */
export const WINDOW_ACCEPT = 0;
/** Outside, but let through as it is: it may be right and our picture wrong. */
export const WINDOW_IGNORE = 1;
/** Outside: INVALID. */
export const WINDOW_INVALID = 2;

/** An ACK may lag this far behind what the other side sent (measured; larger windows allow more). */
const MAX_ACK_WINDOW = 66000;

/** Sequence number behind a segment: data plus one for SYN and one for FIN. */
export function segmentEnd(pkt: Packet): number {
  const { view, l4 } = pkt;
  const flags = tcpFlags(view, l4);
  const data = pkt.end - l4 - tcpHeaderLength(view, l4);
  return (tcpSeq(view, l4) + data + ((flags & TH_SYN) >> 1) + (flags & TH_FIN)) | 0;
}

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
function initSender(w: Int32Array, at: number, dir: number, pkt: Packet, end: number, win: number): void {
  const sender = at + W.W_SIDE + dir * W.SIDE_WORDS;
  w[sender + W.S_END] = w[sender + W.S_MAXEND] = end;
  w[sender + W.S_MAXWIN] = win === 0 ? 1 : win;
  noteSynOptions(w, at, dir, pkt);
  // RFC 7323 section 2.2: windows are scaled only if both sides offer it.
  const both = W.sideFlags(w, at, 0) & W.sideFlags(w, at, 1) & W.SIDE_WSCALE;
  if (dir === 1 && both === 0) {
    W.setSide(w, at, 0, W.sideFlags(w, at, 0), 0);
    W.setSide(w, at, 1, W.sideFlags(w, at, 1), 0);
  }
}

/** Starts a side in the middle of a connection, from whatever segment came. */
function pickUpSender(w: Int32Array, at: number, dir: number, end: number, sack: number, win: number): void {
  const sender = at + W.W_SIDE + dir * W.SIDE_WORDS;
  const receiver = at + W.W_SIDE + (1 - dir) * W.SIDE_WORDS;
  const scaled = win << W.sideScale(w, at, dir);
  const maxwin = scaled === 0 ? 1 : scaled;
  w[sender + W.S_END] = end;
  w[sender + W.S_MAXWIN] = maxwin;
  w[sender + W.S_MAXEND] = end + maxwin;
  // The other side was not seen yet: its bounds follow what this one acknowledges.
  if (w[receiver + W.S_MAXWIN] === 0) w[receiver + W.S_END] = w[receiver + W.S_MAXEND] = sack;
  // An answer to a keep-alive acknowledges one more than was seen.
  else if (sack === ((w[receiver + W.S_END]! + 1) | 0)) w[receiver + W.S_END] = sack;
}

/**
 * Whether a segment lies in the windows that both sides announced, and if so moves the windows on. After Guido
 * van Rooij, "Real Stateful TCP Packet Filtering in IP Filter" (2001), which the kernel names as its source;
 * bounds and order of the checks as measured on Linux 6.18.
 * @param w the table's words, `at` the first word of the flow's row
 * @param dir direction of the segment
 * @param index INDEX_* of the segment
 * @param liberal nf_conntrack_tcp_be_liberal
 * @returns WINDOW_*; the reason is left in the packet unless it is WINDOW_ACCEPT
 */
export function inWindow(
  w: Int32Array,
  at: number,
  pkt: Packet,
  dir: number,
  index: number,
  liberal: boolean,
): number {
  const { view, l4 } = pkt;
  const flags = tcpFlags(view, l4);
  const sender = at + W.W_SIDE + dir * W.SIDE_WORDS;
  const receiver = at + W.W_SIDE + (1 - dir) * W.SIDE_WORDS;
  const state = w[at + W.W_STATE]! & 0xff;
  const rawWin = tcpWindow(view, l4);
  let seq = tcpSeq(view, l4);
  let end = segmentEnd(pkt);
  let ack = tcpAck(view, l4);
  let sack = ack;
  if ((W.sideFlags(w, at, 1 - dir) & W.SIDE_SACK_PERM) !== 0)
    sack = highestSack(view, l4 + TCP_HEADER, l4 + tcpHeaderLength(view, l4), ack);

  if (w[sender + W.S_MAXWIN] === 0) {
    if ((flags & TH_SYN) !== 0) {
      initSender(w, at, dir, pkt, end, rawWin);
      if ((flags & TH_ACK) === 0) return WINDOW_ACCEPT;
    } else pickUpSender(w, at, dir, end, sack, rawWin);
  } else if (
    (flags & TH_SYN) !== 0 &&
    after(end, w[sender + W.S_END]!) &&
    (state === TCP_SYN_SENT || state === TCP_SYN_RECV)
  ) {
    // The connection starts over with a higher sequence number (RFC 9293 section 3.4.3).
    initSender(w, at, dir, pkt, end, rawWin);
    if (dir === 1 && (flags & TH_ACK) === 0) return WINDOW_ACCEPT;
  }

  // Without ACK, and in a RST that acknowledges 0 as some stacks send it, the field means nothing.
  if ((flags & TH_ACK) === 0 || ((flags & TH_RST) !== 0 && ack === 0)) ack = sack = w[receiver + W.S_END]!;
  // A RST that answers a SYN carries sequence number 0.
  if ((flags & TH_RST) !== 0 && seq === 0 && state === TCP_SYN_SENT) seq = end = w[sender + W.S_END]!;

  const outside = checkBounds(w, at, pkt, dir, seq, end, sack);
  if (outside !== WINDOW_ACCEPT) {
    if (!liberal && (W.sideFlags(w, at, dir) & W.SIDE_BE_LIBERAL) === 0) return outside;
    pkt.reason = 0;
    return WINDOW_ACCEPT;
  }
  const win = (flags & TH_SYN) !== 0 ? rawWin : rawWin << W.sideScale(w, at, dir);
  moveSender(w, at, dir, sender, end, ack, sack, win, (flags & TH_ACK) !== 0);
  moveReceiver(w, at, dir, sender, receiver, end, ack, sack, win);
  if (index === INDEX_ACK) noteRepetition(w, at, dir, seq, ack, end, rawWin);
  return WINDOW_ACCEPT;
}

/** The four bounds: sequence number and acknowledgment, upper and lower. */
function checkBounds(
  w: Int32Array,
  at: number,
  pkt: Packet,
  dir: number,
  seq: number,
  end: number,
  sack: number,
): number {
  const sender = at + W.W_SIDE + dir * W.SIDE_WORDS;
  const receiver = at + W.W_SIDE + (1 - dir) * W.SIDE_WORDS;
  const sentEnd = w[sender + W.S_END]!;
  const maxend = w[sender + W.S_MAXEND]!;
  const seen = w[receiver + W.S_END]!;
  const window = w[receiver + W.S_MAXWIN]!;
  const lag = w[sender + W.S_MAXWIN]! >>> 0 > MAX_ACK_WINDOW ? w[sender + W.S_MAXWIN]! : MAX_ACK_WINDOW;
  const seqFloor = (sentEnd - window - 1) | 0;
  const ackFloor = (seen - lag - 1) | 0;

  if (!before(seq, maxend + 1)) {
    const overshot = (end - maxend + 1) >>> 0;
    if (
      window !== 0 &&
      after(end, seqFloor) &&
      after(sack, ackFloor) &&
      overshot <= window >>> 0 &&
      before(sack, seen + 1)
    ) {
      // Only the sequence number is off: note it, so that the other side's ACK of this data will be believed.
      w[sender + W.S_END] = end;
      W.setSide(w, at, dir, W.sideFlags(w, at, dir) | W.SIDE_UNACKED, W.sideScale(w, at, dir));
      return outside(pkt, WINDOW_IGNORE, R_TCP_OVERSHOT, overshot, seq);
    }
    return outside(pkt, WINDOW_INVALID, R_TCP_SEQ_OVER, maxend + 1, seq);
  }
  if (!before(sack, seen + 1)) return outside(pkt, WINDOW_INVALID, R_TCP_ACK_OVER, seen + 1, sack);
  if (window !== 0 && !after(end, seqFloor))
    return outside(pkt, WINDOW_IGNORE, R_TCP_SEQ_UNDER, seqFloor, end);
  if (!after(sack, ackFloor)) return outside(pkt, WINDOW_IGNORE, R_TCP_ACK_UNDER, ackFloor, sack);
  return WINDOW_ACCEPT;
}

function outside(pkt: Packet, verdict: number, reason: number, bound: number, value: number): number {
  because(pkt, reason, bound >>> 0, value >>> 0);
  return verdict;
}

/** What an accepted segment tells of its sender. */
function moveSender(
  w: Int32Array,
  at: number,
  dir: number,
  sender: number,
  end: number,
  ack: number,
  sack: number,
  win: number,
  hasAck: boolean,
): void {
  const swin = (win + (sack - ack)) >>> 0;
  if (w[sender + W.S_MAXWIN]! >>> 0 < swin) w[sender + W.S_MAXWIN] = swin;
  let flags = W.sideFlags(w, at, dir);
  if (after(end, w[sender + W.S_END]!)) {
    w[sender + W.S_END] = end;
    flags |= W.SIDE_UNACKED;
  }
  if (hasAck && ((flags & W.SIDE_MAXACK_SET) === 0 || after(ack, w[sender + W.S_MAXACK]!))) {
    w[sender + W.S_MAXACK] = ack;
    flags |= W.SIDE_MAXACK_SET;
  }
  W.setSide(w, at, dir, flags, W.sideScale(w, at, dir));
}

/** What an accepted segment allows its receiver. */
function moveReceiver(
  w: Int32Array,
  at: number,
  dir: number,
  sender: number,
  receiver: number,
  end: number,
  ack: number,
  sack: number,
  win: number,
): void {
  const maxend = w[sender + W.S_MAXEND]!;
  if (w[receiver + W.S_MAXWIN] !== 0 && after(end, maxend)) w[receiver + W.S_MAXWIN]! += end - maxend;
  const allowed = (sack + win) | 0;
  if (after(allowed, w[receiver + W.S_MAXEND]! - 1)) w[receiver + W.S_MAXEND] = allowed + (win === 0 ? 1 : 0);
  if (ack === w[receiver + W.S_END]) {
    const other = 1 - dir;
    W.setSide(w, at, other, W.sideFlags(w, at, other) & ~W.SIDE_UNACKED, W.sideScale(w, at, other));
  }
}

/** Counts how often the very same ACK came in a row. */
function noteRepetition(
  w: Int32Array,
  at: number,
  dir: number,
  seq: number,
  ack: number,
  end: number,
  win: number,
): void {
  const last = w[at + W.W_LAST]!;
  if (
    w[at + W.W_LAST_SEQ] === seq &&
    w[at + W.W_LAST_ACK] === ack &&
    w[at + W.W_LAST_END] === end &&
    (last & W.LAST_WIN) === win &&
    ((last >>> W.LAST_DIR_SHIFT) & 1) === dir
  ) {
    w[at + W.W_LAST] = last + (1 << W.LAST_RETRANS_SHIFT);
    return;
  }
  w[at + W.W_LAST_SEQ] = seq;
  w[at + W.W_LAST_ACK] = ack;
  w[at + W.W_LAST_END] = end;
  w[at + W.W_LAST] = (last & 0x00fe0000) | (dir << W.LAST_DIR_SHIFT) | win;
}
