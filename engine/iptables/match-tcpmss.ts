import type { Expr } from '../rules/expr.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_DROP, NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { transportAt } from './transport.ts';
import { rangeArg } from './values.ts';

interface TcpmssSpec {
  low: number;
  high: number;
  inverted: boolean;
}

const TCP_HEADER = 20;

/** First byte of a TCP option, as tcpmss looks for it; -1 if it is not there. */
function findMss(view: DataView, at: number, end: number): number {
  for (let i = at; i < end; ) {
    const kind = view.getUint8(i);
    if (kind === 2 && end - i >= 4 && view.getUint8(i + 1) === 4) return i;
    i += kind < 2 || i + 1 >= end ? 1 : view.getUint8(i + 1) || 1;
  }
  return -1;
}

/** The largest segment that a TCP packet announces. A cut header drops the packet. */
class TcpmssMatch implements Expr {
  readonly name = 'match';
  private readonly spec: TcpmssSpec;

  constructor(spec: TcpmssSpec) {
    this.spec = spec;
  }

  eval(state: HookState): number {
    const { view, end } = state.pkt;
    const l4 = transportAt(state.pkt);
    if (l4 < 0 || l4 + TCP_HEADER > end) return NF_DROP;
    const length = (view.getUint8(l4 + 12) >> 4) << 2;
    if (length < TCP_HEADER || l4 + length > end) return NF_DROP;
    const { low, high, inverted } = this.spec;
    const at = findMss(view, l4 + TCP_HEADER, l4 + length);
    const mss = at < 0 ? -1 : view.getUint16(at + 2);
    return (mss >= low && mss <= high) !== inverted ? NFT_CONTINUE : NFT_BREAK;
  }
}

/** `-m tcpmss`: the maximum segment size of a SYN. */
export const MATCH_TCPMSS: Extension<TcpmssSpec> = {
  kind: 'match',
  name: 'tcpmss',
  families: XT_BOTH,
  protocols: [6],
  options: [
    {
      name: 'mss',
      invert: true,
      required: true,
      parse: (spec, arg) => {
        [spec.low, spec.high] = rangeArg(arg, ':', 0, 65535);
        if (spec.low > spec.high) throw new XtError(`tcpmss: bad range "${arg.text}"`, undefined, 0);
        spec.inverted = arg.inverted;
      },
    },
  ],
  init: () => ({ low: 0, high: 0, inverted: false }),
  save: ({ low, high, inverted }) => `${inverted ? '! ' : ''}--mss ${low === high ? low : `${low}:${high}`}`,
  lower: (spec) => [new TcpmssMatch(spec)],
};
