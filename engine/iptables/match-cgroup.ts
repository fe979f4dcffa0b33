import type { Expr } from '../rules/expr.ts';
import { mayHaveSocket, NO_PROCESS } from '../rules/expr-meta.ts';
import { NF_INET_LOCAL_IN, NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING } from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_UNKNOWN, NFT_BREAK } from '../rules/verdict.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { uintArg } from './values.ts';

interface CgroupSpec {
  path: string | null;
  id: number | null;
  inverted: boolean;
}

/** The control group of the packet's socket. A forwarded packet has none, and then it does not match either way. */
class CgroupMatch implements Expr {
  readonly name = 'match';
  readonly unknowable: string = NO_PROCESS;

  eval(state: HookState): number {
    if (!mayHaveSocket(state)) return NFT_BREAK;
    state.unknown = this.unknowable;
    return NF_UNKNOWN;
  }
}

/** `-m cgroup`: the control group of the process that sends or gets the packet. */
export const MATCH_CGROUP: Extension<CgroupSpec> = {
  kind: 'match',
  name: 'cgroup',
  families: XT_BOTH,
  hooks: (1 << NF_INET_LOCAL_OUT) | (1 << NF_INET_POST_ROUTING) | (1 << NF_INET_LOCAL_IN),
  options: [
    {
      name: 'path',
      invert: true,
      parse: (spec, arg) => {
        spec.path = arg.text;
        spec.inverted = arg.inverted;
      },
    },
    {
      name: 'cgroup',
      invert: true,
      parse: (spec, arg) => {
        spec.id = uintArg(arg);
        spec.inverted = arg.inverted;
      },
    },
  ],
  init: () => ({ path: null, id: null, inverted: false }),
  check: (spec) => {
    if ((spec.path === null) === (spec.id === null))
      throw new XtError('cgroup: either --path or --cgroup must be specified');
  },
  save: (spec) => {
    const not = spec.inverted ? '! ' : '';
    if (spec.path === null) return `${not}--cgroup ${spec.id}`;
    return `${not}--path "${spec.path.replace(/["'\\]/g, (c) => `\\${c}`)}"`;
  },
  lower: () => [new CgroupMatch()],
};
