import type { Expr } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { NFT_CONTINUE } from './verdict.ts';

/** What a log statement says. */
export interface LogOptions {
  readonly prefix: string;
  /** syslog's number, 4 (warn) by default; -1 for a log to a group, 8 for audit. */
  readonly level?: number;
  /** NF_LOG_*. */
  readonly flags?: number;
  /** nfnetlink group; -1, the default, for the kernel's log. */
  readonly group?: number;
  readonly snaplen?: number;
  readonly qthreshold?: number;
}

/** `log level audit` goes to the audit system, not to the log. */
const LEVEL_AUDIT = 8;

/** `log`: a line in the kernel's log, or a message to an nfnetlink group. */
export class LogExpr implements Expr {
  readonly name = 'log';
  readonly prefix: string;
  readonly level: number;
  readonly flags: number;
  readonly group: number;
  readonly snaplen: number;
  readonly qthreshold: number;

  constructor(options: LogOptions) {
    this.prefix = options.prefix;
    this.group = options.group ?? -1;
    this.level = options.level ?? (this.group < 0 ? 4 : -1);
    this.flags = options.flags ?? 0;
    this.snaplen = options.snaplen ?? 0;
    this.qthreshold = options.qthreshold ?? 0;
  }

  eval(state: HookState): number {
    if (this.level !== LEVEL_AUDIT) state.effects.log(state, this.prefix, this.level, this.flags, this.group);
    return NFT_CONTINUE;
  }
}
