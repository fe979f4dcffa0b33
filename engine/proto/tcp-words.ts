import { F_PROTO } from '../conntrack/flow-table.ts';

/** Words of a TCP flow, from the start of its row. */
/** State | what the last ignored SYN announced << 8 (SIDE_* bits, EXP_CHALLENGE_ACK, SIMULTANEOUS_OPEN). */
export const W_STATE: number = F_PROTO;
/** Flags of the original side | its scale << 8 | flags of the reply side << 16 | its scale << 24. */
export const W_SIDES: number = F_PROTO + 1;
/** First word of the original side; the reply side's follow SIDE_WORDS later. */
export const W_SIDE: number = F_PROTO + 2;
/** Sequence number of the last segment noted. */
export const W_LAST_SEQ: number = F_PROTO + 10;
/** Its acknowledgment number. */
export const W_LAST_ACK: number = F_PROTO + 11;
/** Sequence number behind it. */
export const W_LAST_END: number = F_PROTO + 12;
/** Its window, direction, index, an ignored SYN's scale, and how often it was repeated: see LAST_*. */
export const W_LAST: number = F_PROTO + 13;

/** Words of one side. */
export const SIDE_WORDS = 4;
/** td_end: sequence number behind the highest that the side sent. */
export const S_END = 0;
/** td_maxend: sequence number that the side may send up to (ack + window of the other). */
export const S_MAXEND = 1;
/** td_maxwin: largest window that the side announced, scaled. */
export const S_MAXWIN = 2;
/** td_maxack: highest acknowledgment number that the side sent. */
export const S_MAXACK = 3;

/** The side announced window scaling. */
export const SIDE_WSCALE = 0x01;
/** The side announced SACK. */
export const SIDE_SACK_PERM = 0x02;
/** The side sent the first FIN. */
export const SIDE_CLOSE_INIT = 0x04;
/** Windows of this side are unknown: let everything through. */
export const SIDE_BE_LIBERAL = 0x08;
/** The side sent data that was not acknowledged yet. */
export const SIDE_UNACKED = 0x10;
/** S_MAXACK holds a value. */
export const SIDE_MAXACK_SET = 0x20;
/** Of the last ignored SYN: the answer may be a challenge ACK (RFC 5961). */
export const EXP_CHALLENGE_ACK = 0x40;
/** Both sides sent a SYN. */
export const SIMULTANEOUS_OPEN = 0x80;

/** W_LAST: window in the low 16 bits. */
export const LAST_WIN = 0xffff;
/** W_LAST: direction. */
export const LAST_DIR_SHIFT = 16;
/** W_LAST: index, three bits. */
export const LAST_INDEX_SHIFT = 17;
/** W_LAST: scale of an ignored SYN, four bits. */
export const LAST_SCALE_SHIFT = 20;
/** W_LAST: repetitions, eight bits, wrapping like the kernel's. */
export const LAST_RETRANS_SHIFT = 24;

/** Flags (SIDE_*) of a side. */
export function sideFlags(w: Int32Array, at: number, dir: number): number {
  return (w[at + W_SIDES]! >>> (dir << 4)) & 0xff;
}

/** Window scale of a side. */
export function sideScale(w: Int32Array, at: number, dir: number): number {
  return (w[at + W_SIDES]! >>> ((dir << 4) + 8)) & 0xff;
}

/** Sets flags and scale of a side. */
export function setSide(w: Int32Array, at: number, dir: number, flags: number, scale: number): void {
  const shift = dir << 4;
  w[at + W_SIDES] = (w[at + W_SIDES]! & ~(0xffff << shift)) | ((flags | (scale << 8)) << shift);
}

/** Adds to the flags of a side. */
export function addSideFlags(w: Int32Array, at: number, dir: number, flags: number): void {
  w[at + W_SIDES]! |= flags << (dir << 4);
}

/** Direction of the last segment noted. */
export function lastDir(w: Int32Array, at: number): number {
  return (w[at + W_LAST]! >>> LAST_DIR_SHIFT) & 1;
}

/** Index of the last segment noted. */
export function lastIndex(w: Int32Array, at: number): number {
  return (w[at + W_LAST]! >>> LAST_INDEX_SHIFT) & 7;
}

/** Notes direction and index of a segment. */
export function noteLast(w: Int32Array, at: number, dir: number, index: number): void {
  w[at + W_LAST] =
    (w[at + W_LAST]! & ~(0xf << LAST_DIR_SHIFT)) | (dir << LAST_DIR_SHIFT) | (index << LAST_INDEX_SHIFT);
}
