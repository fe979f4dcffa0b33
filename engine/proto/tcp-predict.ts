import { TCP_STATE_NAMES } from '../base/tcp-state-names.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import { IPCT_ASSURED, IPCT_PROTOINFO } from '../conntrack/events.ts';
import { F_EVENTS, F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import { IPS_ASSURED, IPS_CONFIRMED, IPS_DYING, IPS_SEEN_REPLY } from '../conntrack/status.ts';
import type { Packet } from '../packet/packet.ts';
import { TCP_HEADER, TH_ACK, TH_FIN, TH_PUSH } from '../packet/tcp.ts';
import { ONLY_TIMESTAMP } from './tcp-options.ts';
import {
  INDEX_ACK,
  INDEX_FIN,
  nextState,
  TCP_ESTABLISHED,
  TCP_FIN_WAIT,
  TCP_SYN_RECV,
  TCP_TIME_WAIT,
} from './tcp-states.ts';
import { MAX_ACK_WINDOW } from './tcp-window.ts';
import * as W from './tcp-words.ts';

/** What a segment of a connection that both sides agreed to needs of the sysctls; times in ms. */
export class TcpLimits {
  /** Timeout of each state. A plain array: what comes out of a Float64Array is boxed when handed on. */
  readonly timeouts: number[] = TCP_STATE_NAMES.map(() => 0);
  retrans = 0;
  unacked = 0;
  maxRetrans = 3;
}

/** A flow of which both sides were heard, in the table and not about to leave it. */
const SETTLED: number = IPS_SEEN_REPLY | IPS_CONFIRMED;
/** A TCP header with the timestamp option and two NOPs. */
const WITH_TIMESTAMP = 32;
/** Of W_LAST, what an ignored SYN left. */
const LAST_SCALE = 0xf << W.LAST_SCALE_SHIFT;

/**
 * Header prediction (Van Jacobson, 1990) for tracking: most segments carry ACK, perhaps PSH or FIN, no option but the
 * timestamp, and lie inside the windows of a connection that both sides agreed to. They change a few words of its row.
 * Such a segment is tracked here without a further call; of any other nothing is touched, and the tracker goes its whole
 * way. Both ways leave the same behind: see inWindow and TcpTracker, which have the reasons.
 * @param pkt a whole header is there, its transport checksum was verified
 * @returns whether the segment was tracked; events may be cached, as {@link TcpTracker.packet} leaves them
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: in pieces it takes a third more time (measured)
export function predicted(ct: Conntrack, limits: TcpLimits, pkt: Packet, flow: number, dir: number): boolean {
  const { view, l4, end } = pkt;
  const word = view.getInt32(l4 + 12);
  const header = (word >>> 28) << 2;
  const flags = (word >>> 16) & 0xff;
  if ((flags & ~(TH_PUSH | TH_FIN)) !== TH_ACK || l4 + header > end) return false;
  if (
    header !== TCP_HEADER &&
    (header !== WITH_TIMESTAMP || view.getInt32(l4 + TCP_HEADER) !== ONLY_TIMESTAMP)
  )
    return false;
  const w = ct.table.words;
  const at = flow * ROW_WORDS;
  const status = w[at + F_STATUS]!;
  // More than the state stands in its word where a SYN was let through that did not fit.
  const old = w[at + W.W_STATE]!;
  if ((status & (SETTLED | IPS_DYING)) !== SETTLED || old < TCP_SYN_RECV || old > TCP_TIME_WAIT) return false;
  const index = (flags & TH_FIN) === 0 ? INDEX_ACK : INDEX_FIN;
  // Nearly always nothing changes: no need to look it up.
  const next = old === TCP_ESTABLISHED && index === INDEX_ACK ? old : nextState(dir, index, old);
  if (next < TCP_ESTABLISHED || next > TCP_TIME_WAIT) return false;

  const seq = view.getInt32(l4 + 4);
  const ack = view.getInt32(l4 + 8);
  const stop = (seq + (end - l4 - header) + (flags & TH_FIN)) | 0;
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
  if (index === INDEX_FIN) last &= ~(1 << W.LAST_DIR_SHIFT);
  else if (
    w[at + W.W_LAST_SEQ] === seq &&
    w[at + W.W_LAST_ACK] === ack &&
    w[at + W.W_LAST_END] === stop &&
    (last & (W.LAST_WIN | (1 << W.LAST_DIR_SHIFT))) === (raw | from)
  ) {
    last += 1 << W.LAST_RETRANS_SHIFT;
  } else {
    w[at + W.W_LAST_SEQ] = seq;
    w[at + W.W_LAST_ACK] = ack;
    w[at + W.W_LAST_END] = stop;
    last = (last & LAST_SCALE) | raw;
  }
  last = (last & ~(7 << W.LAST_INDEX_SHIFT)) | from | (index << W.LAST_INDEX_SHIFT);
  w[at + W.W_LAST] = last;

  if (old !== next || (status & IPS_ASSURED) === 0) turn(w, at, dir, next);

  let timeout = limits.timeouts[next]!;
  if (last >>> W.LAST_RETRANS_SHIFT >= limits.maxRetrans && timeout > limits.retrans)
    timeout = limits.retrans;
  else if (((sides | (sides >>> 16)) & W.SIDE_UNACKED) !== 0 && timeout > limits.unacked)
    timeout = limits.unacked;
  else if ((last & W.LAST_WIN) === 0 && timeout > limits.retrans) timeout = limits.retrans;
  ct.refresh(flow, pkt, dir, timeout);
  return true;
}

/** A connection comes to another state, or is heard from for the first time since both sides agreed to it. */
function turn(w: Int32Array, at: number, dir: number, next: number): void {
  const old = w[at + W.W_STATE]!;
  if (old !== next) {
    w[at + W.W_STATE] = next;
    w[at + F_EVENTS]! |= IPCT_PROTOINFO;
    if (next === TCP_FIN_WAIT) W.addSideFlags(w, at, dir, W.SIDE_CLOSE_INIT);
  }
  if ((w[at + F_STATUS]! & IPS_ASSURED) !== 0 || next !== TCP_ESTABLISHED) return;
  w[at + F_STATUS]! |= IPS_ASSURED;
  w[at + F_EVENTS]! |= IPCT_ASSURED;
}
