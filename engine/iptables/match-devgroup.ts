import {
  NF_INET_LOCAL_IN,
  NF_INET_LOCAL_OUT,
  NF_INET_POST_ROUTING,
  NF_INET_PRE_ROUTING,
} from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { type NamedTest, namedArg, namedHolds, namedText } from './named-mask.ts';
import { XtMatch } from './xt-match.ts';

interface DevgroupSpec {
  src: NamedTest | null;
  dst: NamedTest | null;
}

/** The group of the device that the packet came in by, and of the one it leaves by. */
class DevgroupMatch extends XtMatch {
  private readonly spec: DevgroupSpec;

  constructor(spec: DevgroupSpec) {
    super();
    this.spec = spec;
  }

  matches(state: HookState): boolean {
    const { src, dst } = this.spec;
    const { pkt, host } = state;
    if (src !== null && !namedHolds(src, host.device(pkt.ifin)?.group ?? 0)) return false;
    return dst === null || namedHolds(dst, host.device(pkt.ifout)?.group ?? 0);
  }
}

function text(name: string, test: NamedTest | null): string[] {
  return test === null ? [] : [`${test.inverted ? '! ' : ''}--${name} ${namedText(test, 'default')}`];
}

/** `-m devgroup`: groups of devices (`ip link set group`). */
export const MATCH_DEVGROUP: Extension<DevgroupSpec> = {
  kind: 'match',
  name: 'devgroup',
  families: XT_BOTH,
  options: [
    {
      name: 'src-group',
      invert: true,
      parse: (spec, arg) => {
        spec.src = namedArg(arg, 'default');
      },
    },
    {
      name: 'dst-group',
      invert: true,
      parse: (spec, arg) => {
        spec.dst = namedArg(arg, 'default');
      },
    },
  ],
  init: () => ({ src: null, dst: null }),
  finish: (_, seen) => {
    if (seen.size === 0)
      throw new XtError("devgroup match: You must specify either '--src-group' or '--dst-group'");
  },
  check: (spec, facts) => {
    const early = (1 << NF_INET_PRE_ROUTING) | (1 << NF_INET_LOCAL_IN);
    const late = (1 << NF_INET_POST_ROUTING) | (1 << NF_INET_LOCAL_OUT);
    if (spec.src !== null && (facts.hooks & late) !== 0)
      throw new XtError('devgroup: --src-group cannot be used in this chain');
    if (spec.dst !== null && (facts.hooks & early) !== 0)
      throw new XtError('devgroup: --dst-group cannot be used in this chain');
  },
  save: (spec) => [...text('src-group', spec.src), ...text('dst-group', spec.dst)].join(' '),
  lower: (spec) => [new DevgroupMatch(spec)],
};
