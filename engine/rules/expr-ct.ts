import type { Conntrack } from '../conntrack/conntrack.ts';
import * as F from '../conntrack/flow-table.ts';
import { IPS_CONFIRMED, IPS_MASK } from '../conntrack/status.ts';
import {
  AF_INET,
  AF_INET6,
  CTINFO_INVALID,
  CTINFO_NONE,
  IP_CT_ESTABLISHED_REPLY,
  IP_CT_UNTRACKED,
  type Packet,
} from '../packet/packet.ts';
import * as C from './ct-keys.ts';
import { nameBytes } from './device-name.ts';
import { type Expr, registerOffset } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { store8, store16, store16be, store32, store32be, store64 } from './registers.ts';
import { NFT_BREAK, NFT_CONTINUE } from './verdict.ts';

/** NF_CT_STATE_INVALID_BIT. */
export const NF_CT_STATE_INVALID = 1;
/** NF_CT_STATE_BIT(IP_CT_ESTABLISHED). */
export const NF_CT_STATE_ESTABLISHED = 2;
/** NF_CT_STATE_BIT(IP_CT_RELATED). */
export const NF_CT_STATE_RELATED = 4;
/** NF_CT_STATE_BIT(IP_CT_NEW). */
export const NF_CT_STATE_NEW = 8;
/** NF_CT_STATE_UNTRACKED_BIT. */
export const NF_CT_STATE_UNTRACKED = 64;

/** `ct state` by ctinfo; a packet that tracking never saw is INVALID to rules. */
const STATE_OF: Uint8Array = new Uint8Array(16).fill(NF_CT_STATE_INVALID);
for (const [ctinfo, bit] of [
  [0, NF_CT_STATE_ESTABLISHED],
  [1, NF_CT_STATE_RELATED],
  [2, NF_CT_STATE_NEW],
  [3, NF_CT_STATE_ESTABLISHED],
  [4, NF_CT_STATE_RELATED],
  [IP_CT_UNTRACKED, NF_CT_STATE_UNTRACKED],
  [CTINFO_INVALID, NF_CT_STATE_INVALID],
  [CTINFO_NONE, NF_CT_STATE_INVALID],
] as const)
  STATE_OF[ctinfo] = bit;

/** The NF_CT_STATE_* bit of a packet. One of which a rule said how it is to be tracked is new already (measured). */
export function ctState(pkt: Packet, conntrack: Conntrack): number {
  if (pkt.ctinfo === CTINFO_NONE && conntrack.template !== null) return NF_CT_STATE_NEW;
  return STATE_OF[pkt.ctinfo]!;
}

/** Direction of a packet that has a flow: 0 original, 1 reply. */
export function ctDirection(pkt: Packet): number {
  return pkt.ctinfo >= IP_CT_ESTABLISHED_REPLY ? 1 : 0;
}

/** `ct`: a fact about the packet's flow into a register; all but the state are NFT_BREAK for a packet without flow. */
export class CtExpr implements Expr {
  readonly name = 'ct';
  readonly dreg: number;
  readonly key: number;
  readonly dir: number;
  private readonly at: number;

  /**
   * @param key NFT_CT_*
   * @param dir 0 original, 1 reply, -1 where the rule names none
   */
  constructor(dreg: number, key: number, dir = -1) {
    this.dreg = dreg;
    this.key = key;
    this.dir = dir;
    this.at = registerOffset(dreg);
  }

  eval(state: HookState): number {
    const { at } = this;
    const { pkt, conntrack: ct } = state;
    if (this.key === C.NFT_CT_STATE) {
      store32(state, at, ctState(pkt, ct));
      return NFT_CONTINUE;
    }
    const { flow } = pkt;
    if (flow === 0) return NFT_BREAK;
    const row = flow * F.ROW_WORDS;
    const w = ct.table.words;
    switch (this.key) {
      case C.NFT_CT_DIRECTION:
        store8(state, at, ctDirection(pkt));
        break;
      case C.NFT_CT_STATUS:
        store32(state, at, w[row + F.F_STATUS]! & IPS_MASK);
        break;
      case C.NFT_CT_MARK:
        store32(state, at, w[row + F.F_MARK]!);
        break;
      case C.NFT_CT_SECMARK:
        store32(state, at, 0);
        break;
      case C.NFT_CT_EXPIRATION:
        store32(state, at, expiration(ct, flow));
        break;
      case C.NFT_CT_L3PROTOCOL:
        store8(state, at, w[row + F.F_KIND]! >>> 8);
        break;
      case C.NFT_CT_PROTOCOL:
        store8(state, at, w[row + F.F_KIND]! & 0xff);
        break;
      case C.NFT_CT_ZONE:
        store16(state, at, zoneOf(w[row + F.F_ZONES]!, this.dir));
        break;
      case C.NFT_CT_ID:
        store32(state, at, w[row + F.F_ID]!);
        break;
      default:
        return this.key <= C.NFT_CT_AVGPKT && this.key >= C.NFT_CT_LABELS
          ? this.extension(state, flow)
          : this.tuple(state, flow);
    }
    return NFT_CONTINUE;
  }

  /** Labels and counters. */
  private extension(state: HookState, flow: number): number {
    const { at, key, dir } = this;
    if (key === C.NFT_CT_LABELS) {
      const labels = state.conntrack.extension(flow)?.labels ?? null;
      for (let i = 0; i < 4; i++) state.words[(at >> 2) + i] = labels === null ? 0 : labels[i]!;
      return NFT_CONTINUE;
    }
    const packets = countOf(state.conntrack, flow, dir, 0);
    const bytes = countOf(state.conntrack, flow, dir, 1);
    if (key === C.NFT_CT_PKTS) store64(state, at, packets);
    else if (key === C.NFT_CT_BYTES) store64(state, at, bytes);
    else store64(state, at, packets === 0 ? 0 : Math.floor(bytes / packets));
    return NFT_CONTINUE;
  }

  /** Addresses and ports, of the original direction where the rule names none; and the master's helper. */
  private tuple(state: HookState, flow: number): number {
    const { at, key } = this;
    const w = state.conntrack.table.words;
    const row = flow * F.ROW_WORDS;
    const from = row + (this.dir === 1 ? F.F_RSRC : F.F_SRC);
    const family = w[row + F.F_KIND]! >>> 8;
    switch (key) {
      case C.NFT_CT_HELPER: {
        const master = w[row + F.F_MASTER]!;
        const helper = master === 0 ? null : (state.conntrack.extension(master)?.helper ?? null);
        if (helper === null) return NFT_BREAK;
        state.regs.set(nameBytes(helper.name), at);
        return NFT_CONTINUE;
      }
      case C.NFT_CT_PROTO_SRC:
        store16be(state, at, w[from + F.F_PORTS]! >>> 16);
        return NFT_CONTINUE;
      case C.NFT_CT_PROTO_DST:
        store16be(state, at, w[from + F.F_PORTS]!);
        return NFT_CONTINUE;
      case C.NFT_CT_SRC_IP:
      case C.NFT_CT_DST_IP:
        if (family !== AF_INET) return NFT_BREAK;
        break;
      case C.NFT_CT_SRC_IP6:
      case C.NFT_CT_DST_IP6:
        if (family !== AF_INET6) return NFT_BREAK;
        break;
      case C.NFT_CT_SRC:
      case C.NFT_CT_DST:
        break;
      default:
        return NFT_BREAK;
    }
    const source = key === C.NFT_CT_SRC || key === C.NFT_CT_SRC_IP || key === C.NFT_CT_SRC_IP6;
    storeAddress(state, at, family, w[from + (source ? F.F_SRC : F.F_DST)]!);
    return NFT_CONTINUE;
  }
}

/** A direction's zone; without one, the zone that is not 0 if they differ. */
function zoneOf(zones: number, dir: number): number {
  const original = zones & 0xffff;
  if (dir < 0) return original || zones >>> 16;
  return dir === 1 ? zones >>> 16 : original;
}

function storeAddress(state: HookState, at: number, family: number, word: number): void {
  if (family === AF_INET) {
    store32be(state, at, word);
    return;
  }
  const { pool } = state.conntrack;
  for (let i = 0; i < 4; i++) store32be(state, at + i * 4, pool.word(word, i));
}

/** Milliseconds left; 0 for a flow whose timer has not started (kernel: nf_ct_expires). */
function expiration(ct: Conntrack, flow: number): number {
  if ((ct.table.words[flow * F.ROW_WORDS + F.F_STATUS]! & IPS_CONFIRMED) === 0) return 0;
  return Math.max(0, ct.left(flow));
}

/** @param dir a direction, -1 for both; `what` 0 packets, 1 bytes */
function countOf(ct: Conntrack, flow: number, dir: number, what: number): number {
  const { counters, words } = ct.table;
  if (counters === null || (words[flow * F.ROW_WORDS + F.F_EVENTS]! & F.FLAG_ACCT) === 0) return 0;
  const at = flow * 4 + what;
  if (dir >= 0) return counters[at + dir * 2]!;
  return counters[at]! + counters[at + 2]!;
}
