import {
  anyRange,
  type NatRange,
  NF_NAT_MANIP_DST,
  NF_NAT_MANIP_SRC,
  NF_NAT_RANGE_NETMAP,
} from '../nat/range.ts';
import { setupNat } from '../nat/setup.ts';
import { AF_INET, type Packet } from '../packet/packet.ts';
import { type Expr, registerOffset } from './expr.ts';
import { NF_INET_LOCAL_IN, NF_INET_POST_ROUTING, NFPROTO_INET } from './family.ts';
import type { HookState } from './hook-state.ts';
import { NF_ACCEPT, NFT_CONTINUE } from './verdict.ts';

/** NFT_NAT_SNAT. */
export const NFT_NAT_SNAT: number = NF_NAT_MANIP_SRC;
/** NFT_NAT_DNAT. */
export const NFT_NAT_DNAT: number = NF_NAT_MANIP_DST;

/** Not the kernel's: the end that stands for the hook, which NETMAP finds out by itself. */
export const NAT_BY_HOOK = 2;

/** A register, or null where the rule has no such value. */
type Reg = number | null;

/** NF_NAT_RANGE_MAP_IPS and NF_NAT_RANGE_PROTO_SPECIFIED: the kernel sets them for registers that are there. */
const MAP_IPS = 1;
const PROTO_SPECIFIED = 2;

/** Room for the addresses of a range of one family. */
interface Room {
  readonly min: number[];
  readonly max: number[];
}

const room4Scratch: Room = { min: [0], max: [0] };
const room6Scratch: Room = { min: [0, 0, 0, 0], max: [0, 0, 0, 0] };
const rangeScratch: NatRange = anyRange();

/** Reads an address in a register, as words. */
function readAddress(state: HookState, reg: number, out: number[]): void {
  const at = registerOffset(reg);
  for (let i = 0; i < out.length; i++) out[i] = state.regView.getInt32(at + 4 * i);
}

/** Reads ports in registers, 0 where there are none. */
export function readPorts(state: HookState, min: Reg, max: Reg, out: NatRange): void {
  out.minPort = min === null ? 0 : state.regView.getUint16(registerOffset(min));
  out.maxPort = max === null ? out.minPort : state.regView.getUint16(registerOffset(max));
}

/** Host by host: the bits in which first and last address differ stay those of the packet, which is mapped to that one. */
function mapHost(pkt: Packet, manip: number, { min, max }: Room): void {
  const isSource = manip === NF_NAT_MANIP_SRC;
  const at = pkt.off + (min.length === 1 ? (isSource ? 12 : 16) : isSource ? 8 : 24);
  for (let i = 0; i < min.length; i++) {
    const host = min[i]! ^ max[i]!;
    min[i] = max[i] = (pkt.view.getInt32(at + 4 * i) & host) | (min[i]! & ~host);
  }
}

/** NF_NAT_MANIP_* of a hook. */
function manipOf(hook: number): number {
  return hook === NF_INET_POST_ROUTING || hook === NF_INET_LOCAL_IN ? NF_NAT_MANIP_SRC : NF_NAT_MANIP_DST;
}

/** `nat`: snat, dnat and their kin of iptables (nft_nat). The verdict is that of the translation. */
export class NatExpr implements Expr {
  readonly name = 'nat';
  readonly type: number;
  readonly family: number;
  readonly sregAddrMin: Reg;
  readonly sregAddrMax: Reg;
  readonly sregProtoMin: Reg;
  readonly sregProtoMax: Reg;
  readonly flags: number;
  readonly basePort: number;

  /**
   * @param type NFT_NAT_* or NAT_BY_HOOK, `family` NFPROTO_*, `flags` NF_NAT_RANGE_*
   * @param basePort the port that the first one of the range stands for, with NF_NAT_RANGE_PROTO_OFFSET
   */
  constructor(
    type: number,
    family: number,
    sregAddrMin: Reg,
    sregAddrMax: Reg,
    sregProtoMin: Reg,
    sregProtoMax: Reg,
    flags: number,
    basePort = 0,
  ) {
    this.type = type;
    this.family = family;
    this.sregAddrMin = sregAddrMin;
    this.sregAddrMax = sregAddrMax;
    this.sregProtoMin = sregProtoMin;
    this.sregProtoMax = sregProtoMax;
    this.flags = flags;
    this.basePort = basePort;
  }

  eval(state: HookState): number {
    const { pkt } = state;
    if (this.family !== pkt.family && this.family !== NFPROTO_INET) return NFT_CONTINUE;
    if (pkt.flow === 0) return NF_ACCEPT;
    const manip = this.type === NAT_BY_HOOK ? manipOf(state.hook) : this.type;
    return setupNat(state.conntrack, pkt.flow, this.range(state, manip), manip);
  }

  /** What this packet's flow is to be translated to; only until the next one comes. */
  private range(state: HookState, manip: number): NatRange {
    const { pkt } = state;
    const range = rangeScratch;
    const room = pkt.family === AF_INET ? room4Scratch : room6Scratch;
    const hasAddress = this.sregAddrMin !== null;
    range.flags = this.flags;
    range.basePort = this.basePort;
    range.minAddress = hasAddress ? room.min : null;
    range.maxAddress = hasAddress ? room.max : null;
    if (hasAddress) {
      range.flags |= MAP_IPS;
      readAddress(state, this.sregAddrMin!, room.min);
      readAddress(state, this.sregAddrMax ?? this.sregAddrMin!, room.max);
      if ((range.flags & NF_NAT_RANGE_NETMAP) !== 0) mapHost(pkt, manip, room);
    }
    if (this.sregProtoMin !== null) range.flags |= PROTO_SPECIFIED;
    readPorts(state, this.sregProtoMin, this.sregProtoMax, range);
    return range;
  }
}
