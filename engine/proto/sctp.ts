import {
  R_SCTP_CHUNKS,
  R_SCTP_CRC,
  R_SCTP_EMPTY,
  R_SCTP_INVALID,
  R_SCTP_NEW,
  R_SCTP_SHORT,
  R_SCTP_TAG,
  R_SCTP_VTAG,
} from '../base/reason.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import { IPCT_ASSURED, IPCT_PROTOINFO } from '../conntrack/events.ts';
import { F_PROTO, F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import type { Settings } from '../conntrack/settings.ts';
import { IPS_ASSURED, IPS_CONFIRMED, IPS_SEEN_REPLY } from '../conntrack/status.ts';
import { TRACK_ACCEPT, TRACK_INVALID, type Tracker } from '../conntrack/tracker.ts';
import { swapPorts, T_PORTS, type Tuple } from '../conntrack/tuple.ts';
import { sctpCrc } from '../packet/checksum.ts';
import { because, type Packet } from '../packet/packet.ts';
import * as C from '../packet/sctp.ts';
import * as S from './sctp-states.ts';

const W_STATE = F_PROTO;
const W_VTAG = F_PROTO + 1;
const W_INIT = F_PROTO + 3;
const W_LAST_DIR = F_PROTO + 5;
const W_FAILED = F_PROTO + 6;

const bit = (t: number): number => 1 << t;
const NOCHECK = bit(1) | bit(6) | bit(10) | bit(14) | bit(4) | bit(5) | bit(8);

export class SctpTracker implements Tracker {
  readonly name = 'sctp';
  readonly error = null;
  private checksum = true;
  private timeouts = new Float64Array(9);

  tuple(view: DataView, l4: number, end: number, out: Tuple): boolean {
    if (end - l4 < 4) return false;
    out[T_PORTS] = C.sctpPorts(view, l4);
    return true;
  }
  invert(ports: number): number {
    return swapPorts(ports);
  }
  configure(settings: Settings): void {
    this.checksum = settings.get('nf_conntrack_checksum') !== 0;
    S.SCTP_TIMEOUTS.forEach((name, state) => {
      if (name !== '') this.timeouts[state] = settings.millis(name);
    });
  }
  state(ct: Conntrack, flow: number): string | null {
    return S.SCTP_STATE_NAMES[ct.table.words[flow * ROW_WORDS + W_STATE]!]!;
  }

  packet(ct: Conntrack, pkt: Packet, flow: number, dir: number): number {
    const { view, l4, end } = pkt;
    const w = ct.table.words;
    const row = flow * ROW_WORDS;
    if (end - l4 < 12) return invalid(pkt, R_SCTP_SHORT);
    if (this.checksum && sctpCrc(view, l4, end) !== C.sctpChecksum(view, l4)) return invalid(pkt, R_SCTP_CRC);
    let seen = 0;
    let count = 0;
    let flag = 0;
    for (let at = l4 + 12; at + 4 <= end; ) {
      const type = C.chunkType(view, at);
      const len = C.chunkLength(view, at);
      if (type === 1 || type === 2 || type === 14) flag = 1;
      if (len === 0 || ((type === 10 || type === 11 || flag) && count !== 0)) {
        because(pkt, R_SCTP_CHUNKS, count, type, len);
        pkt.operands[3] = flag;
        return TRACK_INVALID;
      }
      if (type < 32) seen |= bit(type);
      count++;
      at = C.nextChunk(at, len);
    }
    if (count === 0) return invalid(pkt, R_SCTP_EMPTY);
    const tag = C.sctpVtag(view, l4);
    if ((w[row + F_STATUS]! & IPS_CONFIRMED) === 0) {
      for (let at = l4 + 12; at + 4 <= end; ) {
        const type = C.chunkType(view, at);
        const len = C.chunkLength(view, at);
        const next = S.nextSctpState(0, 0, type);
        if (next === S.SCTP_INVALID || next === 0) return invalid(pkt, R_SCTP_NEW, type);
        if (type === 1) {
          if (tag !== 0 || at + 20 > end) return invalid(pkt, R_SCTP_NEW, type);
        } else if (type === 4) w[row + W_VTAG] = tag;
        else if (type === 8) w[row + W_VTAG + 1] = tag;
        at = C.nextChunk(at, len);
      }
    }
    if ((seen & NOCHECK) === 0 && tag !== w[row + W_VTAG + dir]) {
      return invalid(pkt, R_SCTP_VTAG, tag >>> 0, w[row + W_VTAG + dir]! >>> 0, dir);
    }
    let ignore = false;
    let state = w[row + W_STATE]!;
    for (let at = l4 + 12; at + 4 <= end; ) {
      const type = C.chunkType(view, at);
      const len = C.chunkLength(view, at);
      const here = at;
      at = C.nextChunk(at, len);
      const old = w[row + W_STATE]!;
      const mine = w[row + W_VTAG + dir]!;
      const other = w[row + W_VTAG + 1 - dir]!;
      if (type === 1) {
        if (tag !== 0) return invalid(pkt, R_SCTP_TAG, type);
        if (old === S.SCTP_CLOSED) ignore = true;
      } else if (type === 6) {
        if (tag !== (C.chunkFlags(view, here) & 1 ? other : mine)) return invalid(pkt, R_SCTP_TAG, type);
      } else if (type === 14) {
        if (tag !== (C.chunkFlags(view, here) & 1 ? other : mine))
          return invalid(pkt, R_SCTP_TAG, type);
      } else if (type === 10) {
        if (tag !== mine) return invalid(pkt, R_SCTP_TAG, type);
      } else if (type === 4 || type === 5) {
        if (mine === 0) w[row + W_VTAG + dir] = tag;
        else if (tag !== mine) {
          if (seen & 1 || ignore) return invalid(pkt, R_SCTP_TAG, type);
          if (type === 4) {
            w[row + W_FAILED] = 1;
            w[row + W_LAST_DIR] = dir;
            ignore = true;
            continue;
          }
          if (!w[row + W_FAILED] || w[row + W_LAST_DIR] === dir) return invalid(pkt, R_SCTP_TAG, type);
          w[row + W_FAILED] = 0;
          w[row + W_VTAG + dir] = tag;
          w[row + W_VTAG + 1 - dir] = 0;
        } else w[row + W_FAILED] = 0;
      }
      const next = S.nextSctpState(dir, old, type);
      if (next === S.SCTP_INVALID) return invalid(pkt, R_SCTP_INVALID, old, dir, type);
      if (type === 1 || type === 2) {
        if (here + 20 > end) return invalid(pkt, R_SCTP_TAG, type);
        const init = C.initiateTag(view, here);
        const I = row + W_INIT;
        if (type === 1) {
          if (old === S.SCTP_NONE || other !== init) {
            if (w[I + dir] && w[I + 1 - dir]) w[I + 1 - dir] = 0;
            w[I + dir] = 1;
          }
        } else {
          if (!w[I + 1 - dir] && other && other !== init) return invalid(pkt, R_SCTP_TAG, type);
          if (w[I] && w[I + 1] && other !== init) return invalid(pkt, R_SCTP_TAG, type);
        }
        w[row + W_VTAG + 1 - dir] = init;
      }
      if (type === 11) w[row + W_INIT] = w[row + W_INIT + 1] = 0;
      state = next;
      if (next !== old) ct.cacheEvent(flow, IPCT_PROTOINFO);
      w[row + W_STATE] = state;
      if (state === S.SCTP_ESTABLISHED && old !== state && (w[row + F_STATUS]! & IPS_ASSURED) === 0) {
        w[row + F_STATUS]! |= IPS_ASSURED;
        ct.cacheEvent(flow, IPCT_ASSURED);
      }
    }
    if (ignore) return TRACK_ACCEPT;
    ct.refresh(flow, pkt, dir, this.timeouts[state]!);
    return TRACK_ACCEPT;
  }
}
void W_INIT;
void IPS_SEEN_REPLY;
function invalid(pkt: Packet, reason: number, a = 0, b = 0, c = 0): number {
  because(pkt, reason, a, b, c);
  return TRACK_INVALID;
}
