import type { HookState } from '../rules/hook-state.ts';
import { dscpClass, dsfield, hex2, setDsfield } from './dsfield.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { uintArg } from './values.ts';
import { XtChange } from './xt-match.ts';

interface DscpSpec {
  dscp: number;
}

class DscpTarget extends XtChange {
  private readonly dscp: number;

  constructor(dscp: number) {
    super();
    this.dscp = dscp;
  }

  apply(state: HookState): void {
    setDsfield(state.pkt, (dsfield(state.pkt) & 3) | (this.dscp << 2));
  }
}

/** `-j DSCP`: the differentiated services code point. */
export const TARGET_DSCP: Extension<DscpSpec> = {
  kind: 'target',
  name: 'DSCP',
  families: XT_BOTH,
  tables: ['mangle'],
  options: [
    {
      name: 'set-dscp',
      excludes: ['set-dscp-class'],
      parse: (spec, arg) => {
        spec.dscp = uintArg(arg, 0, 63);
      },
    },
    {
      name: 'set-dscp-class',
      excludes: ['set-dscp'],
      parse: (spec, arg) => {
        spec.dscp = dscpClass(arg.text);
      },
    },
  ],
  init: () => ({ dscp: 0 }),
  finish: (_, seen) => {
    if (seen.size === 0) throw new XtError('DSCP target: Parameter --set-dscp is required');
  },
  save: (spec) => `--set-dscp ${hex2(spec.dscp)}`,
  lower: (spec) => [new DscpTarget(spec.dscp)],
};
