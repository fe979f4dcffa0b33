import { ARPHRD_NONE } from '../host/model.ts';
import { icmpReject, tcpReset } from '../host/reject.ts';
import { ingressReset, ingressUnreachable } from '../packet/build-reject-ingress.ts';
import { AF_INET } from '../packet/packet.ts';
import type { Expr } from './expr.ts';
import { NF_INGRESS } from './family.ts';
import type { HookState } from './hook-state.ts';
import { NF_DROP } from './verdict.ts';

/** NFT_REJECT_ICMP_UNREACH: destination unreachable, with a code of the packet's own family. */
export const NFT_REJECT_ICMP_UNREACH = 0;
/** NFT_REJECT_TCP_RST. */
export const NFT_REJECT_TCP_RST = 1;
/** NFT_REJECT_ICMPX_UNREACH: destination unreachable, with a code that both families have. */
export const NFT_REJECT_ICMPX_UNREACH = 2;

/** By NFT_REJECT_ICMPX_* (no route, port, host, prohibited): the code of ICMP (RFC 792, RFC 1812). */
const CODES4: readonly number[] = [0, 3, 1, 13];
/** The same of ICMPv6 (RFC 4443). */
const CODES6: readonly number[] = [0, 4, 3, 1];

/** `reject`: drops the packet and answers it. */
export class RejectExpr implements Expr {
  readonly name = 'reject';
  readonly type: number;
  readonly code: number;

  /** @param type NFT_REJECT_*, `code` of ICMP, of ICMPv6 or NFT_REJECT_ICMPX_*, as the type says */
  constructor(type: number, code: number) {
    this.type = type;
    this.code = code;
  }

  eval(state: HookState): number {
    const { pkt, host, hook } = state;
    if (hook === NF_INGRESS) return this.atIngress(state);
    const answer =
      this.type === NFT_REJECT_TCP_RST
        ? tcpReset(host, pkt, hook)
        : icmpReject(host, pkt, hook, this.codeFor(pkt.family));
    if (answer !== null) state.effects.answer(state, answer, 'reject', 0);
    return NF_DROP;
  }

  /** The answer leaves at once by the device that the packet came by: of one without Ethernet there is none (measured). */
  private atIngress(state: HookState): number {
    const { pkt, host } = state;
    const hasEthernet = host.device(pkt.ifin)?.type !== ARPHRD_NONE;
    const isReset = this.type === NFT_REJECT_TCP_RST;
    const answer = isReset ? ingressReset(pkt) : ingressUnreachable(pkt, this.codeFor(pkt.family));
    if (hasEthernet && answer !== null) state.effects.send(state, answer, 'reject', pkt.ifin);
    return NF_DROP;
  }

  private codeFor(family: number): number {
    if (this.type === NFT_REJECT_ICMP_UNREACH) return this.code;
    return (family === AF_INET ? CODES4 : CODES6)[this.code]!;
  }
}
