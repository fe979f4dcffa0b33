import type { LimitSpec, QuotaSpec } from './ast-stmt.ts';
import { amount, type ByteUnit, toUnits } from './units.ts';

/** `5 kbytes`. */
function amountText(bytes: bigint): string {
  const { count, unit } = amount(bytes);
  return `${count} ${unit}`;
}

/** A limit in the units that listings use. */
export interface ListedLimit {
  readonly rate: bigint;
  /** Undefined: packets. */
  readonly rateUnit: ByteUnit | undefined;
  readonly per: string;
  readonly burst: bigint;
  /** Undefined: packets. */
  readonly burstUnit: ByteUnit | undefined;
  readonly inv: boolean;
}

// nft's own when none is written; the listing leaves it out.
const DEFAULT_BURST = 5n;

/** Converts a limit to the units that listings use. */
export function listedLimit(limit: LimitSpec): ListedLimit {
  const { per, inv } = limit;
  if (limit.rate_unit === 'packets') {
    const burst = limit.burst === undefined ? DEFAULT_BURST : BigInt(limit.burst);
    return { rate: BigInt(limit.rate), rateUnit: undefined, per, burst, burstUnit: undefined, inv };
  }
  const rate = amount(toUnits(limit.rate, limit.rate_unit));
  const unit = limit.burst_unit === undefined || limit.burst_unit === 'packets' ? 'bytes' : limit.burst_unit;
  const burst = amount(toUnits(limit.burst ?? 0, unit));
  return { rate: rate.count, rateUnit: rate.unit, per, burst: burst.count, burstUnit: burst.unit, inv };
}

/** `rate over 10 kbytes/second burst 5 kbytes`; the same in a rule and in an object. */
export function limitText(spec: LimitSpec): string {
  const limit = listedLimit(spec);
  const over = limit.inv ? 'over ' : '';
  if (limit.rateUnit === undefined) {
    const burst = limit.burst === DEFAULT_BURST || limit.burst === 0n ? '' : ` burst ${limit.burst} packets`;
    return `rate ${over}${limit.rate}/${limit.per}${burst}`;
  }
  const burst = limit.burst === 0n ? '' : ` burst ${limit.burst} ${limit.burstUnit}`;
  return `rate ${over}${limit.rate} ${limit.rateUnit}/${limit.per}${burst}`;
}

/** The bytes of a quota and those used. */
export function quotaBytes(quota: QuotaSpec): { readonly total: bigint; readonly used: bigint } {
  return {
    total: toUnits(quota.val, quota.val_unit),
    used: toUnits(quota.used ?? 0, quota.used_unit),
  };
}

/** `over 10 mbytes used 5 kbytes`; the same in a rule and in an object. */
export function quotaText(quota: QuotaSpec, stateless: boolean): string {
  const { total, used } = quotaBytes(quota);
  const spent = used === 0n || stateless ? '' : ` used ${amountText(used)}`;
  return `${quota.inv ? 'over ' : ''}${amountText(total)}${spent}`;
}
