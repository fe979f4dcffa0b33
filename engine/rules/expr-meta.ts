import type { Device } from '../host/host.ts';
import { AF_INET, AF_INET6, type Packet } from '../packet/packet.ts';
import { storeName } from './device-name.ts';
import { type Expr, registerOffset } from './expr.ts';
import {
  NF_INET_FORWARD,
  NF_INET_POST_ROUTING,
  NF_INET_PRE_ROUTING,
  NF_INGRESS,
  NFPROTO_IPV4,
  NFPROTO_IPV6,
} from './family.ts';
import type { HookState } from './hook-state.ts';
import * as M from './meta-keys.ts';
import { nftProto } from './pktinfo.ts';
import { store8, store16, store16be, store32 } from './registers.ts';
import { secondOfDay, storeNanos, weekday } from './time.ts';
import { NF_UNKNOWN, NFT_BREAK, NFT_CONTINUE } from './verdict.ts';

const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;
const PACKET_BROADCAST = 1;
const PACKET_MULTICAST = 2;
const PACKET_LOOPBACK = 5;

/** Why facts about the process that sends or gets a packet are not known. */
export const NO_PROCESS = 'which process the packet belongs to is not known';
const NO_KIND = 'the kind of a device is not known';
const NO_BRIDGE = 'facts about bridges are not known';

/** What only the machine that a packet was captured on could tell. */
const UNKNOWABLE: ReadonlyMap<number, string> = new Map([
  [M.NFT_META_SKUID, NO_PROCESS],
  [M.NFT_META_SKGID, NO_PROCESS],
  [M.NFT_META_CGROUP, NO_PROCESS],
  [M.NFT_META_IIFKIND, NO_KIND],
  [M.NFT_META_OIFKIND, NO_KIND],
  [M.NFT_META_BRI_IIFNAME, NO_BRIDGE],
  [M.NFT_META_BRI_OIFNAME, NO_BRIDGE],
  [M.NFT_META_BRI_IIFPVID, NO_BRIDGE],
  [M.NFT_META_BRI_IIFVPROTO, NO_BRIDGE],
  [M.NFT_META_BRI_BROUTE, NO_BRIDGE],
]);

/** `meta`: a fact about the packet that does not stand in its bytes, into a register. */
export class MetaExpr implements Expr {
  readonly name = 'meta';
  readonly dreg: number;
  readonly key: number;
  readonly unknowable: string | undefined;
  private readonly at: number;

  /** @param key NFT_META_* */
  constructor(dreg: number, key: number) {
    this.dreg = dreg;
    this.key = key;
    this.unknowable = UNKNOWABLE.get(key);
    this.at = registerOffset(dreg);
  }

  eval(state: HookState): number {
    const { at, key } = this;
    const { pkt } = state;
    switch (key) {
      case M.NFT_META_LEN:
        store32(state, at, pkt.end - pkt.off);
        break;
      case M.NFT_META_PROTOCOL:
        store16be(state, at, etherType(pkt));
        break;
      case M.NFT_META_PRIORITY:
        store32(state, at, pkt.priority);
        break;
      case M.NFT_META_MARK:
        store32(state, at, pkt.mark);
        break;
      case M.NFT_META_NFPROTO:
        store8(state, at, pkt.family === AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
        break;
      case M.NFT_META_L4PROTO: {
        const proto = nftProto(pkt);
        if (proto < 0) return NFT_BREAK;
        store8(state, at, proto);
        break;
      }
      case M.NFT_META_PKTTYPE:
        store8(state, at, packetType(pkt));
        break;
      default:
        return key <= M.NFT_META_OIFTYPE ? this.device(state) : this.rare(state);
    }
    return NFT_CONTINUE;
  }

  /** What is asked of the input or output device; there is none at some hooks. */
  private device(state: HookState): number {
    const { at, key } = this;
    const { pkt, host } = state;
    switch (key) {
      case M.NFT_META_IIF:
        store32(state, at, pkt.ifin);
        return NFT_CONTINUE;
      case M.NFT_META_OIF:
        store32(state, at, pkt.ifout);
        return NFT_CONTINUE;
      case M.NFT_META_IIFNAME:
        storeName(state, at, host.device(pkt.ifin));
        return NFT_CONTINUE;
      case M.NFT_META_OIFNAME:
        storeName(state, at, host.device(pkt.ifout));
        return NFT_CONTINUE;
      case M.NFT_META_IFTYPE:
        return deviceType(state, at, host.device(pkt.ifin === 0 ? ownDevice(state) : pkt.ifin));
      default:
        return deviceType(state, at, host.device(pkt.ifout));
    }
  }

  private rare(state: HookState): number {
    const { at } = this;
    const { pkt, host } = state;
    switch (this.key) {
      case M.NFT_META_IIFGROUP:
        return deviceGroup(state, at, host.device(pkt.ifin));
      case M.NFT_META_OIFGROUP:
        return deviceGroup(state, at, host.device(pkt.ifout));
      case M.NFT_META_NFTRACE:
      case M.NFT_META_SECPATH:
        store8(state, at, this.key === M.NFT_META_NFTRACE ? pkt.nftrace : 0);
        return NFT_CONTINUE;
      case M.NFT_META_SECMARK:
      case M.NFT_META_CPU:
      case M.NFT_META_SDIF:
        // No security module, one CPU, no VRF.
        store32(state, at, 0);
        return NFT_CONTINUE;
      case M.NFT_META_SDIFNAME:
        storeName(state, at, null);
        return NFT_CONTINUE;
      case M.NFT_META_RTCLASSID:
        if (state.hook === NF_INET_PRE_ROUTING || state.hook === NF_INGRESS) return NFT_BREAK;
        store32(state, at, 0);
        return NFT_CONTINUE;
      case M.NFT_META_PRANDOM:
        store32(state, at, state.random.word());
        return NFT_CONTINUE;
      default:
        return this.clock(state);
    }
  }

  private clock(state: HookState): number {
    switch (this.key) {
      case M.NFT_META_TIME_NS:
        storeNanos(state, this.at);
        return NFT_CONTINUE;
      case M.NFT_META_TIME_DAY:
        store8(state, this.at, weekday(state));
        return NFT_CONTINUE;
      case M.NFT_META_TIME_HOUR:
        store32(state, this.at, secondOfDay(state));
        return NFT_CONTINUE;
      default:
        return this.unknown(state);
    }
  }

  /** Only the machine that the packet was captured on could tell; where no socket can be, none matches. */
  private unknown(state: HookState): number {
    if (this.unknowable === NO_PROCESS && !mayHaveSocket(state)) return NFT_BREAK;
    state.unknown = this.unknowable ?? NO_BRIDGE;
    return NF_UNKNOWN;
  }
}

/** Whether the kernel may know a process of the packet: one here sent it, or it is for this machine. */
export function mayHaveSocket(state: HookState): boolean {
  const { hook, pkt } = state;
  if (state.isAnswer) return false;
  if (hook === NF_INET_PRE_ROUTING || hook === NF_INET_FORWARD || hook === NF_INGRESS) return false;
  return pkt.ifin === 0 || pkt.ifout === 0;
}

/** The ethertype of a packet (skb->protocol). */
export function etherType(pkt: Packet): number {
  return pkt.family === AF_INET6 ? ETH_P_IPV6 : ETH_P_IP;
}

/** PACKET_* as rules see it: over loopback, whose own type says nothing, the destination address decides. */
export function packetType(pkt: Packet): number {
  if (pkt.pkttype !== PACKET_LOOPBACK) return pkt.pkttype;
  const { view, off } = pkt;
  const multicast =
    pkt.family === AF_INET ? (view.getUint8(off + 16) & 0xf0) === 0xe0 : view.getUint8(off + 24) === 0xff;
  return multicast ? PACKET_MULTICAST : PACKET_BROADCAST;
}

/** What the host itself sends is at the device it leaves by once it comes to POSTROUTING (measured: iiftype only). */
function ownDevice({ hook, pkt }: HookState): number {
  return hook === NF_INET_POST_ROUTING ? pkt.ifout : 0;
}

function deviceType(state: HookState, at: number, device: Device | null): number {
  if (device === null) return NFT_BREAK;
  store16(state, at, device.type);
  return NFT_CONTINUE;
}

function deviceGroup(state: HookState, at: number, device: Device | null): number {
  if (device === null) return NFT_BREAK;
  store32(state, at, device.group);
  return NFT_CONTINUE;
}
