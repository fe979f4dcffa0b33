import { LogExpr } from '../rules/expr-log.ts';
import { type Extension, XT_BOTH, XtError, type XtOption } from './extension.ts';
import { quote, uintArg } from './values.ts';

interface NflogSpec {
  prefix: string;
  group: number;
  /** What `--nflog-range` said. */
  range: number;
  /** Bytes to copy, null for all. */
  size: number | null;
  threshold: number;
}

/** The longest prefix that iptables-nft keeps. */
const MAX_PREFIX = 127;
/** The longest that iptables-legacy keeps. */
const MAX_PREFIX_LEGACY = 63;

const OPTIONS: readonly XtOption<NflogSpec>[] = [
  {
    name: 'nflog-group',
    parse: (spec, arg) => {
      spec.group = uintArg(arg, 0, 65535);
    },
  },
  {
    name: 'nflog-prefix',
    parse: (spec, arg) => {
      if (arg.text === '')
        throw new XtError('Argument must have a minimum length of 1 characters', undefined, 0);
      if (/[\n]/.test(arg.text)) throw new XtError('Newlines not allowed in --log-prefix', undefined, 0);
      spec.prefix = arg.text.slice(0, arg.ctx.backend === 'nft' ? MAX_PREFIX : MAX_PREFIX_LEGACY);
    },
  },
  {
    // It never did anything, and only iptables-legacy saves it.
    name: 'nflog-range',
    excludes: ['nflog-size'],
    parse: (spec, arg) => {
      spec.range = uintArg(arg);
    },
  },
  {
    name: 'nflog-size',
    excludes: ['nflog-range'],
    parse: (spec, arg) => {
      spec.size = uintArg(arg);
    },
  },
  {
    name: 'nflog-threshold',
    parse: (spec, arg) => {
      spec.threshold = uintArg(arg, 0, 65535);
    },
  },
];

/** `-j NFLOG`: a message to an nfnetlink group. */
export const TARGET_NFLOG: Extension<NflogSpec> = {
  kind: 'target',
  name: 'NFLOG',
  families: XT_BOTH,
  options: OPTIONS,
  init: () => ({ prefix: '', group: 0, range: 0, size: null, threshold: 0 }),
  save: (spec, { backend }) =>
    [
      ...(spec.prefix === '' ? [] : [`--nflog-prefix ${quote(spec.prefix)}`]),
      ...(spec.group === 0 ? [] : [`--nflog-group ${spec.group}`]),
      ...(spec.range === 0 || backend === 'nft' ? [] : [`--nflog-range ${spec.range}`]),
      ...(spec.size === null ? [] : [`--nflog-size ${spec.size}`]),
      ...(spec.threshold === 0 ? [] : [`--nflog-threshold ${spec.threshold}`]),
    ].join(' '),
  lower: (spec) => [
    new LogExpr({
      prefix: spec.prefix,
      group: spec.group,
      snaplen: spec.size ?? 0,
      qthreshold: spec.threshold,
    }),
  ],
};
