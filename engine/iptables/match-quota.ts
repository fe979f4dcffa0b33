import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { readUint64, UINT64_MAX } from './values.ts';
import { XtMatch } from './xt-match.ts';

interface QuotaSpec {
  quota: bigint;
  inverted: boolean;
}

/** Matches until a number of bytes has passed. The first packet that does not fit uses up what is left. */
class QuotaMatch extends XtMatch {
  private readonly inverted: boolean;
  private left: number;

  constructor(spec: QuotaSpec) {
    super();
    this.left = Number(spec.quota);
    this.inverted = spec.inverted;
  }

  matches(state: HookState): boolean {
    const { pkt } = state;
    const bytes = pkt.end - pkt.off + pkt.missing;
    if (this.left >= bytes) {
      this.left -= bytes;
      return !this.inverted;
    }
    this.left = 0;
    return this.inverted;
  }
}

/** `-m quota`: a number of bytes. */
export const MATCH_QUOTA: Extension<QuotaSpec> = {
  kind: 'match',
  name: 'quota',
  families: XT_BOTH,
  options: [
    {
      name: 'quota',
      invert: true,
      required: true,
      parse: (spec, arg) => {
        const value = readUint64(arg.text);
        if (value === undefined)
          throw new XtError(
            `quota: bad value for option "--quota", or out of range (0-${UINT64_MAX})`,
            undefined,
            0,
          );
        spec.quota = value;
        spec.inverted = arg.inverted;
      },
    },
  ],
  init: () => ({ quota: 0n, inverted: false }),
  save: (spec) => `${spec.inverted ? '! ' : ''}--quota ${spec.quota}`,
  lower: (spec) => [new QuotaMatch(spec)],
};
