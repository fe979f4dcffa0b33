import { IgnoredExpr } from '../rules/expr-ignored.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { readTime, timeText } from './rateest-time.ts';
import { quote } from './values.ts';

interface RateestSpec {
  name: string;
  /** Microseconds as written. */
  interval: number;
  average: number;
  /** The interval as a power of two of a quarter of a second, and the weight of the average. */
  step: number;
  log: number;
}

/** A quarter of a second (µs): intervals are this times a power of two. */
const QUARTER = 250_000;

function finish(spec: RateestSpec): void {
  spec.step = 0;
  while (spec.step <= 5 && spec.interval > QUARTER * 2 ** spec.step) spec.step++;
  if (spec.step > 5) throw new XtError('RATEEST: interval value is out of range');
  spec.log = 1;
  while (spec.log < 32) {
    const weight = 1 - 1 / 2 ** spec.log;
    if (spec.interval / -Math.log(weight) > spec.average) break;
    spec.log++;
  }
  spec.log--;
  if (spec.log === 0 || spec.log >= 31) throw new XtError('RATEEST: ewmalog value is out of range');
}

/** `-j RATEEST`: measures the rate of packets for `-m rateest`. */
export const TARGET_RATEEST: Extension<RateestSpec> = {
  kind: 'target',
  name: 'RATEEST',
  families: XT_BOTH,
  options: [
    {
      name: 'rateest-name',
      required: true,
      parse: (spec, arg) => {
        spec.name = arg.text.slice(0, 15);
      },
    },
    {
      name: 'rateest-interval',
      required: true,
      parse: (spec, arg) => {
        spec.interval = readTime(arg);
      },
    },
    {
      name: 'rateest-ewmalog',
      parse: (spec, arg) => {
        spec.average = readTime(arg);
      },
    },
  ],
  init: () => ({ name: '', interval: 0, average: 0, step: 0, log: 0 }),
  finish,
  check: (spec, facts) => {
    // Who makes an estimator first says how it measures.
    const had = facts.world.shared(`rateest:${spec.name}`, () => spec);
    if (had.step !== spec.step || had.log !== spec.log)
      throw new XtError(`RATEEST: ${spec.name} is there with another interval or average`);
  },
  save: (spec) => {
    const interval = QUARTER * 2 ** spec.step;
    return `--rateest-name ${quote(spec.name)} --rateest-interval ${timeText(interval)} --rateest-ewmalog ${timeText(interval * 2 ** spec.log)}`;
  },
  lower: () => [new IgnoredExpr('target')],
};
