import { IgnoredExpr } from '../rules/expr-ignored.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { uintArg } from './values.ts';

interface IdletimerSpec {
  timeout: number;
  label: string;
  alarm: boolean;
}

/** `-j IDLETIMER`: tells user space when no packet came for a while. */
export const TARGET_IDLETIMER: Extension<IdletimerSpec> = {
  kind: 'target',
  name: 'IDLETIMER',
  families: XT_BOTH,
  options: [
    {
      name: 'timeout',
      required: true,
      parse: (spec, arg) => {
        spec.timeout = uintArg(arg);
      },
    },
    {
      name: 'label',
      required: true,
      parse: (spec, arg) => {
        if (arg.text === '' || arg.text.length > 27)
          throw new XtError('IDLETIMER: the label has 1 to 27 characters', undefined, 0);
        spec.label = arg.text;
      },
    },
    {
      name: 'alarm',
      args: 0,
      parse: (spec) => {
        spec.alarm = true;
      },
    },
  ],
  init: () => ({ timeout: 0, label: '', alarm: false }),
  check: (spec) => {
    if (spec.timeout === 0) throw new XtError('IDLETIMER: the timeout must not be 0');
    if (spec.alarm) throw new XtError('IDLETIMER: --alarm is not supported by this kernel');
  },
  // The real tool does not quote the label.
  save: (spec) => `--timeout ${spec.timeout} --label ${spec.label}${spec.alarm ? ' --alarm' : ''}`,
  lower: () => [new IgnoredExpr('target')],
};
