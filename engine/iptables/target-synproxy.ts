import { SynproxyExpr } from '../rules/expr-synproxy.ts';
import { NF_INET_FORWARD, NF_INET_LOCAL_IN } from '../rules/family.ts';
import { type Extension, XT_BOTH, XtError, type XtOption } from './extension.ts';
import { uintArg } from './values.ts';

interface SynproxySpec {
  sackPerm: boolean;
  timestamp: boolean;
  wscale: number | null;
  mss: number | null;
  ecn: boolean;
}

/** XT_SYNPROXY_OPT_*. */
const OPT_MSS = 1;
const OPT_WSCALE = 2;
const OPT_SACK_PERM = 4;
const OPT_TIMESTAMP = 8;
const OPT_ECN = 16;

function flag(name: string, key: 'sackPerm' | 'timestamp' | 'ecn'): XtOption<SynproxySpec> {
  return {
    name,
    args: 0,
    parse: (spec) => {
      spec[key] = true;
    },
  };
}

function flagsOf(spec: SynproxySpec): number {
  return (
    (spec.mss === null ? 0 : OPT_MSS) |
    (spec.wscale === null ? 0 : OPT_WSCALE) |
    (spec.sackPerm ? OPT_SACK_PERM : 0) |
    (spec.timestamp ? OPT_TIMESTAMP : 0) |
    (spec.ecn ? OPT_ECN : 0)
  );
}

/** `-j SYNPROXY`: answers connection attempts in place of the server. */
export const TARGET_SYNPROXY: Extension<SynproxySpec> = {
  kind: 'target',
  name: 'SYNPROXY',
  families: XT_BOTH,
  hooks: (1 << NF_INET_LOCAL_IN) | (1 << NF_INET_FORWARD),
  options: [
    flag('sack-perm', 'sackPerm'),
    flag('timestamp', 'timestamp'),
    {
      name: 'wscale',
      parse: (spec, arg) => {
        // Of both numbers the kernel gets what fits (measured).
        spec.wscale = uintArg(arg) & 0xff;
      },
    },
    {
      name: 'mss',
      parse: (spec, arg) => {
        spec.mss = uintArg(arg) & 0xffff;
      },
    },
    flag('ecn', 'ecn'),
  ],
  init: () => ({ sackPerm: false, timestamp: false, wscale: null, mss: null, ecn: false }),
  check: (_, facts) => {
    if (facts.proto !== 6 || facts.protoInverted) throw new XtError('SYNPROXY: only -p tcp can be used');
  },
  save: (spec) =>
    [
      ...(spec.sackPerm ? ['--sack-perm'] : []),
      ...(spec.timestamp ? ['--timestamp'] : []),
      ...(spec.wscale === null ? [] : [`--wscale ${spec.wscale}`]),
      ...(spec.mss === null ? [] : [`--mss ${spec.mss}`]),
      ...(spec.ecn ? ['--ecn'] : []),
    ].join(' '),
  lower: (spec) => [new SynproxyExpr(spec.mss ?? 0, spec.wscale ?? 0, flagsOf(spec))],
};
