import { F_MASTER, ROW_WORDS } from '../conntrack/flow-table.ts';
import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH } from './extension.ts';
import { quote } from './values.ts';
import { XtMatch } from './xt-match.ts';

interface HelperSpec {
  helper: string;
  inverted: boolean;
}

/** Which helper expected the packet's flow. */
class HelperMatch extends XtMatch {
  private readonly spec: HelperSpec;

  constructor(spec: HelperSpec) {
    super();
    this.spec = spec;
  }

  matches(state: HookState): boolean {
    const { helper, inverted } = this.spec;
    const { flow } = state.pkt;
    const master = flow === 0 ? 0 : state.conntrack.table.words[flow * ROW_WORDS + F_MASTER]!;
    if (master === 0) return inverted;
    const name = state.conntrack.extension(master)?.helper?.name;
    if (name === undefined) return inverted;
    // As many letters are compared as the helper's own name has; none at all stands for any helper.
    return (helper === '' || helper.startsWith(name)) !== inverted;
  }
}

/** `-m helper`: flows that a helper such as `ftp` expected. */
export const MATCH_HELPER: Extension<HelperSpec> = {
  kind: 'match',
  name: 'helper',
  families: XT_BOTH,
  options: [
    {
      name: 'helper',
      invert: true,
      required: true,
      parse: (spec, arg) => {
        spec.helper = arg.text.slice(0, 29);
        spec.inverted = arg.inverted;
      },
    },
  ],
  init: () => ({ helper: '', inverted: false }),
  save: (spec) => `${spec.inverted ? '! ' : ''}--helper ${quote(spec.helper)}`,
  lower: (spec) => [new HelperMatch(spec)],
};
