import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { readUint } from './values.ts';
import { XtMatch } from './xt-match.ts';

interface ConnlabelSpec {
  bit: number;
  set: boolean;
  inverted: boolean;
}

/** A label of the packet's flow; with --set it is put on, and the match holds. */
class ConnlabelMatch extends XtMatch {
  private readonly spec: ConnlabelSpec;

  constructor(spec: ConnlabelSpec) {
    super();
    this.spec = spec;
  }

  matches(state: HookState): boolean {
    const { bit, set, inverted } = this.spec;
    const { flow } = state.pkt;
    if (flow === 0) return inverted;
    if (set) {
      state.conntrack.labels(flow)[bit >> 5]! |= 1 << (bit & 31);
      return !inverted;
    }
    const labels = state.conntrack.extension(flow)?.labels ?? null;
    return (labels !== null && (labels[bit >> 5]! & (1 << (bit & 31))) !== 0) !== inverted;
  }
}

/** `-m connlabel`: labels of flows. Names come from a file that keepstate does not read, so they are numbers. */
export const MATCH_CONNLABEL: Extension<ConnlabelSpec> = {
  kind: 'match',
  name: 'connlabel',
  families: XT_BOTH,
  options: [
    {
      name: 'label',
      invert: true,
      required: true,
      parse: (spec, arg) => {
        const bit = readUint(arg.text, 0, 127);
        if (bit === undefined)
          throw new XtError(
            `label '${arg.text}' not found`,
            'a number of 0 to 127: connlabel.conf is not read',
            0,
          );
        spec.bit = bit;
        spec.inverted = arg.inverted;
      },
    },
    {
      name: 'set',
      args: 0,
      parse: (spec) => {
        spec.set = true;
      },
    },
  ],
  init: () => ({ bit: 0, set: false, inverted: false }),
  save: (spec) => `${spec.inverted ? '! ' : ''}--label "${spec.bit}"${spec.set ? ' --set' : ''}`,
  lower: (spec) => [new ConnlabelMatch(spec)],
};
