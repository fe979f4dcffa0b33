import { replaceChecksum, writable } from '../packet/rewrite.ts';
import type { Expr } from '../rules/expr.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_DROP, NFT_CONTINUE } from '../rules/verdict.ts';
import { type Extension, XT_IPV4, XtError, type XtOption } from './extension.ts';
import { uintArg } from './values.ts';

interface EcnSpec {
  ece: number | null;
  cwr: number | null;
  ect: number | null;
  remove: boolean;
}

const TCP = 6;
const TH_ECE = 0x40;
const TH_CWR = 0x80;

/** Sets the bits of explicit congestion notification. A cut TCP header drops the packet. */
class EcnTarget implements Expr {
  readonly name = 'target';
  private readonly spec: EcnSpec;

  constructor(spec: EcnSpec) {
    this.spec = spec;
  }

  eval(state: HookState): number {
    const { pkt } = state;
    const { ect, ece, cwr } = this.spec;
    if (ect !== null) setEct(state, ect);
    if ((ece === null && cwr === null) || pkt.proto !== TCP) return NFT_CONTINUE;
    if (pkt.l4 < 0 || pkt.l4 + 20 > pkt.end) return NF_DROP;
    const old = pkt.view.getUint8(pkt.l4 + 13);
    let next = old;
    if (ece !== null) next = ece === 0 ? next & ~TH_ECE : next | TH_ECE;
    if (cwr !== null) next = cwr === 0 ? next & ~TH_CWR : next | TH_CWR;
    if (next === old) return NFT_CONTINUE;
    writable(pkt);
    const before = pkt.view.getUint16(pkt.l4 + 12);
    pkt.view.setUint8(pkt.l4 + 13, next);
    replaceChecksum(pkt.view, pkt.l4 + 16, before, pkt.view.getUint16(pkt.l4 + 12));
    return NFT_CONTINUE;
  }
}

function setEct(state: HookState, ect: number): void {
  const { pkt } = state;
  const old = pkt.view.getUint8(pkt.off + 1);
  const next = (old & ~3) | ect;
  if (next === old) return;
  writable(pkt);
  pkt.view.setUint8(pkt.off + 1, next);
  replaceChecksum(pkt.view, pkt.off + 10, old, next);
}

function bit(name: string, key: 'ece' | 'cwr'): XtOption<EcnSpec> {
  return {
    name,
    excludes: ['ecn-tcp-remove'],
    parse: (spec, arg) => {
      spec[key] = uintArg(arg, 0, 1);
    },
  };
}

/** `-j ECN`: bits of explicit congestion notification (RFC 3168). */
export const TARGET_ECN: Extension<EcnSpec> = {
  kind: 'target',
  name: 'ECN',
  families: XT_IPV4,
  tables: ['mangle'],
  options: [
    {
      name: 'ecn-tcp-remove',
      args: 0,
      excludes: ['ecn-tcp-ece', 'ecn-tcp-cwr'],
      parse: (spec) => {
        spec.ece = 0;
        spec.cwr = 0;
        spec.remove = true;
      },
    },
    bit('ecn-tcp-cwr', 'cwr'),
    bit('ecn-tcp-ece', 'ece'),
    {
      name: 'ecn-ip-ect',
      parse: (spec, arg) => {
        spec.ect = uintArg(arg, 0, 3);
      },
    },
  ],
  init: () => ({ ece: null, cwr: null, ect: null, remove: false }),
  finish: (_, seen) => {
    if (seen.size === 0) throw new XtError('ECN target: An operation is required');
  },
  check: (spec, facts) => {
    if ((spec.ece !== null || spec.cwr !== null) && (facts.proto !== TCP || facts.protoInverted))
      throw new XtError('ECN: cannot use operation on non-tcp rule');
  },
  save: (spec) => {
    // Both bits cleared are what --ecn-tcp-remove says, however they were asked for.
    if (spec.ece === 0 && spec.cwr === 0 && spec.ect === null) return '--ecn-tcp-remove';
    const words: string[] = [];
    if (spec.ece === 0 && spec.cwr === 0) words.push('--ecn-tcp-remove');
    else {
      if (spec.ece !== null) words.push(`--ecn-tcp-ece ${spec.ece}`);
      if (spec.cwr !== null) words.push(`--ecn-tcp-cwr ${spec.cwr}`);
    }
    if (spec.ect !== null) words.push(`--ecn-ip-ect ${spec.ect}`);
    return words.join(' ');
  },
  lower: (spec) => [new EcnTarget(spec)],
};
