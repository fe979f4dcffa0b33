import {
  NF_INET_LOCAL_IN,
  NF_INET_LOCAL_OUT,
  NF_INET_POST_ROUTING,
  NF_INET_PRE_ROUTING,
} from '../rules/family.ts';
import { addressText, type XtAddress } from './address.ts';
import { type Extension, XT_BOTH, type XtArg, XtError, type XtOption } from './extension.ts';
import { optionMaskText, optionNetwork } from './option-address.ts';
import { findProtocol, protocolText } from './protocols.ts';
import { hex, uintArg } from './values.ts';
import { XtMatch } from './xt-match.ts';

interface Value<T> {
  readonly value: T;
  readonly inverted: boolean;
}

/** What is asked of one step of IPsec. */
interface PolicyElement {
  reqid?: Value<number>;
  spi?: Value<number>;
  proto?: Value<number>;
  mode?: Value<'transport' | 'tunnel'>;
  src?: Value<XtAddress>;
  dst?: Value<XtAddress>;
}

interface PolicySpec {
  dir: 'in' | 'out' | null;
  pol: 'none' | 'ipsec';
  strict: boolean;
  /** The last one is under way. */
  elements: PolicyElement[];
}

/** Most steps that a rule can name (XT_POLICY_MAX_ELEM). */
const MAX_ELEMENTS = 4;

/** A captured packet did not come through IPsec of this machine, and none is set up for it to leave by. */
class PolicyMatch extends XtMatch {
  private readonly isNone: boolean;

  constructor(spec: PolicySpec) {
    super();
    this.isNone = spec.pol === 'none';
  }

  matches(): boolean {
    return this.isNone;
  }
}

function element(name: string, put: (e: PolicyElement, arg: XtArg) => void): XtOption<PolicySpec> {
  return {
    name,
    invert: true,
    many: true,
    parse: (spec, arg) => {
      const e = spec.elements.at(-1)!;
      const before = Object.keys(e).length;
      put(e, arg);
      if (Object.keys(e).length === before)
        throw new XtError(`policy match: double --${name} option`, 'begin the next element with --next');
    },
  };
}

const OPTIONS: readonly XtOption<PolicySpec>[] = [
  {
    name: 'dir',
    parse: (spec, arg) => {
      if (arg.text !== 'in' && arg.text !== 'out')
        throw new XtError(`policy match: invalid dir "${arg.text}"`, 'in or out', 0);
      spec.dir = arg.text;
    },
  },
  {
    name: 'pol',
    parse: (spec, arg) => {
      if (arg.text !== 'none' && arg.text !== 'ipsec')
        throw new XtError(`policy match: invalid policy "${arg.text}"`, 'none or ipsec', 0);
      spec.pol = arg.text;
    },
  },
  {
    name: 'strict',
    args: 0,
    parse: (spec) => {
      spec.strict = true;
    },
  },
  element('reqid', (e, arg) => {
    e.reqid = { value: uintArg(arg), inverted: arg.inverted };
  }),
  element('spi', (e, arg) => {
    e.spi = { value: uintArg(arg), inverted: arg.inverted };
  }),
  element('tunnel-src', (e, arg) => {
    e.src = { value: optionNetwork(arg), inverted: arg.inverted };
  }),
  element('tunnel-dst', (e, arg) => {
    e.dst = { value: optionNetwork(arg), inverted: arg.inverted };
  }),
  element('proto', (e, arg) => {
    const value = findProtocol(arg.text);
    if (
      value === undefined ||
      ![50, 51, 108].includes(value) ||
      (arg.text === arg.text.toUpperCase()) !== /^\d+$/.test(arg.text)
    )
      throw new XtError('policy match: protocol must be ah/esp/ipcomp', undefined, 0);
    e.proto = { value, inverted: arg.inverted };
  }),
  element('mode', (e, arg) => {
    if (arg.text !== 'transport' && arg.text !== 'tunnel')
      throw new XtError(`policy match: invalid mode "${arg.text}"`, 'transport or tunnel', 0);
    e.mode = { value: arg.text, inverted: arg.inverted };
  }),
  {
    name: 'next',
    args: 0,
    many: true,
    parse: (spec) => {
      if (Object.keys(spec.elements.at(-1)!).length === 0)
        throw new XtError('policy match: next option without preceding options');
      if (spec.elements.length >= MAX_ELEMENTS)
        throw new XtError('policy match: maximum policy depth reached');
      spec.elements.push({});
    },
  },
];

function finish(spec: PolicySpec): void {
  const used = spec.elements.filter((e) => Object.keys(e).length > 0);
  if (spec.dir === null) throw new XtError('policy match: neither --dir in nor --dir out specified');
  if (spec.pol === 'none' && spec.strict) throw new XtError('policy match: policy none but --strict given');
  if (spec.pol === 'none') spec.elements = [];
  if (!spec.strict && spec.elements.length > 1)
    throw new XtError('policy match: multiple elements but no --strict');
  if (spec.strict && used.length < spec.elements.length)
    throw new XtError('policy match: empty policy element');
  for (const e of used)
    if (e.mode?.value !== 'tunnel' && (e.src ?? e.dst) !== undefined)
      throw new XtError('policy match: --tunnel-src/--tunnel-dst is only valid in tunnel mode');
}

function addr(name: string, v: Value<XtAddress> | undefined): string[] {
  if (v === undefined) return [];
  const { addr: words, mask } = v.value;
  return [not(v, `--${name} ${addressText(words)}${optionMaskText(mask)}`)];
}

function not(v: Value<unknown>, text: string): string {
  return v.inverted ? `! ${text}` : text;
}

function elementText(e: PolicyElement): string {
  return [
    ...(e.reqid === undefined ? [] : [not(e.reqid, `--reqid ${e.reqid.value}`)]),
    ...(e.spi === undefined ? [] : [not(e.spi, `--spi ${hex(e.spi.value)}`)]),
    ...(e.proto === undefined ? [] : [not(e.proto, `--proto ${protocolText(e.proto.value)}`)]),
    ...(e.mode === undefined ? [] : [not(e.mode, `--mode ${e.mode.value}`)]),
    ...addr('tunnel-dst', e.dst),
    ...addr('tunnel-src', e.src),
  ].join(' ');
}

/** `-m policy`: whether IPsec was, or will be, applied to the packet. */
export const MATCH_POLICY: Extension<PolicySpec> = {
  kind: 'match',
  name: 'policy',
  families: XT_BOTH,
  options: OPTIONS,
  // Without --pol it is IPsec that is asked for (measured).
  init: () => ({ dir: null, pol: 'ipsec', strict: false, elements: [{}] }),
  finish,
  check: (spec, facts) => {
    const early = (1 << NF_INET_PRE_ROUTING) | (1 << NF_INET_LOCAL_IN);
    const late = (1 << NF_INET_POST_ROUTING) | (1 << NF_INET_LOCAL_OUT);
    if ((facts.hooks & (spec.dir === 'out' ? early : late)) !== 0)
      throw new XtError(`policy match: --dir ${spec.dir} cannot be used in this chain`);
  },
  save: (spec) =>
    [
      `--dir ${spec.dir} --pol ${spec.pol}`,
      ...(spec.strict ? ['--strict'] : []),
      spec.elements.map(elementText).join(' --next '),
    ]
      .filter((w) => w !== '')
      .join(' '),
  lower: (spec) => [new PolicyMatch(spec)],
};
