import type { HookState } from '../rules/hook-state.ts';
import { dscpClass, dsfield, hex2 } from './dsfield.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { uintArg } from './values.ts';
import { XtMatch } from './xt-match.ts';

interface DscpTest {
  dscp: number;
  inverted: boolean;
}

class DscpMatch extends XtMatch {
  private readonly spec: DscpTest;

  constructor(spec: DscpTest) {
    super();
    this.spec = spec;
  }

  matches(state: HookState): boolean {
    return (dsfield(state.pkt) >> 2 === this.spec.dscp) !== this.spec.inverted;
  }
}

/** `-m dscp`: the differentiated services code point. */
export const MATCH_DSCP: Extension<DscpTest> = {
  kind: 'match',
  name: 'dscp',
  families: XT_BOTH,
  options: [
    {
      name: 'dscp',
      invert: true,
      excludes: ['dscp-class'],
      parse: (spec, arg) => {
        spec.dscp = uintArg(arg, 0, 63);
        spec.inverted = arg.inverted;
      },
    },
    {
      name: 'dscp-class',
      invert: true,
      excludes: ['dscp'],
      parse: (spec, arg) => {
        spec.dscp = dscpClass(arg.text);
        spec.inverted = arg.inverted;
      },
    },
  ],
  init: () => ({ dscp: 0, inverted: false }),
  finish: (_, seen) => {
    if (seen.size === 0) throw new XtError('DSCP match: Parameter --dscp is required');
  },
  save: (spec) => `${spec.inverted ? '! ' : ''}--dscp ${hex2(spec.dscp)}`,
  lower: (spec) => [new DscpMatch(spec)],
};
