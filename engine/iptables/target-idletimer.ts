import { IgnoredExpr } from '../rules/expr-ignored.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { uintArg } from './values.ts';

/** Longest label, without the zero behind it. */
const LABEL_MAX = 27;
/** The kernel counts milliseconds in 31 bits: seconds from here on are refused (measured). */
const TIMEOUT_END = 2147483;

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
        if (arg.text === '')
          throw new XtError('Argument must have a minimum length of 1 characters', undefined, 0);
        // Measured: what is too long is cut off.
        spec.label = arg.text.slice(0, LABEL_MAX);
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
    if (spec.timeout >= TIMEOUT_END) throw new XtError('IDLETIMER: the timeout is too long');
    // It becomes a file in /sys/class/xt_idletimer/timers.
    if (/^\.{1,2}$|\//.test(spec.label)) throw new XtError(`IDLETIMER: '${spec.label}' cannot be a label`);
  },
  // The real tool does not quote the label.
  save: (spec) => `--timeout ${spec.timeout} --label ${spec.label}${spec.alarm ? ' --alarm' : ''}`,
  lower: () => [new IgnoredExpr('target')],
};
