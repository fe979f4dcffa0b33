import { RTN_LOCAL } from '../host/host.ts';
import { AF_INET, type Packet } from '../packet/packet.ts';
import { storeName } from './device-name.ts';
import { type Expr, registerOffset } from './expr.ts';
import { NF_INET_LOCAL_IN, NF_INET_PRE_ROUTING } from './family.ts';
import type { HookState } from './hook-state.ts';
import { store8, store32 } from './registers.ts';
import { NFT_CONTINUE } from './verdict.ts';

/** NFT_FIB_RESULT_OIF: number of the device that the route leaves by. */
export const NFT_FIB_RESULT_OIF = 1;
/** NFT_FIB_RESULT_OIFNAME: its name. */
export const NFT_FIB_RESULT_OIFNAME = 2;
/** NFT_FIB_RESULT_ADDRTYPE: RTN_*. */
export const NFT_FIB_RESULT_ADDRTYPE = 3;
/** NFTA_FIB_F_SADDR: look up the source address. */
export const NFTA_FIB_F_SADDR = 1;
/** NFTA_FIB_F_DADDR: look up the destination address. */
export const NFTA_FIB_F_DADDR = 2;
/** NFTA_FIB_F_MARK: with the packet's mark. */
export const NFTA_FIB_F_MARK = 4;
/** NFTA_FIB_F_IIF: only over the input device. */
export const NFTA_FIB_F_IIF = 8;
/** NFTA_FIB_F_OIF: only over the output device. */
export const NFTA_FIB_F_OIF = 16;
/** NFTA_FIB_F_PRESENT: only whether there is one, 1 or 0. */
export const NFTA_FIB_F_PRESENT = 32;

const LOOPBACK_TYPE = 772;
/** IPv6 addresses of the link (RFC 4291, section 2.5.6): fe80::/10. */
const LINK_LOCAL = 0xfe80;

/** `fib`: asks the routes of the host about the packet's source or destination. */
export class FibExpr implements Expr {
  readonly name = 'fib';
  readonly dreg: number;
  readonly result: number;
  readonly flags: number;
  private readonly at: number;

  /** @param result NFT_FIB_RESULT_*, `flags` NFTA_FIB_F_* */
  constructor(dreg: number, result: number, flags: number) {
    this.dreg = dreg;
    this.result = result;
    this.flags = flags;
    this.at = registerOffset(dreg);
  }

  eval(state: HookState): number {
    const { pkt, host } = state;
    const device =
      (this.flags & NFTA_FIB_F_IIF) !== 0 ? pkt.ifin : (this.flags & NFTA_FIB_F_OIF) !== 0 ? pkt.ifout : 0;
    const address = this.address(pkt);
    if (this.result === NFT_FIB_RESULT_ADDRTYPE)
      store32(state, this.at, host.addressType(pkt.family, pkt.view, address, device));
    else this.store(state, this.route(state, address, device));
    return NFT_CONTINUE;
  }

  private address(pkt: Packet): number {
    const destination = (this.flags & NFTA_FIB_F_DADDR) !== 0;
    if (pkt.family === AF_INET) return pkt.off + (destination ? 16 : 12);
    return pkt.off + (destination ? 24 : 8);
  }

  /** Number of the device, 0 if there is no route to another machine over it. */
  private route(state: HookState, address: number, device: number): number {
    const { pkt, host } = state;
    const { family, view } = pkt;
    // Of what comes over lo nothing is looked up, at INPUT neither (measured).
    const isEarly = state.hook === NF_INET_PRE_ROUTING || state.hook === NF_INET_LOCAL_IN;
    if (isEarly && host.device(pkt.ifin)?.type === LOOPBACK_TYPE) return pkt.ifin;
    if (family === AF_INET && isFirstRequest(pkt)) return pkt.ifin;
    const mark = (this.flags & NFTA_FIB_F_MARK) !== 0 ? pkt.mark : 0;
    if (family !== AF_INET) return this.route6(state, address, mark, device);
    if (host.addressType(family, view, address, 0) === RTN_LOCAL) return 0;
    // The best route of all, and then whether it uses the device (kernel: nft_fib4_eval).
    const found = host.routeDevice(family, view, address, mark, 0);
    return device === 0 || found === device ? found : 0;
  }

  private route6(state: HookState, address: number, mark: number, device: number): number {
    const { host, pkt } = state;
    const { family, view } = pkt;
    const isOfLink = (view.getUint16(address) & 0xffc0) === LINK_LOCAL;
    if (isOfLink && device === 0) return pkt.ifin;
    if (host.addressType(family, view, address, device) === RTN_LOCAL) return 0;
    // As in IPv4; only addresses of the link are looked up over the device (measured).
    const found = host.routeDevice(family, view, address, mark, isOfLink ? device : 0);
    return device === 0 || found === device ? found : 0;
  }

  private store(state: HookState, device: number): void {
    if ((this.flags & NFTA_FIB_F_PRESENT) !== 0) store8(state, this.at, device === 0 ? 0 : 1);
    else if (this.result === NFT_FIB_RESULT_OIF) store32(state, this.at, device);
    else storeName(state, this.at, device === 0 ? null : state.host.device(device));
  }
}

/** A packet from 0.0.0.0 to all on the link, such as DHCP's first request: it came from where it came from. */
function isFirstRequest(pkt: Packet): boolean {
  const { view, off } = pkt;
  if (view.getInt32(off + 12) !== 0) return false;
  const to = view.getInt32(off + 16);
  return to === -1 || (to & 0xffffff00) === (0xe0000000 | 0);
}
