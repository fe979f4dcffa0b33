import { F_MARK, ROW_WORDS } from '../conntrack/flow-table.ts';
import { setFlowMark } from '../rules/expr-ct-set.ts';
import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH, type XtArg, XtError, type XtOption } from './extension.ts';
import { hex, uintArg, valueMaskArg } from './values.ts';
import { XtChange } from './xt-match.ts';

interface ConnmarkSpec {
  mode: 'set' | 'save' | 'restore' | null;
  mark: number;
  ctmask: number;
  nfmask: number;
  shift: number;
  left: boolean;
}

/** Changes the mark of the packet's flow, or copies it to or from the packet's. */
class ConnmarkExpr extends XtChange {
  private readonly spec: ConnmarkSpec;

  constructor(spec: ConnmarkSpec) {
    super();
    this.spec = spec;
  }

  apply(state: HookState): void {
    const { spec } = this;
    const { pkt } = state;
    if (pkt.flow === 0) return;
    const own = state.conntrack.table.words[pkt.flow * ROW_WORDS + F_MARK]!;
    if (spec.mode === 'set') setFlowMark(state, this.shifted((own & ~spec.ctmask) ^ spec.mark));
    else if (spec.mode === 'save') {
      const mark = (own & ~spec.ctmask) ^ this.shifted(pkt.mark & spec.nfmask);
      setFlowMark(state, mark);
    } else pkt.mark = (pkt.mark & ~spec.nfmask) ^ this.shifted(own & spec.ctmask);
  }

  private shifted(mark: number): number {
    const { shift, left } = this.spec;
    // A shift by 32 bits does nothing on this machine, as in ECMAScript.
    return left ? (mark << shift) | 0 : (mark >>> shift) | 0;
  }
}

const MODES = ['set-xmark', 'set-mark', 'and-mark', 'or-mark', 'xor-mark', 'save-mark', 'restore-mark'];

function mode(
  name: string,
  args: 0 | 1,
  parse: (spec: ConnmarkSpec, arg: XtArg) => void,
): XtOption<ConnmarkSpec> {
  return { name, args, excludes: MODES.filter((n) => n !== name), parse };
}

function set(spec: ConnmarkSpec, mark: number, ctmask: number): void {
  Object.assign(spec, { mode: 'set', mark, ctmask });
}

const OPTIONS: readonly XtOption<ConnmarkSpec>[] = [
  mode('set-xmark', 1, (spec, arg) => {
    const { value, mask } = valueMaskArg(arg);
    set(spec, value, mask);
  }),
  mode('set-mark', 1, (spec, arg) => {
    const { value, mask } = valueMaskArg(arg);
    set(spec, value, value | mask);
  }),
  mode('and-mark', 1, (spec, arg) => set(spec, 0, ~uintArg(arg))),
  mode('or-mark', 1, (spec, arg) => {
    const bits = uintArg(arg);
    set(spec, bits, bits);
  }),
  mode('xor-mark', 1, (spec, arg) => set(spec, uintArg(arg), 0)),
  mode('save-mark', 0, (spec) => {
    spec.mode = 'save';
  }),
  mode('restore-mark', 0, (spec) => {
    spec.mode = 'restore';
  }),
  {
    name: 'ctmask',
    excludes: ['mask'],
    parse: (spec, arg) => {
      spec.ctmask = uintArg(arg);
    },
  },
  {
    name: 'nfmask',
    excludes: ['mask'],
    parse: (spec, arg) => {
      spec.nfmask = uintArg(arg);
    },
  },
  {
    name: 'mask',
    excludes: ['ctmask', 'nfmask'],
    parse: (spec, arg) => {
      spec.ctmask = uintArg(arg);
      spec.nfmask = spec.ctmask;
    },
  },
  {
    name: 'left-shift-mark',
    parse: (spec, arg) => {
      spec.shift = uintArg(arg, 0, 32);
      spec.left = true;
    },
  },
  {
    name: 'right-shift-mark',
    parse: (spec, arg) => {
      spec.shift = uintArg(arg, 0, 32);
      spec.left = false;
    },
  },
];

function save(spec: ConnmarkSpec): string {
  const shift = spec.shift === 0 ? '' : ` --${spec.left ? 'left' : 'right'}-shift-mark ${spec.shift}`;
  if (spec.mode === 'set') return `--set-xmark ${hex(spec.mark)}/${hex(spec.ctmask)}${shift}`;
  return `--${spec.mode}-mark --nfmask ${hex(spec.nfmask)} --ctmask ${hex(spec.ctmask)}${shift}`;
}

/** `-j CONNMARK`: the mark of the flow. */
export const TARGET_CONNMARK: Extension<ConnmarkSpec> = {
  kind: 'target',
  name: 'CONNMARK',
  families: XT_BOTH,
  options: OPTIONS,
  init: () => ({ mode: null, mark: 0, ctmask: -1, nfmask: -1, shift: 0, left: true }),
  check: (spec) => {
    if (spec.shift > 31) throw new XtError('CONNMARK: a mark has no more than 32 bits');
  },
  finish: (spec) => {
    if (spec.mode === null) throw new XtError('CONNMARK target: No operation specified');
  },
  save,
  lower: (spec) => [new ConnmarkExpr(spec)],
};
