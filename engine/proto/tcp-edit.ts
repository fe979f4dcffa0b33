import { TCP_STATE_NAMES } from '../base/tcp-state-names.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import { F_EVENTS, FLAG_SYNPROXY, ROW_WORDS } from '../conntrack/flow-table.ts';
import type { ProtoChange } from '../conntrack/tracker.ts';
import type { Segment } from './tcp-segment.ts';
import { INDEX_ACK } from './tcp-states.ts';
import * as W from './tcp-words.ts';

/**
 * {@link Tracker.edit} of TCP. Measured: a flow that was made with a state alone has no windows; each side's first
 * segment starts them, and what conntrack(8) sends along (SACK_PERM, BE_LIBERAL) lets all through that comes then.
 */
export function editTcp(ct: Conntrack, flow: number, { state, flags = 0, mask = 0 }: ProtoChange): boolean {
  const w = ct.table.words;
  const at = flow * ROW_WORDS;
  if (state !== undefined) {
    if (state < 0 || state >= TCP_STATE_NAMES.length) return false;
    w[at + W.W_STATE] = (w[at + W.W_STATE]! & ~0xff) | state;
  }
  for (let dir = 0; dir < 2; dir++)
    W.setSide(w, at, dir, (W.sideFlags(w, at, dir) & ~mask) | (flags & mask & 0x3f), W.sideScale(w, at, dir));
  return true;
}

/** {@link Tracker.isSane} of TCP: the state is one. */
export function isSaneTcp(w: Int32Array, at: number): boolean {
  return (w[at + W.W_STATE]! & 0xff) < TCP_STATE_NAMES.length;
}

/**
 * Whether a segment that no state has a place for is let through: in SYN_SENT a client behind SYNPROXY may send
 * keep-alives, and every flow that a command made is taken for one of those (measured, conntrack-edit-packets.test.ts).
 */
export function isKeepAlive(w: Int32Array, at: number, { dir, index, seq }: Segment): boolean {
  if ((w[at + F_EVENTS]! & FLAG_SYNPROXY) === 0) return false;
  if (dir !== 0 || index !== INDEX_ACK || W.lastDir(w, at) !== 0) return false;
  return ((w[at + W.W_SIDE + W.S_END]! - 1) | 0) === (seq | 0);
}
