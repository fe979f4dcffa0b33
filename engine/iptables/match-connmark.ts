import { F_MARK, ROW_WORDS } from '../conntrack/flow-table.ts';
import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH } from './extension.ts';
import { holds, MARK_OPTION, type MarkTest, markText } from './match-mark.ts';
import { XtMatch } from './xt-match.ts';

class ConnmarkMatch extends XtMatch {
  private readonly test: MarkTest;

  constructor(test: MarkTest) {
    super();
    this.test = test;
  }

  matches(state: HookState): boolean {
    const { flow } = state.pkt;
    if (flow === 0) return false;
    return holds(this.test, state.conntrack.table.words[flow * ROW_WORDS + F_MARK]!);
  }
}

/** `-m connmark`: the mark of the packet's flow. */
export const MATCH_CONNMARK: Extension<MarkTest> = {
  kind: 'match',
  name: 'connmark',
  families: XT_BOTH,
  options: [MARK_OPTION],
  init: () => ({ value: 0, mask: 0, inverted: false }),
  save: markText,
  lower: (spec) => [new ConnmarkMatch(spec)],
};
