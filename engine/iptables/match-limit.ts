import type { Expr } from '../rules/expr.ts';
import { LimitExpr, NFT_LIMIT_PKTS } from '../rules/expr-limit.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { CREDITS_PER_JIFFY, HZ, jiffies, U32 } from './jiffies.ts';
import { periodRate, readRate } from './rate.ts';
import { uintArg } from './values.ts';

/** What `-m limit` says. */
export interface LimitSpec {
  /** Time for one packet, in 1/10000 s. */
  period: number;
  burst: number;
}

/** XT_LIMIT_SCALE. */
const SCALE = 10000;
const DEFAULT_BURST = 5;
const BURST_MAX = 10000;

/** `-m limit`: a token bucket. */
export const MATCH_LIMIT: Extension<LimitSpec> = {
  kind: 'match',
  name: 'limit',
  families: XT_BOTH,
  options: [
    {
      name: 'limit',
      parse(spec, arg) {
        spec.period = readRate(arg.text, SCALE);
      },
    },
    {
      name: 'limit-burst',
      parse(spec, arg) {
        spec.burst = uintArg(arg, 0, BURST_MAX);
      },
    },
  ],
  init: () => ({ period: readRate('3/hour', SCALE), burst: DEFAULT_BURST }),
  check(spec, facts) {
    if (facts.backend === 'legacy') checkLegacyLimit(spec);
  },
  save(spec) {
    const { rate, unit } = periodRate(spec.period, SCALE);
    // A burst of 0 is five to nf_tables, which holds the rule.
    const burst = spec.burst === 0 || spec.burst === DEFAULT_BURST ? '' : ` --limit-burst ${spec.burst}`;
    return `--limit ${rate}/${unit.name}${burst}`;
  },
  lower(spec, ctx) {
    if (ctx.backend === 'legacy') return [new LimitMatch(spec.period, spec.burst)];
    const { rate, unit } = periodRate(spec.period, SCALE);
    return [new LimitExpr(rate, unit.seconds, spec.burst, NFT_LIMIT_PKTS, 0)];
  },
};

/** Credits for a time in 1/10000 s: 32 bits, and so that the product does not overflow (kernel: user2credits). */
function credits(user: number): number {
  if (user > Math.floor((U32 - 1) / (HZ * CREDITS_PER_JIFFY)))
    return (Math.floor(user / SCALE) * HZ * CREDITS_PER_JIFFY) % U32;
  return Math.floor((user * HZ * CREDITS_PER_JIFFY) / SCALE);
}

/** The kernel's limit match, as iptables-legacy uses it: credits that grow with each jiffy. */
class LimitMatch implements Expr {
  readonly name = 'match';
  private readonly cost: number;
  private readonly cap: number;
  private credit: number;
  /** Jiffy of the last packet, -1 before the first. */
  private prev = -1;

  constructor(period: number, burst: number) {
    this.cost = credits(period);
    this.cap = credits((period * burst) % U32);
    this.credit = this.cap;
  }

  eval(state: HookState): number {
    const now = jiffies(state);
    if (this.prev >= 0) this.credit = Math.min(this.cap, this.credit + (now - this.prev) * CREDITS_PER_JIFFY);
    this.prev = now;
    if (this.credit < this.cost) return NFT_BREAK;
    this.credit -= this.cost;
    return NFT_CONTINUE;
  }
}

/** Whether the kernel's limit match would take it: burst times period must not overflow its credits. */
function limitFits(spec: LimitSpec): boolean {
  return spec.burst !== 0 && credits((spec.period * spec.burst) % U32) >= credits(spec.period);
}

/** @throws XtError as iptables-legacy does */
function checkLegacyLimit(spec: LimitSpec): void {
  if (!limitFits(spec))
    throw new XtError('limit: the burst is too large for so slow a rate: Numerical result out of range');
}
