import {
  chunkFlags,
  initiateTag,
  SCTP_CHUNK_FLAG_T,
  SCTP_CID_ABORT,
  SCTP_CID_COOKIE_ECHO,
  SCTP_CID_HEARTBEAT,
  SCTP_CID_HEARTBEAT_ACK,
  SCTP_CID_INIT,
  SCTP_CID_SHUTDOWN_ACK,
  SCTP_CID_SHUTDOWN_COMPLETE,
} from '../packet/sctp.ts';
import { W_HEARTBEAT, W_INITS, W_TAGS } from './sctp-words.ts';

/** What {@link judgeTag} says of a chunk. */
/** The packet's verification tag suits the chunk. */
export const TAG_OK = 0;
/** It does not. */
export const TAG_WRONG = 1;
/** A HEARTBEAT with another tag: noted, but only an answer to it proves that it is honest. */
export const TAG_UNPROVEN = 2;

/**
 * Bits (1 << chunk type) of the chunks that free a packet from the common tag check: these have a check of their
 * own, except SHUTDOWN ACK, which passes with any tag (measured).
 */
export const OWN_TAG_CHECK: number =
  (1 << SCTP_CID_INIT) |
  (1 << SCTP_CID_HEARTBEAT) |
  (1 << SCTP_CID_HEARTBEAT_ACK) |
  (1 << SCTP_CID_ABORT) |
  (1 << SCTP_CID_SHUTDOWN_ACK) |
  (1 << SCTP_CID_COOKIE_ECHO) |
  (1 << SCTP_CID_SHUTDOWN_COMPLETE);

/**
 * Checks the packet's verification tag against the rules for one of its chunks (RFC 9260, section 8.5.1), and
 * lets heartbeats teach or repair the tags that the flow knows.
 * @param w rows of the flow table
 * @param row where the flow's begins
 * @param dir 0 original, 1 reply
 * @param tag the packet's verification tag
 * @param at first byte of the chunk
 * @param strict no other tag is tolerated: the packet has DATA, or an unproven HEARTBEAT already
 * @returns TAG_*
 */
export function judgeTag(
  w: Int32Array,
  row: number,
  dir: number,
  tag: number,
  view: DataView,
  at: number,
  type: number,
  strict: boolean,
): number {
  const mine = w[row + W_TAGS + dir]!;
  switch (type) {
    case SCTP_CID_INIT:
      return tag === 0 ? TAG_OK : TAG_WRONG;
    case SCTP_CID_COOKIE_ECHO:
      return tag === mine ? TAG_OK : TAG_WRONG;
    case SCTP_CID_ABORT:
    case SCTP_CID_SHUTDOWN_COMPLETE: {
      const reflected = (chunkFlags(view, at) & SCTP_CHUNK_FLAG_T) !== 0;
      return tag === (reflected ? w[row + W_TAGS + 1 - dir]! : mine) ? TAG_OK : TAG_WRONG;
    }
    case SCTP_CID_HEARTBEAT:
    case SCTP_CID_HEARTBEAT_ACK:
      if (mine === 0) w[row + W_TAGS + dir] = tag;
      else if (tag === mine) w[row + W_HEARTBEAT] = 0;
      else if (strict) return TAG_WRONG;
      else return type === SCTP_CID_HEARTBEAT ? doubt(w, row, dir) : prove(w, row, dir, tag);
      return TAG_OK;
    default:
      return TAG_OK;
  }
}

/** Notes a HEARTBEAT with another tag: the association may have restarted on another path, unseen from here. */
function doubt(w: Int32Array, row: number, dir: number): number {
  w[row + W_HEARTBEAT] = 1 + dir;
  return TAG_UNPROVEN;
}

/** A HEARTBEAT ACK with another tag: right if it answers such a HEARTBEAT, and then the tags start afresh. */
function prove(w: Int32Array, row: number, dir: number, tag: number): number {
  if (w[row + W_HEARTBEAT] !== 2 - dir) return TAG_WRONG;
  w[row + W_HEARTBEAT] = 0;
  w[row + W_TAGS + dir] = tag;
  w[row + W_TAGS + 1 - dir] = 0;
  return TAG_OK;
}

/**
 * Takes over the tag that an INIT or INIT ACK chunk announces: from now on the other side must send it.
 * @param at first byte of a chunk of at least SCTP_INIT_CHUNK bytes
 * @param first the flow has no state yet
 * @returns false for an INIT ACK that may not: where both sides sent an INIT, a late one must not replace the
 *   tag that the association goes on with (INIT collision, RFC 9260 section 5.2.1)
 */
export function learnTag(
  w: Int32Array,
  row: number,
  dir: number,
  view: DataView,
  at: number,
  type: number,
  first: boolean,
): boolean {
  const own = row + W_INITS + dir;
  const other = row + W_INITS + 1 - dir;
  const theirs = row + W_TAGS + 1 - dir;
  const init = initiateTag(view, at);
  const known = w[theirs]!;
  if (type === SCTP_CID_INIT) {
    // A repeated INIT does not count as another one. Measured: not even if it is the side's first.
    if (first || init !== known) {
      if (w[own] !== 0) w[other] = 0;
      w[own] = 1;
    }
  } else if (init !== known) {
    if (w[other] === 0 ? known !== 0 : w[own] !== 0) return false;
  }
  w[theirs] = init;
  return true;
}
