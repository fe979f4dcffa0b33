import { R_NAT_NO_ADDRESS } from '../base/reason.ts';
import { F_SRC, ROW_WORDS } from '../conntrack/flow-table.ts';
import { setMasqDevice } from '../nat/masquerade.ts';
import {
  anyRange,
  type NatRange,
  NF_NAT_MANIP_DST,
  NF_NAT_MANIP_SRC,
  NF_NAT_RANGE_MAP_IPS,
} from '../nat/range.ts';
import { setupNat } from '../nat/setup.ts';
import { AF_INET, because } from '../packet/packet.ts';
import type { Expr } from './expr.ts';
import { readPorts } from './expr-nat.ts';
import { NF_INET_LOCAL_OUT } from './family.ts';
import type { HookState } from './hook-state.ts';
import { NF_ACCEPT, NF_DROP, NF_UNKNOWN } from './verdict.ts';

type Reg = number | null;

const NF_NAT_RANGE_PROTO_SPECIFIED = 2;
const LOCALHOST4: readonly number[] = [0x7f000001];
const LOCALHOST6: readonly number[] = [0, 0, 0, 1];

const rangeScratch: NatRange = anyRange();

/** Decides one end with an address of this machine's. */
function setup(
  state: HookState,
  address: readonly number[] | null,
  { sregProtoMin, sregProtoMax, flags }: MasqExpr | RedirExpr,
  manip: number,
): number {
  if (address === null) {
    because(state.pkt, R_NAT_NO_ADDRESS);
    return NF_DROP;
  }
  const range = rangeScratch;
  range.flags = flags | NF_NAT_RANGE_MAP_IPS | (sregProtoMin === null ? 0 : NF_NAT_RANGE_PROTO_SPECIFIED);
  range.minAddress = range.maxAddress = address;
  readPorts(state, sregProtoMin, sregProtoMax, range);
  return setupNat(state.conntrack, state.pkt.flow, range, manip);
}

/** `masq`: source translation to an address of the device that the flow leaves by (nft_masq, MASQUERADE). */
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

  eval(state: HookState): number {
    const { pkt, host, conntrack } = state;
    // Of a machine of which nothing is known, the address is not known either: the flow stays as it is.
    if (pkt.flow === 0 || host.isDefault) return NF_ACCEPT;
    const isIpv4 = pkt.family === AF_INET;
    // A request for an address (DHCP) keeps its source of 0.0.0.0.
    if (isIpv4 && conntrack.table.words[pkt.flow * ROW_WORDS + F_SRC] === 0) return NF_ACCEPT;
    const to = pkt.off + (isIpv4 ? 16 : 24);
    const address = host.masqueradeAddress(pkt.family, pkt.view, to, pkt.ifout);
    if (address !== null) setMasqDevice(conntrack, pkt.flow, pkt.ifout);
    return setup(state, address, this, NF_NAT_MANIP_SRC);
  }
}

/** `redir`: destination translation to this machine (nft_redir, REDIRECT). */
export class RedirExpr implements Expr {
  readonly name = 'redir';
  readonly sregProtoMin: Reg;
  readonly sregProtoMax: Reg;
  readonly flags: number;

  constructor(sregProtoMin: Reg, sregProtoMax: Reg, flags: number) {
    this.sregProtoMin = sregProtoMin;
    this.sregProtoMax = sregProtoMax;
    this.flags = flags;
  }

  eval(state: HookState): number {
    const { pkt, host, hook } = state;
    if (pkt.flow === 0) return NF_ACCEPT;
    const isIpv4 = pkt.family === AF_INET;
    const to = pkt.off + (isIpv4 ? 16 : 24);
    let address: readonly number[] | null = isIpv4 ? LOCALHOST4 : LOCALHOST6;
    if (hook !== NF_INET_LOCAL_OUT) {
      if (host.isDefault) {
        state.unknown = 'the addresses of this machine are not known, which it redirects to';
        return NF_UNKNOWN;
      }
      address = host.redirectAddress(pkt.family, pkt.view, to, pkt.ifin);
    }
    return setup(state, address, this, NF_NAT_MANIP_DST);
  }
}
