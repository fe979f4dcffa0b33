import type { Expr } from '../rules/expr.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_DROP, NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';
import { type Extension, XT_IPV6, XtError } from './extension.ts';
import { transportAt } from './transport.ts';
import { readUint } from './values.ts';

interface MhSpec {
  low: number;
  high: number;
  inverted: boolean;
}

/** Types of mobility messages (RFC 6275, section 6.1), long and short name. */
const TYPES: readonly (readonly [string, string])[] = [
  ['binding-refresh-request', 'brr'],
  ['home-test-init', 'hoti'],
  ['careof-test-init', 'coti'],
  ['home-test', 'hot'],
  ['careof-test', 'cot'],
  ['binding-update', 'bu'],
  ['binding-acknowledgement', 'ba'],
  ['binding-error', 'be'],
];
const NO_NEXT = 59;

/** The type of a mobility message. A cut header, or one with a payload, drops the packet. */
class MhMatch implements Expr {
  readonly name = 'match';
  private readonly spec: MhSpec;

  constructor(spec: MhSpec) {
    this.spec = spec;
  }

  eval(state: HookState): number {
    const { pkt } = state;
    if ((pkt.frag & ~1) !== 0) return NFT_BREAK;
    const l4 = transportAt(pkt);
    if (l4 < 0 || l4 + 6 > pkt.end || pkt.view.getUint8(l4) !== NO_NEXT) return NF_DROP;
    const type = pkt.view.getUint8(l4 + 2);
    const { low, high, inverted } = this.spec;
    return (type >= low && type <= high) !== inverted ? NFT_CONTINUE : NFT_BREAK;
  }
}

function typeOf(text: string): number {
  const lower = text.toLowerCase();
  const named = TYPES.findIndex(
    ([long, short]) => lower === short || (lower !== '' && long.startsWith(lower)),
  );
  const number = named >= 0 ? named : readUint(text, 0, 255);
  if (number === undefined)
    throw new XtError(`Invalid MH type \`${text}'`, TYPES.map(([, s]) => s).join(', '), 0);
  return number;
}

/** `-m mh`: messages of Mobile IPv6. */
export const MATCH_MH: Extension<MhSpec> = {
  kind: 'match',
  name: 'mh',
  families: XT_IPV6,
  protocols: [135],
  options: [
    {
      name: 'mh-type',
      invert: true,
      parse: (spec, arg) => {
        const [first, second] = arg.text.split(/:(.*)/s) as [string, string | undefined];
        spec.low = second !== undefined && first === '' ? 0 : typeOf(first);
        spec.high = second === undefined ? spec.low : second === '' ? 255 : typeOf(second);
        if (spec.low > spec.high) throw new XtError('Invalid MH type range (min > max)', undefined, 0);
        spec.inverted = arg.inverted;
      },
    },
  ],
  init: () => ({ low: 0, high: 255, inverted: false }),
  save: ({ low, high, inverted }) =>
    low === 0 && high === 255 && !inverted
      ? ''
      : `${inverted ? '! ' : ''}--mh-type ${low === high ? low : `${low}:${high}`}`,
  lower: (spec) => [new MhMatch(spec)],
};
