import type { HookState } from '../rules/hook-state.ts';
import { dsfield, hex2 } from './dsfield.ts';
import { type Extension, XT_BOTH } from './extension.ts';
import { readTos, type TosValue } from './tos-value.ts';
import { XtMatch } from './xt-match.ts';

interface TosTest extends TosValue {
  inverted: boolean;
}

class TosMatch extends XtMatch {
  private readonly spec: TosTest;

  constructor(spec: TosTest) {
    super();
    this.spec = spec;
  }

  matches(state: HookState): boolean {
    const { value, mask, inverted } = this.spec;
    return ((dsfield(state.pkt) & mask) === value) !== inverted;
  }
}

/** `-m tos`: some bits of the type of service or traffic class. */
export const MATCH_TOS: Extension<TosTest> = {
  kind: 'match',
  name: 'tos',
  families: XT_BOTH,
  options: [
    {
      name: 'tos',
      invert: true,
      required: true,
      parse: (spec, arg) => Object.assign(spec, readTos(arg, 0x3f), { inverted: arg.inverted }),
    },
  ],
  init: () => ({ value: 0, mask: 0, inverted: false }),
  save: (spec) => `${spec.inverted ? '! ' : ''}--tos ${hex2(spec.value)}/${hex2(spec.mask)}`,
  lower: (spec) => [new TosMatch(spec)],
};
