import { RTN_LOCAL } from '../host/host.ts';
import { LOOPBACK } from '../host/model.ts';
import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import { type Expr, registerOffset } from './expr.ts';
import { NF_INET_PRE_ROUTING, NF_INGRESS } from './family.ts';
import type { HookState } from './hook-state.ts';
import { store8, store16, store32, store32be, storeBytes } from './registers.ts';
import { NF_UNKNOWN, NFT_BREAK, NFT_CONTINUE } from './verdict.ts';

/** NFT_RT_CLASSID: realm of the route. */
export const NFT_RT_CLASSID = 0;
/** NFT_RT_NEXTHOP4: address of the next router. */
export const NFT_RT_NEXTHOP4 = 1;
/** NFT_RT_NEXTHOP6. */
export const NFT_RT_NEXTHOP6 = 2;
/** NFT_RT_TCPMSS: the largest TCP segment that fits the route. */
export const NFT_RT_TCPMSS = 3;
/** NFT_RT_XFRM: whether the route leads through IPsec. */
export const NFT_RT_XFRM = 4;

/** IP and TCP headers without options. */
const HEADERS4 = 40;
const HEADERS6 = 60;
/** Where the host does not say: Ethernet's. */
const DEFAULT_MTU = 1500;
/** What IPv4 has at most, over lo, whose MTU is 65536, too (measured). */
const IP_MAX_MTU = 0xffff;
/** TCP_MSS_DEFAULT. */
const DEFAULT_MSS = 536;

/** `rt`: a fact about the packet's route, which it has from routing on. */
export class RtExpr implements Expr {
  readonly name = 'rt';
  readonly dreg: number;
  readonly key: number;
  private readonly at: number;

  /** @param key NFT_RT_* */
  constructor(dreg: number, key: number) {
    this.dreg = dreg;
    this.key = key;
    this.at = registerOffset(dreg);
  }

  eval(state: HookState): number {
    if (state.hook === NF_INET_PRE_ROUTING || state.hook === NF_INGRESS) return NFT_BREAK;
    switch (this.key) {
      case NFT_RT_CLASSID:
        store32(state, this.at, 0);
        return NFT_CONTINUE;
      case NFT_RT_XFRM:
        store8(state, this.at, 0);
        return NFT_CONTINUE;
      case NFT_RT_TCPMSS:
        store16(state, this.at, segmentSize(state));
        return NFT_CONTINUE;
      default:
        return this.nextHop(state);
    }
  }

  private nextHop(state: HookState): number {
    const { pkt, host } = state;
    const isIpv4 = this.key === NFT_RT_NEXTHOP4;
    if (pkt.family !== (isIpv4 ? AF_INET : AF_INET6)) return NFT_BREAK;
    const to = pkt.off + (isIpv4 ? 16 : 24);
    const words = host.nextHop(pkt.family, pkt.view, to, pkt.ifout);
    if (words === undefined) {
      state.unknown = 'the next hop of a route is not known';
      return NF_UNKNOWN;
    }
    if (words === null) storeBytes(state, this.at, pkt.view, to, isIpv4 ? 4 : 16);
    else for (let i = 0; i < words.length; i++) store32be(state, this.at + 4 * i, words[i]!);
    return NFT_CONTINUE;
  }
}

/** What fits the way there and the way back (kernel: get_tcpmss). */
function segmentSize(state: HookState): number {
  const mtu = pathMtu(state);
  const headers = state.pkt.family === AF_INET ? HEADERS4 : HEADERS6;
  return mtu <= headers || mtu > 0xffff ? DEFAULT_MSS : mtu - headers;
}

/** The smaller MTU of the way there and the way back, which to this host itself leads over lo (measured). */
export function pathMtu(state: HookState): number {
  const { pkt, host } = state;
  const src = pkt.off + (pkt.family === AF_INET ? 12 : 8);
  const isOwn = host.addressType(pkt.family, pkt.view, src, 0) === RTN_LOCAL;
  const back = isOwn ? LOOPBACK : host.routeDevice(pkt.family, pkt.view, src, 0, 0);
  const there = deviceMtu(state, pkt.ifout);
  const least = back === 0 ? there : Math.min(there, deviceMtu(state, back));
  return pkt.family === AF_INET ? Math.min(least, IP_MAX_MTU) : least;
}

function deviceMtu(state: HookState, device: number): number {
  return state.host.device(device)?.mtu ?? DEFAULT_MTU;
}
