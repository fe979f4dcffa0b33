import { AF_INET } from '../packet/packet.ts';
import { insertBytes, replaceChecksum, writable } from '../packet/rewrite.ts';
import type { Expr } from '../rules/expr.ts';
import { pathMtu } from '../rules/expr-rt.ts';
import { NF_INET_FORWARD, NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING, NFPROTO_IPV4 } from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_DROP, NFT_CONTINUE } from '../rules/verdict.ts';
import { type Extension, XT_BOTH, XtError, type XtUse } from './extension.ts';
import type { TcpSpec } from './match-tcp.ts';
import { uintArg } from './values.ts';

interface TcpmssTargetSpec {
  mss: number;
  clamp: boolean;
}

const TCP_HEADER = 20;
const TCPOPT_MSS = 2;
const TCPOLEN_MSS = 4;
/** Bytes of a TCP header with all the options that its length field can count. */
const MAX_TCP_HEADER = 60;
/** What a SYN without the option may be given at most (RFC 9293 section 3.7.1, RFC 8200 section 5). */
const DEFAULT_MSS_4 = 536;
const DEFAULT_MSS_6 = 1220;

/** Lowers the largest segment that a SYN announces, or puts the option in. Cut headers are dropped. */
class TcpmssTarget implements Expr {
  readonly name = 'target';
  private readonly spec: TcpmssTargetSpec;

  constructor(spec: TcpmssTargetSpec) {
    this.spec = spec;
  }

  eval(state: HookState): number {
    const { pkt } = state;
    if ((pkt.frag & ~1) !== 0) return NFT_CONTINUE;
    const { l4, end, view } = pkt;
    if (l4 < 0 || end - l4 < TCP_HEADER) return NF_DROP;
    const length = (view.getUint8(l4 + 12) >> 4) << 2;
    if (length < TCP_HEADER || end - l4 < length) return NF_DROP;
    const mss = this.spec.clamp ? pathMss(state) : this.spec.mss;
    if (mss < 0) return NF_DROP;
    const at = findMss(view, l4, length);
    if (at >= 0) lower(state, at - l4, mss);
    else if (end - l4 === length && length < MAX_TCP_HEADER) insert(state, mss);
    return NFT_CONTINUE;
  }
}

/** First byte of the option, as the kernel's walk finds it; -1 if it is not there. */
function findMss(view: DataView, l4: number, length: number): number {
  for (let i = TCP_HEADER; i <= length - TCPOLEN_MSS; ) {
    const kind = view.getUint8(l4 + i);
    const size = view.getUint8(l4 + i + 1);
    if (kind === TCPOPT_MSS && size === TCPOLEN_MSS) return l4 + i;
    i += kind <= 1 || size === 0 ? 1 : size;
  }
  return -1;
}

/** What fits the smaller of the way there and the way back; -1 if that is not even the headers. */
function pathMss(state: HookState): number {
  const mtu = pathMtu(state);
  const headers = state.pkt.family === AF_INET ? 40 : 60;
  return mtu <= headers ? -1 : mtu - headers;
}

/** @param option from the TCP header's first byte */
function lower(state: HookState, option: number, mss: number): void {
  const { pkt } = state;
  const old = pkt.view.getUint16(pkt.l4 + option + 2);
  // It is never raised.
  if (old <= mss) return;
  writable(pkt);
  pkt.view.setUint16(pkt.l4 + option + 2, mss);
  replaceChecksum(pkt.view, pkt.l4 + 16, old, mss);
}

/** Puts the option in front of the others: there is no data behind the header. */
function insert(state: HookState, wanted: number): void {
  const { pkt } = state;
  const isV4 = pkt.family === AF_INET;
  const mss = Math.min(wanted, isV4 ? DEFAULT_MSS_4 : DEFAULT_MSS_6);
  writable(pkt);
  const { l4 } = pkt;
  const length = pkt.end - l4;
  insertBytes(pkt, l4 + TCP_HEADER, TCPOLEN_MSS);
  const { view } = pkt;
  const sum = l4 + 16;
  replaceChecksum(view, sum, length, length + TCPOLEN_MSS);
  const option = (TCPOPT_MSS << 24) | (TCPOLEN_MSS << 16) | mss | 0;
  view.setInt32(l4 + TCP_HEADER, option);
  replaceChecksum(view, sum, 0, option);
  const before = view.getUint16(l4 + 12);
  view.setUint16(l4 + 12, before + 0x1000);
  replaceChecksum(view, sum, before, before + 0x1000);
  if (!isV4) {
    view.setUint16(pkt.off + 4, view.getUint16(pkt.off + 4) + TCPOLEN_MSS);
    return;
  }
  const total = view.getUint16(pkt.off + 2);
  view.setUint16(pkt.off + 2, total + TCPOLEN_MSS);
  replaceChecksum(view, pkt.off + 10, total, total + TCPOLEN_MSS);
}

const TCP_SYN = 0x02;

/** Whether a match lets only packets pass that have SYN, as the kernel sees it (measured). */
function asksForSyn({ ext, spec }: XtUse): boolean {
  if (ext.name !== 'tcp') return false;
  const { flags } = spec as TcpSpec;
  return flags !== null && !flags.inverted && (flags.value & TCP_SYN) !== 0;
}

/** `-j TCPMSS`: lowers the maximum segment size of a SYN. */
export const TARGET_TCPMSS: Extension<TcpmssTargetSpec> = {
  kind: 'target',
  name: 'TCPMSS',
  families: XT_BOTH,
  protocols: [6],
  options: [
    {
      name: 'set-mss',
      parse: (spec, arg) => {
        spec.mss = uintArg(arg, 0, 65535 - (arg.ctx.family === NFPROTO_IPV4 ? 20 : 40));
      },
    },
    {
      name: 'clamp-mss-to-pmtu',
      args: 0,
      parse: (spec) => {
        spec.clamp = true;
      },
    },
  ],
  init: () => ({ mss: 0, clamp: false }),
  finish: (_, seen) => {
    if (seen.size === 0) throw new XtError('TCPMSS target: At least one parameter is required');
  },
  check: (spec, facts) => {
    const ways = (1 << NF_INET_FORWARD) | (1 << NF_INET_LOCAL_OUT) | (1 << NF_INET_POST_ROUTING);
    if (spec.clamp && (facts.hooks & ~ways) !== 0)
      throw new XtError('TCPMSS: path-MTU clamping only supported in FORWARD, OUTPUT and POSTROUTING hooks');
    // nf_tables gives the kernel's target nothing of the rule's matches to look at.
    if (facts.backend === 'legacy' && !facts.uses.some(asksForSyn))
      throw new XtError('TCPMSS: only works on TCP SYN packets', 'add --syn');
  },
  save: (spec) => (spec.clamp ? '--clamp-mss-to-pmtu' : `--set-mss ${spec.mss}`),
  lower: (spec) => [new TcpmssTarget(spec)],
};
