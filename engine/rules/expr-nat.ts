import type { Expr } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { NF_ACCEPT, NF_UNKNOWN } from './verdict.ts';

/** NFT_NAT_SNAT. */
export const NFT_NAT_SNAT = 0;
/** NFT_NAT_DNAT. */
export const NFT_NAT_DNAT = 1;

/** A register, or null where the rule has no such value. */
type Reg = number | null;

const NO_DESTINATION = 'destination translation is not supported yet';

function unknownDestination(state: HookState): number {
  state.unknown = NO_DESTINATION;
  return NF_UNKNOWN;
}

/** `nat`: snat and dnat. Until translation exists the first accepts, the second makes the verdict unknown. */
export class NatExpr implements Expr {
  readonly name = 'nat';
  readonly unknowable?: string;
  readonly type: number;
  readonly family: number;
  readonly sregAddrMin: Reg;
  readonly sregAddrMax: Reg;
  readonly sregProtoMin: Reg;
  readonly sregProtoMax: Reg;
  readonly flags: number;

  /** @param type NFT_NAT_*, `family` NFPROTO_*, `flags` NF_NAT_RANGE_* */
  constructor(
    type: number,
    family: number,
    sregAddrMin: Reg,
    sregAddrMax: Reg,
    sregProtoMin: Reg,
    sregProtoMax: Reg,
    flags: number,
  ) {
    if (type === NFT_NAT_DNAT) this.unknowable = NO_DESTINATION;
    this.type = type;
    this.family = family;
    this.sregAddrMin = sregAddrMin;
    this.sregAddrMax = sregAddrMax;
    this.sregProtoMin = sregProtoMin;
    this.sregProtoMax = sregProtoMax;
    this.flags = flags;
  }

  eval(state: HookState): number {
    return this.type === NFT_NAT_SNAT ? NF_ACCEPT : unknownDestination(state);
  }
}

/** `masq`: source translation to the address of the output device; accepts until translation exists. */
export class MasqExpr implements Expr {
  readonly name = 'masq';
  readonly sregProtoMin: Reg;
  readonly sregProtoMax: Reg;
  readonly flags: number;

  constructor(sregProtoMin: Reg, sregProtoMax: Reg, flags: number) {
    this.sregProtoMin = sregProtoMin;
    this.sregProtoMax = sregProtoMax;
    this.flags = flags;
  }

  eval(): number {
    return NF_ACCEPT;
  }
}

/** `redir`: destination translation to this machine. */
export class RedirExpr implements Expr {
  readonly name = 'redir';
  readonly unknowable: string = NO_DESTINATION;
  readonly sregProtoMin: Reg;
  readonly sregProtoMax: Reg;
  readonly flags: number;

  constructor(sregProtoMin: Reg, sregProtoMax: Reg, flags: number) {
    this.sregProtoMin = sregProtoMin;
    this.sregProtoMax = sregProtoMax;
    this.flags = flags;
  }

  eval(state: HookState): number {
    return unknownDestination(state);
  }
}
