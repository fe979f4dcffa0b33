import { IgnoredExpr } from '../rules/expr-ignored.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { quote, readUint } from './values.ts';

interface LedSpec {
  id: string;
  delay: number | 'inf';
  always: boolean;
}

/** `-j LED`: a lamp blinks. This machine's kernel lacks it, so that its listing is not compared. */
export const TARGET_LED: Extension<LedSpec> = {
  kind: 'target',
  name: 'LED',
  families: XT_BOTH,
  options: [
    {
      name: 'led-trigger-id',
      required: true,
      parse: (spec, arg) => {
        spec.id = arg.text;
      },
    },
    {
      name: 'led-delay',
      parse: (spec, arg) => {
        const delay = arg.text === 'inf' ? 'inf' : readUint(arg.text);
        if (delay === undefined)
          throw new XtError('Delay value must be within range 0..4294967295', undefined, 0);
        spec.delay = delay;
      },
    },
    {
      name: 'led-always-blink',
      args: 0,
      parse: (spec) => {
        spec.always = true;
      },
    },
  ],
  init: () => ({ id: '', delay: 0, always: false }),
  save: (spec) =>
    [
      `--led-trigger-id ${quote(spec.id)}`,
      ...(spec.delay === 0 ? [] : [`--led-delay ${spec.delay}`]),
      ...(spec.always ? ['--led-always-blink'] : []),
    ].join(' '),
  lower: () => [new IgnoredExpr('target')],
};
