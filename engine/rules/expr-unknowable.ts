/** Expressions about what only the machine that a packet was captured on could tell. */

import { IPPROTO_TCP } from '../packet/protocols.ts';
import { TH_SYN, tcpFlags } from '../packet/tcp.ts';
import type { Expr } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { nftProto } from './pktinfo.ts';
import { wholeTcpHeader } from './tcp-option.ts';
import { NF_UNKNOWN, NFT_BREAK } from './verdict.ts';

/** `socket`: a fact about the local socket that would get the packet. */
export class SocketExpr implements Expr {
  readonly name = 'socket';
  readonly unknowable: string = 'which sockets exist is not known';
  readonly dreg: number;
  readonly key: number;
  readonly level: number;

  /** @param key NFT_SOCKET_*, `level` of a cgroup */
  constructor(dreg: number, key: number, level: number) {
    this.dreg = dreg;
    this.key = key;
    this.level = level;
  }

  eval(state: HookState): number {
    state.unknown = this.unknowable;
    return NF_UNKNOWN;
  }
}

/** `osf`: the sender's operating system by its SYN; which fingerprints are loaded is not known. */
export class OsfExpr implements Expr {
  readonly name = 'osf';
  readonly unknowable: string = 'which fingerprints of operating systems are loaded is not known';
  readonly dreg: number;
  readonly ttl: number;
  readonly flags: number;

  constructor(dreg: number, ttl: number, flags: number) {
    this.dreg = dreg;
    this.ttl = ttl;
    this.flags = flags;
  }

  eval(state: HookState): number {
    const { pkt } = state;
    const l4 = nftProto(pkt) === IPPROTO_TCP ? wholeTcpHeader(pkt) : -1;
    if (l4 < 0 || (tcpFlags(pkt.view, l4) & TH_SYN) === 0) return NFT_BREAK;
    state.unknown = this.unknowable;
    return NF_UNKNOWN;
  }
}

/** `xfrm`: a fact about the IPsec state that a packet came through; here none does. */
export class XfrmExpr implements Expr {
  readonly name = 'xfrm';
  readonly dreg: number;
  readonly key: number;
  readonly dir: number;
  readonly spnum: number;

  constructor(dreg: number, key: number, dir: number, spnum: number) {
    this.dreg = dreg;
    this.key = key;
    this.dir = dir;
    this.spnum = spnum;
  }

  eval(): number {
    return NFT_BREAK;
  }
}

/** NFT_TUNNEL_PATH: whether there is tunnel metadata. */
export const NFT_TUNNEL_PATH = 0;
