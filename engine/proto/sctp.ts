import {
  R_SCTP_CHUNKS,
  R_SCTP_COLLISION,
  R_SCTP_CRC,
  R_SCTP_EMPTY,
  R_SCTP_HEARTBEAT,
  R_SCTP_INIT_CLOSED,
  R_SCTP_INIT_SHORT,
  R_SCTP_INVALID,
  R_SCTP_NEW,
  R_SCTP_SHORT,
  R_SCTP_TAG,
  R_SCTP_VTAG,
} from '../base/reason.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import { IPCT_ASSURED, IPCT_PROTOINFO } from '../conntrack/events.ts';
import { F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import type { Settings } from '../conntrack/settings.ts';
import { IPS_ASSURED, IPS_CONFIRMED } from '../conntrack/status.ts';
import { TRACK_ACCEPT, TRACK_INVALID, type Tracker } from '../conntrack/tracker.ts';
import { swapPorts } from '../conntrack/tuple.ts';
import { sctpCrc } from '../packet/checksum.ts';
import { because, CHECKSUM_UNNECESSARY, type Packet } from '../packet/packet.ts';
import {
  chunkLength,
  chunkType,
  nextChunk,
  SCTP_CHUNK_HEADER,
  SCTP_CID_COOKIE_ACK,
  SCTP_CID_COOKIE_ECHO,
  SCTP_CID_DATA,
  SCTP_CID_HEARTBEAT,
  SCTP_CID_INIT,
  SCTP_CID_INIT_ACK,
  SCTP_CID_SHUTDOWN_ACK,
  SCTP_CID_SHUTDOWN_COMPLETE,
  SCTP_HEADER,
  SCTP_INIT_CHUNK,
  sctpChecksum,
  sctpVtag,
} from '../packet/sctp.ts';
import { portTuple } from './ports.ts';
import { editSctp, isSaneSctp } from './sctp-edit.ts';
import {
  nextSctpState,
  SCTP_CLOSED,
  SCTP_ESTABLISHED,
  SCTP_INVALID,
  SCTP_NONE,
  SCTP_STATE_NAMES,
  SCTP_TIMEOUTS,
} from './sctp-states.ts';
import { judgeTag, learnTag, OWN_TAG_CHECK, TAG_UNPROVEN, TAG_WRONG } from './sctp-tags.ts';
import { W_INITS, W_STATE, W_TAGS } from './sctp-words.ts';

const DATA_BIT = 1 << SCTP_CID_DATA;

/** SCTP (RFC 9260) as Linux tracks it: chunks, verification tags, states. No sequence numbers. */
export class SctpTracker implements Tracker {
  readonly name = 'sctp';
  readonly error = null;
  readonly tuple: typeof portTuple = portTuple;
  readonly invert: typeof swapPorts = swapPorts;
  readonly edit: typeof editSctp = editSctp;
  readonly isSane: typeof isSaneSctp = isSaneSctp;
  private checksum = true;
  /** Milliseconds by state. */
  private readonly timeouts = new Float64Array(SCTP_TIMEOUTS.length);

  configure(settings: Settings): void {
    this.checksum = settings.get('nf_conntrack_checksum') !== 0;
    SCTP_TIMEOUTS.forEach((name, state) => {
      if (name !== '') this.timeouts[state] = settings.millis(name);
    });
  }

  state(ct: Conntrack, flow: number): string {
    return SCTP_STATE_NAMES[ct.table.words[flow * ROW_WORDS + W_STATE]!]!;
  }

  packet(ct: Conntrack, pkt: Packet, flow: number, dir: number): number {
    const { view, l4, end } = pkt;
    const w = ct.table.words;
    const row = flow * ROW_WORDS;
    if (end - l4 < SCTP_HEADER) return invalid(pkt, R_SCTP_SHORT);
    if (
      this.checksum &&
      pkt.checksum !== CHECKSUM_UNNECESSARY &&
      sctpCrc(view, l4, end) !== sctpChecksum(view, l4)
    )
      return invalid(pkt, R_SCTP_CRC);
    const seen = basicChecks(pkt);
    if (seen < 0) return TRACK_INVALID;
    if ((w[row + F_STATUS]! & IPS_CONFIRMED) === 0 && !opens(w, row, pkt)) return TRACK_INVALID;
    const tag = sctpVtag(view, l4);
    const expected = w[row + W_TAGS + dir]!;
    if ((seen & OWN_TAG_CHECK) === 0 && tag !== expected)
      return invalid(pkt, R_SCTP_VTAG, tag >>> 0, expected >>> 0, dir);
    return this.walk(ct, pkt, flow, dir, (seen & DATA_BIT) !== 0);
  }

  /**
   * Lets each chunk step the flow. What the chunks before an INVALID one did is not undone (measured), so the
   * row is written as we go.
   * @param data the packet has a DATA chunk
   */
  private walk(ct: Conntrack, pkt: Packet, flow: number, dir: number, data: boolean): number {
    const { view, l4, end } = pkt;
    const w = ct.table.words;
    const row = flow * ROW_WORDS;
    const tag = sctpVtag(view, l4);
    let ignored = false;
    for (let at = l4 + SCTP_HEADER; isChunk(at, end); at = nextChunk(at, chunkLength(view, at))) {
      const type = chunkType(view, at);
      const verdict = judgeTag(w, row, dir, tag, view, at, type, data || ignored);
      if (verdict === TAG_WRONG) return invalid(pkt, R_SCTP_TAG, type, tag >>> 0);
      if (verdict === TAG_UNPROVEN) {
        because(pkt, R_SCTP_HEARTBEAT, tag >>> 0);
        ignored = true;
        continue;
      }
      const old = w[row + W_STATE]!;
      const next = nextSctpState(dir, old, type);
      if (next === SCTP_INVALID) return invalid(pkt, R_SCTP_INVALID, old, dir, type);
      if (type === SCTP_CID_INIT || type === SCTP_CID_INIT_ACK) {
        if (at + SCTP_INIT_CHUNK > end) return invalid(pkt, R_SCTP_INIT_SHORT, type);
        if (!learnTag(w, row, dir, view, at, type, old === SCTP_NONE)) return invalid(pkt, R_SCTP_COLLISION);
        // An INIT repeated for ever must not keep a dead flow, and its NAT mapping, alive.
        if (type === SCTP_CID_INIT && old === SCTP_CLOSED) {
          because(pkt, R_SCTP_INIT_CLOSED);
          ignored = true;
        }
      } else if (type === SCTP_CID_COOKIE_ACK) {
        w[row + W_INITS] = 0;
        w[row + W_INITS + 1] = 0;
      }
      if (next !== old) enter(ct, w, row, flow, next);
    }
    if (!ignored) ct.refresh(flow, pkt, dir, this.timeouts[w[row + W_STATE]!]!);
    return TRACK_ACCEPT;
  }
}

/** Whether the packet still has room for a chunk header at `at`; fewer bytes than that are not looked at. */
function isChunk(at: number, end: number): boolean {
  return at + SCTP_CHUNK_HEADER <= end;
}

/**
 * Walks all chunks once. COOKIE ECHO and COOKIE ACK must come first; with INIT, INIT ACK or SHUTDOWN COMPLETE
 * nothing may follow, and they may follow nothing (RFC 9260, section 6.10). A length that points beyond the
 * packet ends the walk; one below four counts as four.
 * @returns a bit (1 << type) for each chunk type below 16 that is there; -1, with a reason, if INVALID
 */
function basicChecks(pkt: Packet): number {
  const { view, l4, end } = pkt;
  let seen = 0;
  let count = 0;
  let alone = 0;
  for (let at = l4 + SCTP_HEADER; isChunk(at, end); ) {
    const type = chunkType(view, at);
    const length = chunkLength(view, at);
    if (type === SCTP_CID_INIT || type === SCTP_CID_INIT_ACK || type === SCTP_CID_SHUTDOWN_COMPLETE)
      alone = 1;
    const leads = type === SCTP_CID_COOKIE_ECHO || type === SCTP_CID_COOKIE_ACK || alone === 1;
    if (length === 0 || (leads && count !== 0)) {
      because(pkt, R_SCTP_CHUNKS, count, type, length);
      pkt.operands[3] = alone;
      return -1;
    }
    if (type < 16) seen |= 1 << type;
    count++;
    at = nextChunk(at, length);
  }
  if (count === 0) because(pkt, R_SCTP_EMPTY);
  return count === 0 ? -1 : seen;
}

/** Whether a packet may open an association: every one of its chunks must be able to. Notes what tags it tells. */
function opens(w: Int32Array, row: number, pkt: Packet): boolean {
  const { view, l4, end } = pkt;
  for (let at = l4 + SCTP_HEADER; isChunk(at, end); at = nextChunk(at, chunkLength(view, at))) {
    const type = chunkType(view, at);
    const next = nextSctpState(0, SCTP_NONE, type);
    if (next === SCTP_NONE || next === SCTP_INVALID) {
      because(pkt, R_SCTP_NEW, type);
      return false;
    }
    if (type === SCTP_CID_HEARTBEAT) w[row + W_TAGS] = sctpVtag(view, l4);
    // Of an association that nobody knows any more: the answer will reflect the tag (RFC 9260, section 8.4).
    else if (type === SCTP_CID_SHUTDOWN_ACK) w[row + W_TAGS + 1] = sctpVtag(view, l4);
  }
  return true;
}

/** Moves a flow to another state. */
function enter(ct: Conntrack, w: Int32Array, row: number, flow: number, state: number): void {
  w[row + W_STATE] = state;
  ct.cacheEvent(flow, IPCT_PROTOINFO);
  if (state === SCTP_ESTABLISHED && (w[row + F_STATUS]! & IPS_ASSURED) === 0) {
    w[row + F_STATUS]! |= IPS_ASSURED;
    ct.cacheEvent(flow, IPCT_ASSURED);
  }
}

function invalid(pkt: Packet, reason: number, a = 0, b = 0, c = 0): number {
  because(pkt, reason, a, b, c);
  return TRACK_INVALID;
}
