import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH } from './extension.ts';
import { valueMaskArg, valueMaskText } from './values.ts';
import { XtMatch } from './xt-match.ts';

/** A test of some bits of a mark. */
export interface MarkTest {
  value: number;
  mask: number;
  inverted: boolean;
}

class MarkMatch extends XtMatch {
  private readonly test: MarkTest;

  constructor(test: MarkTest) {
    super();
    this.test = test;
  }

  matches(state: HookState): boolean {
    return holds(this.test, state.pkt.mark);
  }
}

/** Whether a mark is as the test wants it. */
export function holds(test: MarkTest, mark: number): boolean {
  return ((mark & test.mask) === (test.value | 0)) !== test.inverted;
}

/** `[!] --mark value[/mask]`. */
export const MARK_OPTION: Extension<MarkTest>['options'][number] = {
  name: 'mark',
  invert: true,
  required: true,
  parse: (spec, arg) => Object.assign(spec, valueMaskArg(arg), { inverted: arg.inverted }),
};

/** As it is saved. */
export function markText(spec: MarkTest): string {
  return `${spec.inverted ? '! ' : ''}--mark ${valueMaskText(spec.value, spec.mask)}`;
}

/** `-m mark`: the packet's mark. */
export const MATCH_MARK: Extension<MarkTest> = {
  kind: 'match',
  name: 'mark',
  families: XT_BOTH,
  options: [MARK_OPTION],
  init: () => ({ value: 0, mask: 0, inverted: false }),
  save: markText,
  lower: (spec) => [new MarkMatch(spec)],
};
