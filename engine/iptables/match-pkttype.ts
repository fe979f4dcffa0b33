import { packetType } from '../rules/expr-meta.ts';
import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { XtMatch } from './xt-match.ts';

interface PkttypeSpec {
  type: number;
  inverted: boolean;
}

/** PACKET_*, the name that is saved first. */
const TYPES: readonly (readonly [string, number])[] = [
  ['unicast', 0],
  ['broadcast', 1],
  ['multicast', 2],
  ['otherhost', 3],
  ['host', 0],
  ['bcast', 1],
  ['mcast', 2],
];

class PkttypeMatch extends XtMatch {
  private readonly spec: PkttypeSpec;

  constructor(spec: PkttypeSpec) {
    super();
    this.spec = spec;
  }

  matches(state: HookState): boolean {
    return (packetType(state.pkt) === this.spec.type) !== this.spec.inverted;
  }
}

/** `-m pkttype`: to whom the link layer sent the packet. */
export const MATCH_PKTTYPE: Extension<PkttypeSpec> = {
  kind: 'match',
  name: 'pkttype',
  families: XT_BOTH,
  options: [
    {
      name: 'pkt-type',
      invert: true,
      required: true,
      parse: (spec, arg) => {
        const known = TYPES.find(([name]) => name === arg.text.toLowerCase());
        if (known === undefined) throw new XtError(`Bad packet type '${arg.text}'`, undefined, 0);
        spec.type = known[1];
        spec.inverted = arg.inverted;
      },
    },
  ],
  init: () => ({ type: 0, inverted: false }),
  save: (spec) => `${spec.inverted ? '! ' : ''}--pkt-type ${TYPES.find(([, t]) => t === spec.type)![0]}`,
  lower: (spec) => [new PkttypeMatch(spec)],
};
