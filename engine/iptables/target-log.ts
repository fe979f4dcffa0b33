import { didYouMean } from '../base/suggest.ts';
import type { Expr } from '../rules/expr.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NFT_CONTINUE } from '../rules/verdict.ts';
import { type Extension, XT_BOTH, XtError, type XtOption } from './extension.ts';
import { LOG_LEVEL_NAMES, quote, readLogLevel } from './values.ts';

/** What `-j LOG` says. */
interface LogSpec {
  level: number;
  prefix: string;
  /** NF_LOG_*. */
  flags: number;
}

/** Options that set a flag, in the order of the listing: NF_LOG_TCPSEQ, _TCPOPT, _IPOPT, _UID, _MACDECODE. */
const FLAGS: readonly [string, number][] = [
  ['log-tcp-sequence', 1],
  ['log-tcp-options', 2],
  ['log-ip-options', 4],
  ['log-uid', 8],
  ['log-macdecode', 32],
];
const DEFAULT_LEVEL = 4;
/** Longest prefix: what the kernel's structure holds; the rest is cut off (measured). */
const PREFIX_MAX = 29;

/** `-j LOG`: a line in the kernel's log; the packet goes on to the next rule. */
export const TARGET_LOG: Extension<LogSpec> = {
  kind: 'target',
  name: 'LOG',
  families: XT_BOTH,
  options: [
    {
      name: 'log-level',
      parse(spec, arg) {
        const level = readLogLevel(arg.text);
        if (level === undefined) {
          const near = didYouMean(arg.text.toLowerCase(), LOG_LEVEL_NAMES);
          throw new XtError(`log level "${arg.text}" unknown`, near, 0);
        }
        spec.level = level;
      },
    },
    {
      name: 'log-prefix',
      parse(spec, arg) {
        if (arg.text === '')
          throw new XtError('Argument must have a minimum length of 1 characters', undefined, 0);
        if (arg.text.includes('\n'))
          throw new XtError('LOG: Newlines not allowed in --log-prefix', undefined, 0);
        spec.prefix = arg.text.slice(0, PREFIX_MAX);
      },
    },
    ...FLAGS.map(
      ([name, flag]): XtOption<LogSpec> => ({
        name,
        args: 0,
        parse(spec) {
          spec.flags |= flag;
        },
      }),
    ),
  ],
  init: () => ({ level: DEFAULT_LEVEL, prefix: '', flags: 0 }),
  save(spec) {
    const words: string[] = [];
    if (spec.prefix !== '') words.push(`--log-prefix ${quote(spec.prefix)}`);
    if (spec.level !== DEFAULT_LEVEL) words.push(`--log-level ${spec.level}`);
    for (const [name, flag] of FLAGS) if ((spec.flags & flag) !== 0) words.push(`--${name}`);
    return words.join(' ');
  },
  lower: (spec) => [new LogTarget(spec)],
};

/** Logs and goes on. */
class LogTarget implements Expr {
  readonly name = 'target';
  private readonly spec: LogSpec;

  constructor(spec: LogSpec) {
    this.spec = spec;
  }

  eval(state: HookState): number {
    state.effects.log(state, this.spec.prefix, this.spec.level, this.spec.flags, -1);
    return NFT_CONTINUE;
  }
}
