import {
  R_TCP_CHALLENGE,
  R_TCP_CHECKSUM,
  R_TCP_FLAGS,
  R_TCP_IGNORED,
  R_TCP_INVALID,
  R_TCP_KILLED,
  R_TCP_NEW,
  R_TCP_NOT_LOOSE,
  R_TCP_REOPENED,
  R_TCP_RST,
  R_TCP_SHORT,
  R_TCP_TRUNCATED,
} from '../base/reason.ts';
import { before } from '../base/seq.ts';
import { TCP_STATE_NAMES } from '../base/tcp-state-names.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import { IPCT_ASSURED, IPCT_PROTOINFO } from '../conntrack/events.ts';
import { F_ID, F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import { seqOffset } from '../conntrack/seq-adjust.ts';
import type { Settings } from '../conntrack/settings.ts';
import {
  IPS_ASSURED,
  IPS_CONFIRMED,
  IPS_FIXED_TIMEOUT,
  IPS_SEEN_REPLY,
  IPS_SEQ_ADJUST,
} from '../conntrack/status.ts';
import { TRACK_ACCEPT, TRACK_INVALID, TRACK_REPEAT, type Tracker } from '../conntrack/tracker.ts';
import { swapPorts } from '../conntrack/tuple.ts';
import { transportChecksumOk } from '../packet/checksum.ts';
import { because, CHECKSUM_UNNECESSARY, CHECKSUM_WRONG, type Packet } from '../packet/packet.ts';
import { IPPROTO_TCP } from '../packet/protocols.ts';
import { TCP_HEADER, tcpFlags, tcpHeaderLength } from '../packet/tcp.ts';
import { portTuple } from './ports.ts';
import { editTcp, isKeepAlive, isSaneTcp } from './tcp-edit.ts';
import { noteIgnoredSyn, resync } from './tcp-ignored.ts';
import { TcpLimits } from './tcp-predict.ts';
import { readSegment, Segment } from './tcp-segment.ts';
import * as X from './tcp-states.ts';
import { inWindow, noteSynOptions, WINDOW_ACCEPT, WINDOW_INVALID } from './tcp-window.ts';
import * as W from './tcp-words.ts';
import { POLICY_RETRANS, POLICY_UNACK, policyOf, policyTime } from './timeout-policy.ts';

/** Sysctl of each state's timeout, by state number. NONE is never waited in. */
const TIMEOUTS: readonly string[] = [
  'syn_sent',
  'syn_sent',
  'syn_recv',
  'established',
  'fin_wait',
  'close_wait',
  'last_ack',
  'time_wait',
  'close',
];
/** No sysctl sets this one (measured with syn_sent from 1 to 500 s). In ms. */
const SYN_SENT2_TIMEOUT = 120_000;
/** A RST or FIN that got no believable answer does not shorten a timer that has less than this left (ms). */
const SHRINK_FLOOR = 120_000;

/** Steps of a decision: go on to the window check, skip it, or be done with a TRACK_* value. */
const CHECK_WINDOW = -1;
const SKIP_WINDOW = -2;

/**
 * TCP as Linux 6.18 tracks it: the state table, the windows of both sides, and what it lets pass although the
 * table or the windows say no, because the two ends may know better.
 */
export class TcpTracker implements Tracker {
  readonly name = 'tcp';
  readonly error = null;
  readonly tuple: typeof portTuple = portTuple;
  readonly invert: typeof swapPorts = swapPorts;
  readonly edit: typeof editTcp = editTcp;
  readonly isSane: typeof isSaneTcp = isSaneTcp;
  /** Shared with {@link predicted}. */
  readonly limits: TcpLimits = new TcpLimits();
  private loose = true;
  private liberal = false;
  private ignoreInvalidRst = false;
  private checksum = true;
  /** The segment at hand. */
  private readonly segment = new Segment();
  /** Timeouts of the segment's flow where a rule gave it some. */
  private policy: Float64Array | null = null;
  /** State before the segment, and the one that {@link decide} found for it. */
  private old = 0;
  private next = 0;

  configure(settings: Settings): void {
    const { limits } = this;
    for (const [state, name] of TIMEOUTS.entries())
      limits.timeouts[state] = settings.millis(`nf_conntrack_tcp_timeout_${name}`);
    limits.timeouts[X.TCP_SYN_SENT2] = SYN_SENT2_TIMEOUT;
    limits.retrans = settings.millis('nf_conntrack_tcp_timeout_max_retrans');
    limits.unacked = settings.millis('nf_conntrack_tcp_timeout_unacknowledged');
    limits.maxRetrans = settings.get('nf_conntrack_tcp_max_retrans');
    this.loose = settings.get('nf_conntrack_tcp_loose') !== 0;
    this.liberal = settings.get('nf_conntrack_tcp_be_liberal') !== 0;
    this.ignoreInvalidRst = settings.get('nf_conntrack_tcp_ignore_invalid_rst') !== 0;
    this.checksum = settings.get('nf_conntrack_checksum') !== 0;
  }

  state(ct: Conntrack, flow: number): string {
    return TCP_STATE_NAMES[ct.table.words[flow * ROW_WORDS + W.W_STATE]! & 0xff]!;
  }

  packet(ct: Conntrack, pkt: Packet, flow: number, dir: number): number {
    const s = this.segment;
    if (!this.sound(pkt)) return TRACK_INVALID;
    readSegment(pkt, dir, s);
    const w = ct.table.words;
    const at = flow * ROW_WORDS;
    const status = w[at + F_STATUS]!;
    if ((status & IPS_CONFIRMED) === 0 && !this.open(w, at, pkt, s)) return TRACK_INVALID;
    this.policy = policyOf(ct, flow, status);
    if ((status & IPS_SEQ_ADJUST) !== 0) s.shift = shiftOf(ct, flow, s);
    this.old = w[at + W.W_STATE]! & 0xff;
    this.next = X.nextState(dir, s.index, this.old);
    // Most segments leave an established connection established: nothing to decide.
    const decision = this.next === X.TCP_ESTABLISHED ? CHECK_WINDOW : this.decide(ct, w, at, pkt, s);
    if (decision >= 0) return decision;
    if (decision === CHECK_WINDOW) {
      const verdict = inWindow(w, at, pkt, s, this.liberal);
      if (verdict === WINDOW_INVALID) {
        this.shrink(ct, w, flow, s);
        return TRACK_INVALID;
      }
      if (verdict !== WINDOW_ACCEPT) return TRACK_ACCEPT;
    }
    return this.advance(ct, w, flow, pkt, s);
  }

  /** Header, checksum and flags, in the kernel's order. */
  private sound(pkt: Packet): boolean {
    const { view, l4, end } = pkt;
    if (l4 + TCP_HEADER > end) return refuse(pkt, R_TCP_SHORT);
    const header = tcpHeaderLength(view, l4);
    if (header < TCP_HEADER || l4 + header > end) return refuse(pkt, R_TCP_TRUNCATED);
    if (
      this.checksum &&
      pkt.checksum !== CHECKSUM_UNNECESSARY &&
      (pkt.checksum === CHECKSUM_WRONG ||
        !transportChecksumOk(view, pkt.off, pkt.family, IPPROTO_TCP, l4, end))
    )
      return refuse(pkt, R_TCP_CHECKSUM);
    const flags = tcpFlags(view, l4);
    return X.flagsValid(flags) || refuse(pkt, R_TCP_FLAGS, flags);
  }

  /** The first packet of a flow: fills its words, or says that it cannot start one. */
  private open(w: Int32Array, at: number, pkt: Packet, s: Segment): boolean {
    const state = X.nextState(0, s.index, X.TCP_NONE);
    if (state >= X.TCP_INVALID) return refuse(pkt, R_TCP_NEW, s.flags);
    const picked = state !== X.TCP_SYN_SENT;
    if (picked && !this.loose) return refuse(pkt, R_TCP_NOT_LOOSE);
    W.noteLast(w, at, 0, X.INDEX_NONE);
    const window = s.window || 1;
    w[at + W.W_SIDE + W.S_END] = s.end;
    w[at + W.W_SIDE + W.S_MAXWIN] = window;
    if (picked) {
      // In the middle of a connection nothing is known of scaling, so nothing can be out of a window.
      w[at + W.W_SIDE + W.S_MAXEND] = s.end + window;
      W.setSide(w, at, 0, W.SIDE_SACK_PERM | W.SIDE_BE_LIBERAL, 0);
      W.setSide(w, at, 1, W.SIDE_SACK_PERM | W.SIDE_BE_LIBERAL, 0);
    } else {
      w[at + W.W_SIDE + W.S_MAXEND] = s.end;
      noteSynOptions(w, at, 0, pkt);
    }
    return true;
  }

  /** What the state table's answer means for this packet: TRACK_* or a step. */
  private decide(ct: Conntrack, w: Int32Array, at: number, pkt: Packet, s: Segment): number {
    switch (this.next) {
      case X.TCP_SYN_SENT:
        if (this.old < X.TCP_TIME_WAIT) return CHECK_WINDOW;
        if (this.mayReopen(w, at, s.dir)) return this.reopen(ct, w, at, pkt);
        return this.ignore(w, at, pkt, s);
      case X.TCP_IGNORE:
        return this.ignore(w, at, pkt, s);
      case X.TCP_INVALID:
        if (this.old === X.TCP_SYN_SENT && isKeepAlive(w, at, s)) return TRACK_ACCEPT;
        because(pkt, R_TCP_INVALID, s.index, s.dir, this.old);
        return TRACK_INVALID;
      case X.TCP_TIME_WAIT:
        return this.challengeAck(w, at, pkt, s);
      case X.TCP_SYN_SENT2:
        w[at + W.W_STATE]! |= W.SIMULTANEOUS_OPEN << 8;
        return CHECK_WINDOW;
      case X.TCP_SYN_RECV:
        if (s.dir === 1 && s.index === X.INDEX_ACK && (w[at + W.W_STATE]! & (W.SIMULTANEOUS_OPEN << 8)) !== 0)
          this.next = X.TCP_ESTABLISHED;
        return CHECK_WINDOW;
      case X.TCP_CLOSE:
        return s.index === X.INDEX_RST ? this.reset(w, at, pkt, s) : CHECK_WINDOW;
      default:
        return CHECK_WINDOW;
    }
  }

  /** A SYN may open a closed flow anew if it was closed by FIN, or the sender's RST was the last thing seen. */
  private mayReopen(w: Int32Array, at: number, dir: number): boolean {
    const closed = (W.sideFlags(w, at, 0) | W.sideFlags(w, at, 1)) & W.SIDE_CLOSE_INIT;
    return closed !== 0 || (W.lastDir(w, at) === dir && W.lastIndex(w, at) === X.INDEX_RST);
  }

  private reopen(ct: Conntrack, w: Int32Array, at: number, pkt: Packet): number {
    because(pkt, R_TCP_REOPENED, w[at + F_ID]!);
    ct.kill(at / ROW_WORDS, R_TCP_REOPENED);
    return TRACK_REPEAT;
  }

  /**
   * Lets a packet pass that does not fit: the entry may be out of step with the two ends. Notes what it
   * announced, so that the other end's answer can bring the entry back into step.
   */
  private ignore(w: Int32Array, at: number, pkt: Packet, s: Segment): number {
    const { dir, index } = s;
    if (
      index === X.INDEX_SYNACK &&
      W.lastIndex(w, at) === X.INDEX_SYN &&
      W.lastDir(w, at) !== dir &&
      s.ack === w[at + W.W_LAST_END]
    ) {
      resync(w, at, dir);
      // Measured: the new state is announced even if it was SYN_RECV before.
      this.old = X.TCP_SYN_SENT;
      this.next = X.TCP_SYN_RECV;
      return CHECK_WINDOW;
    }
    W.noteLast(w, at, dir, index);
    w[at + W.W_LAST_SEQ] = s.seq;
    w[at + W.W_LAST_END] = s.end;
    w[at + W.W_LAST] = (w[at + W.W_LAST]! & ~W.LAST_WIN) | s.window;
    if (index === X.INDEX_SYN && dir === 0) noteIgnoredSyn(w, at, pkt, this.old);
    // Possibly a challenge ACK that answers a SYN (RFC 5961 section 4).
    if (this.old === X.TCP_SYN_SENT && index === X.INDEX_ACK && dir === 1) w[at + W.W_LAST_ACK] = s.ack;
    because(pkt, R_TCP_IGNORED, index, dir, this.old);
    return TRACK_ACCEPT;
  }

  private challengeAck(w: Int32Array, at: number, pkt: Packet, s: Segment): number {
    const expected = W.EXP_CHALLENGE_ACK << 8;
    if (
      this.old !== X.TCP_LAST_ACK ||
      s.index !== X.INDEX_ACK ||
      W.lastDir(w, at) === s.dir ||
      W.lastIndex(w, at) !== X.INDEX_SYN ||
      (w[at + W.W_STATE]! & expected) === 0
    )
      return CHECK_WINDOW;
    w[at + W.W_STATE]! &= ~expected;
    because(pkt, R_TCP_CHALLENGE);
    return TRACK_ACCEPT;
  }

  /** A RST: does it close, is it forged, or may it provoke a challenge ACK (RFC 5961 section 3)? */
  private reset(w: Int32Array, at: number, pkt: Packet, s: Segment): number {
    const { old } = this;
    const { dir, seq } = s;
    // A closing flow may be gone any moment, its port in use again: what was noted proves nothing.
    if (old >= X.TCP_FIN_WAIT && old <= X.TCP_CLOSE) return SKIP_WINDOW;
    const status = w[at + F_STATUS]!;
    const lastIndex = W.lastIndex(w, at);
    const established = old === X.TCP_ESTABLISHED && (status & IPS_ASSURED) !== 0;
    if ((W.sideFlags(w, at, 1 - dir) & W.SIDE_MAXACK_SET) !== 0 && lastIndex !== X.INDEX_SYN) {
      const highestAck = w[at + W.W_SIDE + (1 - dir) * W.SIDE_WORDS + W.S_MAXACK]!;
      // Sequence number 0 answers a SYN that was let through.
      if (seq === 0 && !established) return CHECK_WINDOW;
      if (before(seq, highestAck) && !this.ignoreInvalidRst) {
        because(pkt, R_TCP_RST, seq >>> 0, highestAck >>> 0);
        return TRACK_INVALID;
      }
      if (!established || seq === highestAck) return CHECK_WINDOW;
      // Directly behind the sender's last segment.
      if (lastIndex === X.INDEX_ACK && W.lastDir(w, at) === dir && seq === w[at + W.W_LAST_END])
        return CHECK_WINDOW;
      this.next = old;
    }
    return this.answersIgnored(w, at, s) ? SKIP_WINDOW : CHECK_WINDOW;
  }

  /** Whether a RST answers a SYN or ACK that was let through although it did not fit. */
  private answersIgnored(w: Int32Array, at: number, s: Segment): boolean {
    const status = w[at + F_STATUS]!;
    const lastIndex = W.lastIndex(w, at);
    const afterSyn =
      (status & IPS_SEEN_REPLY) !== 0 && lastIndex === X.INDEX_SYN && W.lastDir(w, at) !== s.dir;
    const afterAck = (status & IPS_ASSURED) === 0 && lastIndex === X.INDEX_ACK;
    if ((afterSyn || afterAck) && s.ack === w[at + W.W_LAST_END]) return true;
    return (
      this.old === X.TCP_SYN_SENT &&
      lastIndex === X.INDEX_ACK &&
      W.lastDir(w, at) === 1 &&
      s.seq === w[at + W.W_LAST_ACK]
    );
  }

  /**
   * A FIN or RST outside the window, answered by another: the entry and the two ends are out of step, so it
   * need not live for days.
   */
  private shrink(ct: Conntrack, w: Int32Array, flow: number, s: Segment): void {
    const { dir, index } = s;
    const at = flow * ROW_WORDS;
    const status = w[at + F_STATUS]!;
    if ((status & IPS_ASSURED) === 0 || (status & IPS_FIXED_TIMEOUT) !== 0) return;
    if (index !== X.INDEX_RST && index !== X.INDEX_FIN) return;
    const last = W.lastIndex(w, at);
    if (W.lastDir(w, at) === dir || (last !== X.INDEX_FIN && last !== X.INDEX_RST)) {
      W.noteLast(w, at, dir, index);
      return;
    }
    const left = ct.left(flow);
    const unacked = policyTime(this.policy, POLICY_UNACK, this.limits.unacked);
    if (left < SHRINK_FLOOR || left <= unacked) return;
    ct.setTimeout(flow, unacked);
  }

  /** The packet is in step: new state, new timer. */
  private advance(ct: Conntrack, w: Int32Array, flow: number, pkt: Packet, s: Segment): number {
    const { dir, index } = s;
    const { old, next } = this;
    const at = flow * ROW_WORDS;
    W.noteLast(w, at, dir, index);
    w[at + W.W_STATE] = (w[at + W.W_STATE]! & ~0xff) | next;
    if (old !== next) {
      ct.cacheEvent(flow, IPCT_PROTOINFO);
      if (next === X.TCP_FIN_WAIT) W.addSideFlags(w, at, dir, W.SIDE_CLOSE_INIT);
    }
    let timeout = this.timeoutOf(w, at, index, next);
    const status = w[at + F_STATUS]!;
    if ((status & IPS_SEEN_REPLY) === 0) {
      if (index === X.INDEX_RST) {
        ct.account(flow, pkt, dir);
        because(pkt, R_TCP_KILLED);
        ct.kill(flow, R_TCP_KILLED);
        return TRACK_ACCEPT;
      }
      // A repeated SYN does not keep the entry alive: the port may be in use by another client meanwhile.
      if (index === X.INDEX_SYN && old === X.TCP_SYN_SENT) return TRACK_ACCEPT;
      const unacked = policyTime(this.policy, POLICY_UNACK, this.limits.unacked);
      if (next === X.TCP_ESTABLISHED && timeout > unacked) timeout = unacked;
    } else if (
      (status & IPS_ASSURED) === 0 &&
      next === X.TCP_ESTABLISHED &&
      (old === X.TCP_SYN_RECV || old === X.TCP_ESTABLISHED)
    ) {
      w[at + F_STATUS] = status | IPS_ASSURED;
      ct.cacheEvent(flow, IPCT_ASSURED);
    }
    ct.refresh(flow, pkt, dir, timeout);
    return TRACK_ACCEPT;
  }

  /** The timer (ms) that a packet leaves behind. */
  private timeoutOf(w: Int32Array, at: number, index: number, next: number): number {
    const { policy, limits } = this;
    const timeout = policyTime(policy, next, this.limits.timeouts[next]!);
    const retrans = policyTime(policy, POLICY_RETRANS, limits.retrans);
    const last = w[at + W.W_LAST]!;
    if (last >>> W.LAST_RETRANS_SHIFT >= limits.maxRetrans && timeout > retrans) return retrans;
    if (index === X.INDEX_RST) return policyTime(policy, X.TCP_CLOSE, this.limits.timeouts[X.TCP_CLOSE]!);
    const unacked = policyTime(policy, POLICY_UNACK, limits.unacked);
    const isUnacked = (W.sideFlags(w, at, 0) | W.sideFlags(w, at, 1)) & W.SIDE_UNACKED;
    if (isUnacked !== 0 && timeout > unacked) return unacked;
    if ((last & W.LAST_WIN) === 0 && timeout > retrans) return retrans;
    return timeout;
  }
}

/** By how much what a segment acknowledges is shifted: the last byte of it counts (measured). */
function shiftOf(ct: Conntrack, flow: number, { dir, ack }: Segment): number {
  const adjust = ct.extension(flow)?.seq;
  return adjust == null ? 0 : seqOffset(adjust[1 - dir]!, (ack - 1) | 0);
}

function refuse(pkt: Packet, reason: number, a = 0): false {
  because(pkt, reason, a);
  return false;
}
