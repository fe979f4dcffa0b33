import type { HookState } from '../rules/hook-state.ts';
import { dsfield } from './dsfield.ts';
import { type Extension, XT_BOTH, XtError, type XtOption } from './extension.ts';
import { transportAt } from './transport.ts';
import { uintArg } from './values.ts';
import { XtMatch } from './xt-match.ts';

interface EcnTest {
  cwr: boolean | null;
  ece: boolean | null;
  ect: { readonly value: number; readonly inverted: boolean } | null;
}

class EcnMatch extends XtMatch {
  private readonly spec: EcnTest;

  constructor(spec: EcnTest) {
    super();
    this.spec = spec;
  }

  matches(state: HookState): boolean {
    const { cwr, ece, ect } = this.spec;
    if (ect !== null && ((dsfield(state.pkt) & 3) === ect.value) === ect.inverted) return false;
    if (cwr === null && ece === null) return true;
    const l4 = transportAt(state.pkt);
    if (l4 < 0 || l4 + 20 > state.pkt.end) return false;
    const flags = state.pkt.view.getUint8(l4 + 13);
    if (ece !== null && ((flags & 0x40) !== 0) !== ece) return false;
    return cwr === null || ((flags & 0x80) !== 0) === cwr;
  }
}

function bit(name: string, key: 'cwr' | 'ece'): XtOption<EcnTest> {
  return {
    name,
    args: 0,
    invert: true,
    parse: (spec, arg) => {
      spec[key] = !arg.inverted;
    },
  };
}

function bitText(name: string, value: boolean | null): string[] {
  return value === null ? [] : [`${value ? '' : '! '}--${name}`];
}

/** `-m ecn`: bits of explicit congestion notification (RFC 3168). */
export const MATCH_ECN: Extension<EcnTest> = {
  kind: 'match',
  name: 'ecn',
  families: XT_BOTH,
  options: [
    bit('ecn-tcp-cwr', 'cwr'),
    bit('ecn-tcp-ece', 'ece'),
    {
      name: 'ecn-ip-ect',
      invert: true,
      parse: (spec, arg) => {
        spec.ect = { value: uintArg(arg, 0, 3), inverted: arg.inverted };
      },
    },
  ],
  init: () => ({ cwr: null, ece: null, ect: null }),
  finish: (_, seen) => {
    if (seen.size === 0) throw new XtError('ECN match: some option required');
  },
  check: (spec, facts) => {
    if ((spec.cwr !== null || spec.ece !== null) && (facts.proto !== 6 || facts.protoInverted))
      throw new XtError('ecn: cannot match TCP bits for non-tcp packets');
  },
  save: (spec) =>
    [
      ...bitText('ecn-tcp-ece', spec.ece),
      ...bitText('ecn-tcp-cwr', spec.cwr),
      ...(spec.ect === null ? [] : [`${spec.ect.inverted ? '! ' : ''}--ecn-ip-ect ${spec.ect.value}`]),
    ].join(' '),
  lower: (spec) => [new EcnMatch(spec)],
};
