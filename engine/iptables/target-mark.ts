import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH, type XtArg, XtError, type XtOption } from './extension.ts';
import { hex, uintArg, valueMaskArg } from './values.ts';
import { XtChange } from './xt-match.ts';

interface MarkSpec {
  mark: number;
  /** Bits that are cleared before `mark` is put in by exclusive or. */
  mask: number;
}

/** Sets some bits of the packet's mark. */
class MarkExpr extends XtChange {
  private readonly mark: number;
  private readonly kept: number;

  constructor(spec: MarkSpec) {
    super();
    this.mark = spec.mark | 0;
    this.kept = ~spec.mask;
  }

  apply(state: HookState): void {
    state.pkt.mark = (state.pkt.mark & this.kept) ^ this.mark;
  }
}

const NAMES = ['set-xmark', 'set-mark', 'and-mark', 'or-mark', 'xor-mark'];

function option(name: string, parse: (spec: MarkSpec, arg: XtArg) => void): XtOption<MarkSpec> {
  return { name, excludes: NAMES.filter((n) => n !== name), parse };
}

function bits(name: string, of: (bits: number) => MarkSpec): XtOption<MarkSpec> {
  return option(name, (spec, arg) => Object.assign(spec, of(uintArg(arg))));
}

/** `-j MARK`: sets the packet's mark. */
export const TARGET_MARK: Extension<MarkSpec> = {
  kind: 'target',
  name: 'MARK',
  families: XT_BOTH,
  options: [
    option('set-xmark', (spec, arg) => {
      const { value, mask } = valueMaskArg(arg);
      Object.assign(spec, { mark: value, mask });
    }),
    option('set-mark', (spec, arg) => {
      const { value, mask } = valueMaskArg(arg);
      Object.assign(spec, { mark: value, mask: value | mask });
    }),
    bits('and-mark', (b) => ({ mark: 0, mask: ~b })),
    bits('or-mark', (b) => ({ mark: b, mask: b })),
    bits('xor-mark', (b) => ({ mark: b, mask: 0 })),
  ],
  init: () => ({ mark: 0, mask: 0 }),
  finish: (_, seen) => {
    if (seen.size === 0)
      throw new XtError('MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required');
  },
  save: (spec) => `--set-xmark ${hex(spec.mark)}/${hex(spec.mask)}`,
  lower: (spec) => [new MarkExpr(spec)],
};
