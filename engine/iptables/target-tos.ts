import type { HookState } from '../rules/hook-state.ts';
import { dsfield, hex2, setDsfield } from './dsfield.ts';
import { type Extension, XT_BOTH, type XtArg, XtError, type XtOption } from './extension.ts';
import { readTos, type TosValue } from './tos-value.ts';
import { uintArg } from './values.ts';
import { XtChange } from './xt-match.ts';

class TosTarget extends XtChange {
  private readonly spec: TosValue;

  constructor(spec: TosValue) {
    super();
    this.spec = spec;
  }

  apply(state: HookState): void {
    setDsfield(state.pkt, ((dsfield(state.pkt) & ~this.spec.mask) ^ this.spec.value) & 255);
  }
}

const NAMES = ['set-tos', 'and-tos', 'or-tos', 'xor-tos'];

function option(name: string, of: (arg: XtArg) => TosValue): XtOption<TosValue> {
  return {
    name,
    excludes: NAMES.filter((n) => n !== name),
    parse: (spec, arg) => Object.assign(spec, of(arg)),
  };
}

/** `-j TOS`: some bits of the type of service or traffic class. */
export const TARGET_TOS: Extension<TosValue> = {
  kind: 'target',
  name: 'TOS',
  families: XT_BOTH,
  tables: ['mangle'],
  options: [
    option('set-tos', (arg) => readTos(arg, 0x3f)),
    option('and-tos', (arg) => ({ value: 0, mask: ~uintArg(arg, 0, 255) & 255 })),
    option('or-tos', (arg) => {
      const value = uintArg(arg, 0, 255);
      return { value, mask: value };
    }),
    option('xor-tos', (arg) => ({ value: uintArg(arg, 0, 255), mask: 0 })),
  ],
  init: () => ({ value: 0, mask: 0 }),
  finish: (_, seen) => {
    if (seen.size === 0) throw new XtError('TOS: An action is required');
  },
  save: (spec) => `--set-tos ${hex2(spec.value)}/${hex2(spec.mask)}`,
  lower: (spec) => [new TosTarget(spec)],
};
