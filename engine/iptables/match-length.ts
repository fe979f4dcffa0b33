import { AF_INET } from '../packet/packet.ts';
import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH } from './extension.ts';
import { rangeArg } from './values.ts';
import { XtMatch } from './xt-match.ts';

interface LengthSpec {
  low: number;
  high: number;
  inverted: boolean;
}

/** How long the packet says it is, IP header included. */
class LengthMatch extends XtMatch {
  private readonly spec: LengthSpec;

  constructor(spec: LengthSpec) {
    super();
    this.spec = spec;
  }

  matches(state: HookState): boolean {
    const { view, off, family } = state.pkt;
    const length = family === AF_INET ? view.getUint16(off + 2) : view.getUint16(off + 4) + 40;
    return (length >= this.spec.low && length <= this.spec.high) !== this.spec.inverted;
  }
}

/** `-m length`: the packet's length. */
export const MATCH_LENGTH: Extension<LengthSpec> = {
  kind: 'match',
  name: 'length',
  families: XT_BOTH,
  options: [
    {
      name: 'length',
      invert: true,
      required: true,
      parse: (spec, arg) => {
        [spec.low, spec.high] = rangeArg(arg, ':', 0, 65535);
        spec.inverted = arg.inverted;
      },
    },
  ],
  init: () => ({ low: 0, high: 0, inverted: false }),
  save: ({ low, high, inverted }) =>
    `${inverted ? '! ' : ''}--length ${low === high ? low : `${low}:${high}`}`,
  lower: (spec) => [new LengthMatch(spec)],
};
