import { UnknownExpr } from '../rules/expr.ts';
import { type Extension, XT_BOTH, type XtArg, XtError, type XtOption } from './extension.ts';
import { readUint, uintArg } from './values.ts';

type Rate = 'bps1' | 'pps1' | 'bps2' | 'pps2';

interface RateestSpec {
  name1: string | null;
  name2: string | null;
  delta: boolean;
  op: 'lt' | 'gt' | 'eq' | null;
  inverted: boolean;
  /** Bytes or packets a second, as far as they were given. */
  readonly rates: Map<Rate, number>;
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['bit', 1],
  ['kibit', 1024],
  ['kbit', 1e3],
  ['mibit', 1024 ** 2],
  ['mbit', 1e6],
  ['gibit', 1024 ** 3],
  ['gbit', 1e9],
  ['bps', 8],
  ['kibps', 8 * 1024],
  ['kbps', 8e3],
  ['mbps', 8e6],
  ['gbps', 8e9],
]);

/** A rate in bits, kept as whole bytes a second. */
function bitRate(arg: XtArg): number {
  const m = /^(\d+(?:\.\d*)?)([a-zA-Z]*)$/.exec(arg.text);
  const unit = m === null ? undefined : UNITS.get(m[2]!.toLowerCase());
  if (unit === undefined)
    throw new XtError(`rateest: could not parse rate \`${arg.text}'`, 'such as 100kbit', 0);
  return Math.floor((Number(m![1]) * unit) / 8);
}

/** As tc(8) prints rates: the largest unit that leaves no rest. */
function rateText(bytes: number): string {
  const bits = bytes * 8;
  if (bits >= 1e6 && bits % 1e6 === 0 && bits >= 1e9) return `${bits / 1e6}Mbit`;
  return bits >= 1e6 ? `${Math.round(bits / 1e3)}Kbit` : `${bits}bit`;
}

function rate(name: string, key: Rate, aliases: readonly string[] = []): XtOption<RateestSpec> {
  return {
    name,
    aliases,
    parse: (spec, arg) => {
      spec.rates.set(key, key.startsWith('bps') ? bitRate(arg) : uintArg(arg));
    },
  };
}

function comparison(op: 'lt' | 'gt' | 'eq'): XtOption<RateestSpec> {
  return {
    name: `rateest-${op}`,
    args: 0,
    invert: true,
    excludes: ['lt', 'gt', 'eq'].filter((o) => o !== op).map((o) => `rateest-${o}`),
    parse: (spec, arg) => {
      spec.op = op;
      spec.inverted = arg.inverted;
    },
  };
}

function name(text: string): string {
  if (readUint(text) === undefined && text === '')
    throw new XtError('rateest: the name is empty', undefined, 0);
  return text.slice(0, 15);
}

function rateWords(spec: RateestSpec, keys: readonly Rate[]): string[] {
  return keys.flatMap((key) => {
    const value = spec.rates.get(key);
    if (value === undefined) return [];
    return [`--rateest-${key} ${key.startsWith('bps') ? rateText(value) : value}`];
  });
}

/** A single estimator is compared with the second rate; one that was not given is 0 (measured). */
function absolute(spec: RateestSpec): string[] {
  const { rates } = spec;
  return [
    ...(rates.has('bps1') || rates.has('bps2') ? [`--rateest-bps ${rateText(rates.get('bps2') ?? 0)}`] : []),
    ...(rates.has('pps1') || rates.has('pps2') ? [`--rateest-pps ${rates.get('pps2') ?? 0}`] : []),
  ];
}

function save(spec: RateestSpec): string {
  const op = `${spec.inverted ? '! ' : ''}--rateest-${spec.op}`;
  const second = spec.name2 === null ? [] : [`--rateest2 ${spec.name2}`];
  if (spec.name2 === null && !spec.delta) return [`--rateest ${spec.name1}`, op, ...absolute(spec)].join(' ');
  return [
    ...(spec.delta ? ['--rateest-delta'] : []),
    `--rateest${spec.name2 === null ? '' : '1'} ${spec.name1}`,
    ...rateWords(spec, ['bps1', 'pps1']),
    op,
    ...rateWords(spec, ['bps2', 'pps2']),
    ...second,
  ].join(' ');
}

/** `-m rateest`: the rate that RATEEST measured. Its samples are taken by the clock, not by packets. */
export const MATCH_RATEEST: Extension<RateestSpec> = {
  kind: 'match',
  name: 'rateest',
  families: XT_BOTH,
  options: [
    {
      name: 'rateest1',
      aliases: ['rateest'],
      parse: (spec, arg) => {
        spec.name1 = name(arg.text);
      },
    },
    {
      name: 'rateest2',
      parse: (spec, arg) => {
        spec.name2 = name(arg.text);
      },
    },
    {
      name: 'rateest-delta',
      args: 0,
      parse: (spec) => {
        spec.delta = true;
      },
    },
    rate('rateest-bps1', 'bps1'),
    rate('rateest-pps1', 'pps1'),
    rate('rateest-bps2', 'bps2', ['rateest-bps']),
    rate('rateest-pps2', 'pps2', ['rateest-pps']),
    comparison('lt'),
    comparison('gt'),
    comparison('eq'),
  ],
  init: () => ({ name1: null, name2: null, delta: false, op: null, inverted: false, rates: new Map() }),
  finish: (spec) => {
    if (spec.name1 === null)
      throw new XtError('rateest match: a rate estimator must be named with --rateest');
    if (spec.op === null)
      throw new XtError('rateest match: --rateest-lt, --rateest-gt or --rateest-eq is missing');
  },
  check: (spec, facts) => {
    if (spec.rates.size === 0) throw new XtError('rateest match: --rateest-bps or --rateest-pps is missing');
    for (const n of [spec.name1, spec.name2])
      if (n !== null && facts.world.find(`rateest:${n}`) === undefined)
        throw new XtError(`rateest match: no rule measures "${n}"`, 'a rule with -j RATEEST comes first');
  },
  save,
  lower: () => [new UnknownExpr('rates that RATEEST measures by the clock are not known')],
};
