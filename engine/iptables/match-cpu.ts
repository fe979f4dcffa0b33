import { type Extension, XT_BOTH } from './extension.ts';
import { uintArg } from './values.ts';
import { XtMatch } from './xt-match.ts';

interface CpuSpec {
  cpu: number;
  inverted: boolean;
}

/** The CPU that handles the packet: here there is one, number 0. */
class CpuMatch extends XtMatch {
  private readonly answer: boolean;

  constructor(spec: CpuSpec) {
    super();
    this.answer = (spec.cpu === 0) !== spec.inverted;
  }

  matches(): boolean {
    return this.answer;
  }
}

/** `-m cpu`: the CPU that handles the packet. */
export const MATCH_CPU: Extension<CpuSpec> = {
  kind: 'match',
  name: 'cpu',
  families: XT_BOTH,
  options: [
    {
      name: 'cpu',
      invert: true,
      required: true,
      parse: (spec, arg) => {
        spec.cpu = uintArg(arg);
        spec.inverted = arg.inverted;
      },
    },
  ],
  init: () => ({ cpu: 0, inverted: false }),
  save: (spec) => `${spec.inverted ? '! ' : ''}--cpu ${spec.cpu}`,
  lower: (spec) => [new CpuMatch(spec)],
};
