import type { Packet } from '../packet/packet.ts';
import { TCP_HEADER, tcpHeaderLength } from '../packet/tcp.ts';
import { SYN_SACK_PERM, SYN_WSCALE, synOptions } from './tcp-options.ts';
import { TCP_LAST_ACK } from './tcp-states.ts';
import * as W from './tcp-words.ts';

/** The other end accepted a SYN that was ignored here: believe both. */
export function resync(w: Int32Array, at: number, dir: number): void {
  const last = w[at + W.W_LAST]!;
  const other = at + W.W_SIDE + (1 - dir) * W.SIDE_WORDS;
  w[other + W.S_END] = w[other + W.S_MAXEND] = w[at + W.W_LAST_END]!;
  w[other + W.S_MAXWIN] = last & W.LAST_WIN || 1;
  w[at + W.W_STATE]! &= ~(W.EXP_CHALLENGE_ACK << 8);
  W.setSide(w, at, 1 - dir, (w[at + W.W_STATE]! >>> 8) & 0xff, (last >>> W.LAST_SCALE_SHIFT) & 15);
  const own = at + W.W_SIDE + dir * W.SIDE_WORDS;
  w.fill(0, own, own + W.SIDE_WORDS);
  // Measured: of what was known of the answering side only "let everything through" stays.
  W.setSide(w, at, dir, W.sideFlags(w, at, dir) & W.SIDE_BE_LIBERAL, 0);
}

/** Notes what a SYN announced that was let through although it did not fit. */
export function noteIgnoredSyn(w: Int32Array, at: number, pkt: Packet, old: number): void {
  const { view, l4 } = pkt;
  const found = synOptions(view, l4 + TCP_HEADER, l4 + tcpHeaderLength(view, l4));
  const flags =
    (found & SYN_WSCALE ? W.SIDE_WSCALE : 0) |
    (found & SYN_SACK_PERM ? W.SIDE_SACK_PERM : 0) |
    // In LAST_ACK the answer may be a challenge ACK, which must not pass for the last one.
    (old === TCP_LAST_ACK ? W.EXP_CHALLENGE_ACK : 0);
  w[at + W.W_STATE] = (w[at + W.W_STATE]! & 0xff) | (flags << 8);
  const scale = found & SYN_WSCALE ? found & 15 : 0;
  w[at + W.W_LAST] = (w[at + W.W_LAST]! & ~(15 << W.LAST_SCALE_SHIFT)) | (scale << W.LAST_SCALE_SHIFT);
}
