import { F_MARK, F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import { AF_INET6, type Packet } from '../packet/packet.ts';
import { NFT_CT_DIRECTION, NFT_CT_MARK, NFT_CT_STATE } from './ct-keys.ts';
import { ctDirection, ctState } from './expr-ct.ts';
import { etherType, packetType } from './expr-meta.ts';
import { NFPROTO_IPV4, NFPROTO_IPV6 } from './family.ts';
import type { HookState } from './hook-state.ts';
import * as M from './meta-keys.ts';
import { nftProto, nftThoff } from './pktinfo.ts';
import * as S from './source.ts';

const NO_STAMPS = new Int32Array(0);
/** Rounds are numbered from 1 again before they no longer fit. */
const LAST_ROUND = 0x3fffffff;

/** Reads sources, each once a round; a round is a packet at a base chain, or what is left of it after a change. */
export class SourceReader {
  /** By slot: its number, if its stamp is the round's. */
  protected values: Int32Array = NO_STAMPS;
  /** By slot: the round it was read in; negative if the packet then had no such source. */
  protected stamps: Int32Array = NO_STAMPS;
  protected round = 0;
  private state: HookState | null = null;

  /** A packet comes. */
  protected begin(state: HookState): void {
    this.state = state;
    if (this.round >= LAST_ROUND) {
      this.stamps.fill(0);
      this.round = 0;
    }
    this.round++;
  }

  /** Makes room for all sources that there are; to be called whenever a chain may have been compiled. */
  protected makeRoom(): void {
    if (this.values.length >= S.SOURCE_KINDS.length) return;
    const room = S.SOURCE_KINDS.length * 2;
    const values = new Int32Array(room);
    values.set(this.values);
    const stamps = new Int32Array(room);
    stamps.set(this.stamps);
    this.values = values;
    this.stamps = stamps;
  }

  /** Reads a source that was not read in this round. Returns false if the packet has none. */
  protected read(slot: number): boolean {
    if (this.stamps[slot] === -this.round) return false;
    const { pkt } = this.state!;
    const kind = S.SOURCE_KINDS[slot]!;
    if (kind >= S.SOURCE_META) return this.fact(slot, kind);
    let base = pkt.off;
    if (kind === S.SOURCE_TRANSPORT) base = nftThoff(pkt);
    else if (kind === S.SOURCE_LINK) base = pkt.mac < pkt.off ? pkt.mac : -1;
    const at = base + S.SOURCE_OFFSETS[slot]!;
    const length = S.SOURCE_LENGTHS[slot]!;
    if (base < 0 || at + length > pkt.end) {
      this.stamps[slot] = -this.round;
      return false;
    }
    this.stamps[slot] = this.round;
    this.values[slot] = bytesAt(pkt.view, at, length);
    return true;
  }

  private fact(slot: number, kind: number): boolean {
    const state = this.state!;
    const { pkt } = state;
    const key = S.SOURCE_OFFSETS[slot]!;
    let value: number;
    if (kind === S.SOURCE_META) {
      value = metaFact(pkt, key);
      if (value < 0 && key === M.NFT_META_L4PROTO) return this.absent(slot);
    } else if (kind === S.SOURCE_CT) {
      if (key === NFT_CT_STATE) value = ctState(pkt, state.conntrack);
      else if (pkt.flow === 0) return this.absent(slot);
      else value = flowFact(state, key);
    } else {
      const device = state.host.device(kind === S.SOURCE_IIFNAME ? pkt.ifin : pkt.ifout);
      value = S.nameNumber(device === null ? '' : device.name);
    }
    this.values[slot] = value;
    this.stamps[slot] = this.round;
    return true;
  }

  private absent(slot: number): false {
    this.stamps[slot] = -this.round;
    return false;
  }
}

function bytesAt(view: DataView, at: number, length: number): number {
  switch (length) {
    case 4:
      return view.getInt32(at);
    case 2:
      return view.getUint16(at);
    case 1:
      return view.getUint8(at);
    default:
      return (view.getUint16(at) << 8) | view.getUint8(at + 2);
  }
}

function metaFact(pkt: Packet, key: number): number {
  switch (key) {
    case M.NFT_META_LEN:
      return pkt.end - pkt.off;
    case M.NFT_META_PROTOCOL:
      return etherType(pkt);
    case M.NFT_META_PRIORITY:
      return pkt.priority;
    case M.NFT_META_MARK:
      return pkt.mark;
    case M.NFT_META_IIF:
      return pkt.ifin;
    case M.NFT_META_OIF:
      return pkt.ifout;
    case M.NFT_META_NFPROTO:
      return pkt.family === AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
    case M.NFT_META_L4PROTO:
      return nftProto(pkt);
    default:
      return packetType(pkt);
  }
}

function flowFact(state: HookState, key: number): number {
  if (key === NFT_CT_DIRECTION) return ctDirection(state.pkt);
  const at = state.pkt.flow * ROW_WORDS;
  const { words } = state.conntrack.table;
  return words[at + (key === NFT_CT_MARK ? F_MARK : F_STATUS)]!;
}
