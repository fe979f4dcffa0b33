import { type NatRange, NF_NAT_MANIP_DST, NF_NAT_MANIP_SRC, NF_NAT_RANGE_NETMAP } from '../nat/range.ts';
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

/** An address in a register, as words. */
export function addressIn(state: HookState, reg: number): number[] {
  const at = registerOffset(reg);
  const count = state.pkt.family === AF_INET ? 1 : 4;
  return Array.from({ length: count }, (_, i) => state.regView.getInt32(at + 4 * i));
}

/** Ports in registers, 0 where there are none. */
export function portsIn(state: HookState, min: Reg, max: Reg): Pick<NatRange, 'minPort' | 'maxPort'> {
  const minPort = min === null ? 0 : state.regView.getUint16(registerOffset(min));
  return { minPort, maxPort: max === null ? minPort : state.regView.getUint16(registerOffset(max)) };
}

/** The address that a packet is translated from, at its hook. */
function addressOf(pkt: Packet, manip: number): number[] {
  const isIpv4 = pkt.family === AF_INET;
  const isSource = manip === NF_NAT_MANIP_SRC;
  const at = pkt.off + (isIpv4 ? (isSource ? 12 : 16) : isSource ? 8 : 24);
  return Array.from({ length: isIpv4 ? 1 : 4 }, (_, i) => pkt.view.getInt32(at + 4 * i));
}

/** Host by host: the bits in which first and last address differ stay the packet's. */
function netmap(address: readonly number[], min: readonly number[], max: readonly number[]): number[] {
  return address.map((word, i) => {
    const host = min[i]! ^ max[i]!;
    return (word & host) | (min[i]! & ~host);
  });
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

  private range(state: HookState, manip: number): NatRange {
    let minAddress: number[] | null = null;
    let maxAddress: number[] | null = null;
    let { flags } = this;
    if (this.sregAddrMin !== null) {
      flags |= MAP_IPS;
      minAddress = addressIn(state, this.sregAddrMin);
      maxAddress = this.sregAddrMax === null ? minAddress : addressIn(state, this.sregAddrMax);
      if ((flags & NF_NAT_RANGE_NETMAP) !== 0)
        minAddress = maxAddress = netmap(addressOf(state.pkt, manip), minAddress, maxAddress);
    }
    if (this.sregProtoMin !== null) flags |= PROTO_SPECIFIED;
    const ports = portsIn(state, this.sregProtoMin, this.sregProtoMax);
    return { flags, minAddress, maxAddress, basePort: this.basePort, ...ports };
  }
}
