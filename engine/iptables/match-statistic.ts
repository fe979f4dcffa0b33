import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { uintArg } from './values.ts';
import { XtMatch } from './xt-match.ts';

interface StatisticSpec {
  mode: 'random' | 'nth' | null;
  inverted: boolean;
  /** In 2^-31. */
  probability: number;
  every: number;
  packet: number;
}

const FULL = 0x80000000;

/** A share of the packets by chance. */
class RandomMatch extends XtMatch {
  private readonly spec: StatisticSpec;

  constructor(spec: StatisticSpec) {
    super();
    this.spec = spec;
  }

  matches(state: HookState): boolean {
    const drawn = state.random.word() & 0x7fffffff;
    return drawn < this.spec.probability !== this.spec.inverted;
  }
}

/** Every so many packets one; the count belongs to the rule. */
class NthMatch extends XtMatch {
  private readonly last: number;
  private readonly inverted: boolean;
  private count: number;

  constructor(spec: StatisticSpec) {
    super();
    this.last = spec.every - 1;
    this.count = this.last - spec.packet;
    this.inverted = spec.inverted;
  }

  matches(): boolean {
    this.count = this.count === this.last ? 0 : this.count + 1;
    return (this.count === 0) !== this.inverted;
  }
}

/** `-m statistic`: some of the packets, by chance or by number. */
export const MATCH_STATISTIC: Extension<StatisticSpec> = {
  kind: 'match',
  name: 'statistic',
  families: XT_BOTH,
  options: [
    {
      name: 'mode',
      required: true,
      parse: (spec, arg) => {
        if (arg.text !== 'random' && arg.text !== 'nth')
          throw new XtError(`Bad mode "${arg.text}"`, 'random or nth', 0);
        spec.mode = arg.text;
      },
    },
    {
      name: 'probability',
      invert: true,
      excludes: ['every', 'packet'],
      parse: (spec, arg) => {
        const p = /^\s*[+]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(arg.text) ? Number(arg.text) : Number.NaN;
        if (!(p >= 0 && p <= 1))
          throw new XtError(
            'statistic: bad value for option "--probability", or out of range (0.000000-1.000000)',
            undefined,
            0,
          );
        spec.probability = Math.round(FULL * p);
        spec.inverted = arg.inverted;
      },
    },
    {
      name: 'every',
      invert: true,
      also: ['packet'],
      excludes: ['probability'],
      parse: (spec, arg) => {
        spec.every = uintArg(arg, 1);
        spec.inverted = arg.inverted;
      },
    },
    {
      name: 'packet',
      also: ['every'],
      parse: (spec, arg) => {
        spec.packet = uintArg(arg);
      },
    },
  ],
  init: () => ({ mode: null, inverted: false, probability: 0, every: 1, packet: 0 }),
  finish: (spec, seen) => {
    if (spec.mode === 'random' && !seen.has('probability'))
      throw new XtError('--probability must be specified when using random mode');
    if (spec.mode === 'nth' && !seen.has('every'))
      throw new XtError('--every must be specified when using nth mode');
    if (spec.mode === 'nth' && spec.packet >= spec.every)
      throw new XtError('the --packet p must be 0 <= p <= n-1');
  },
  save: (spec) => {
    const not = spec.inverted ? '! ' : '';
    if (spec.mode === 'random')
      return `--mode random ${not}--probability ${(spec.probability / FULL).toFixed(11)}`;
    return `--mode nth ${not}--every ${spec.every} --packet ${spec.packet}`;
  },
  lower: (spec) => [spec.mode === 'random' ? new RandomMatch(spec) : new NthMatch(spec)],
};
