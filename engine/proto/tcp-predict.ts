import type { Conntrack } from '../conntrack/conntrack.ts';
import { EVENT_BITS, F_EVENTS, F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import { IPS_ASSURED, IPS_CONFIRMED, IPS_DYING, IPS_SEEN_REPLY } from '../conntrack/status.ts';
import type { Packet } from '../packet/packet.ts';
import { TCP_HEADER, TH_ACK, TH_PUSH } from '../packet/tcp.ts';
import { ONLY_TIMESTAMP } from './tcp-options.ts';
import { INDEX_ACK, TCP_ESTABLISHED } from './tcp-states.ts';
import { MAX_ACK_WINDOW } from './tcp-window.ts';
import * as W from './tcp-words.ts';

/** What a segment of an established connection needs of the sysctls; times in ms. */
export class TcpLimits {
  established = 0;
  retrans = 0;
  unacked = 0;
  maxRetrans = 3;
}

/** A connection in full swing: both sides were heard, it is in the table and not about to leave it. */
const SETTLED: number = IPS_SEEN_REPLY | IPS_ASSURED | IPS_CONFIRMED;
/** A TCP header with the timestamp option and two NOPs. */
const WITH_TIMESTAMP = 32;
/** Of W_LAST, what an ignored SYN left. */
const LAST_SCALE = 0xf << W.LAST_SCALE_SHIFT;

/**
 * Header prediction (Van Jacobson, 1990) for tracking: most segments carry ACK, perhaps PSH, no option but the
 * timestamp, and lie inside the windows of an established connection. They change a few words of its row, and no
 * state. Such a segment is tracked here without a further call; of any other nothing is touched, and the tracker
 * goes its whole way. Both ways leave the same behind: see inWindow and TcpTracker, which have the reasons.
 * @param pkt a whole header is there, its transport checksum was verified
 * @returns whether the segment was tracked
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: in pieces it takes a third more time (measured)
export function predicted(ct: Conntrack, limits: TcpLimits, pkt: Packet, flow: number, dir: number): boolean {
  const { view, l4, end } = pkt;
  const word = view.getInt32(l4 + 12);
  const header = (word >>> 28) << 2;
  if (((word >>> 16) & 0xff & ~TH_PUSH) !== TH_ACK || l4 + header > end) return false;
  if (
    header !== TCP_HEADER &&
    (header !== WITH_TIMESTAMP || view.getInt32(l4 + TCP_HEADER) !== ONLY_TIMESTAMP)
  )
    return false;
  const w = ct.table.words;
  const at = flow * ROW_WORDS;
  if ((w[at + F_STATUS]! & (SETTLED | IPS_DYING)) !== SETTLED) return false;
  if ((w[at + W.W_STATE]! & 0xff) !== TCP_ESTABLISHED || (w[at + F_EVENTS]! & EVENT_BITS) !== 0) return false;

  const seq = view.getInt32(l4 + 4);
  const ack = view.getInt32(l4 + 8);
  const stop = (seq + (end - l4 - header)) | 0;
  const raw = word & 0xffff;
  const sender = at + W.W_SIDE + dir * W.SIDE_WORDS;
  const receiver = at + W.W_SIDE + (1 - dir) * W.SIDE_WORDS;
  const sentEnd = w[sender + W.S_END]!;
  const maxend = w[sender + W.S_MAXEND]!;
  const ownWindow = w[sender + W.S_MAXWIN]!;
  const seen = w[receiver + W.S_END]!;
  const window = w[receiver + W.S_MAXWIN]!;
  const lag = ownWindow >>> 0 > MAX_ACK_WINDOW ? ownWindow : MAX_ACK_WINDOW;
  if (ownWindow === 0 || window === 0) return false;
  // The four bounds.
  if (((seq - maxend - 1) | 0) >= 0 || ((ack - seen - 1) | 0) >= 0) return false;
  if (((sentEnd - window - 1 - stop) | 0) >= 0 || ((seen - lag - 1 - ack) | 0) >= 0) return false;

  let sides = w[at + W.W_SIDES]!;
  const shift = dir << 4;
  const win = raw << ((sides >>> (shift + 8)) & 0xff);
  if (ownWindow >>> 0 < win >>> 0) w[sender + W.S_MAXWIN] = win;
  if (((sentEnd - stop) | 0) < 0) {
    w[sender + W.S_END] = stop;
    sides |= W.SIDE_UNACKED << shift;
  }
  if ((sides & (W.SIDE_MAXACK_SET << shift)) === 0 || ((w[sender + W.S_MAXACK]! - ack) | 0) < 0) {
    w[sender + W.S_MAXACK] = ack;
    sides |= W.SIDE_MAXACK_SET << shift;
  }
  if (((maxend - stop) | 0) < 0) w[receiver + W.S_MAXWIN] = window + ((stop - maxend) | 0);
  const allowed = (ack + win) | 0;
  if (((w[receiver + W.S_MAXEND]! - 1 - allowed) | 0) < 0)
    w[receiver + W.S_MAXEND] = allowed + (win === 0 ? 1 : 0);
  if (ack === seen) sides &= ~(W.SIDE_UNACKED << (16 - shift));
  w[at + W.W_SIDES] = sides;

  let last = w[at + W.W_LAST]!;
  const from = dir << W.LAST_DIR_SHIFT;
  if (
    w[at + W.W_LAST_SEQ] === seq &&
    w[at + W.W_LAST_ACK] === ack &&
    w[at + W.W_LAST_END] === stop &&
    (last & (W.LAST_WIN | (1 << W.LAST_DIR_SHIFT))) === (raw | from)
  ) {
    last = (last + (1 << W.LAST_RETRANS_SHIFT)) & ~(7 << W.LAST_INDEX_SHIFT);
  } else {
    w[at + W.W_LAST_SEQ] = seq;
    w[at + W.W_LAST_ACK] = ack;
    w[at + W.W_LAST_END] = stop;
    last = (last & LAST_SCALE) | from | raw;
  }
  last |= INDEX_ACK << W.LAST_INDEX_SHIFT;
  w[at + W.W_LAST] = last;

  let timeout = limits.established;
  if (last >>> W.LAST_RETRANS_SHIFT >= limits.maxRetrans && timeout > limits.retrans)
    timeout = limits.retrans;
  else if (((sides | (sides >>> 16)) & W.SIDE_UNACKED) !== 0 && timeout > limits.unacked)
    timeout = limits.unacked;
  else if (raw === 0 && timeout > limits.retrans) timeout = limits.retrans;
  ct.refresh(flow, pkt, dir, timeout);
  return true;
}
