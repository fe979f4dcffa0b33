import type { LimitSpec, QuotaSpec, StmtNode } from './ast-stmt.ts';
import { type ByteUnit, SECONDS, toUnits } from './units.ts';

const NANOSECONDS = 1_000_000_000n;
const U64 = 1n << 64n;
/** What a limit of packets allows at once where nothing is said. */
const DEFAULT_BURST = 5n;

/** How many statements an element of a set has at most (measured). */
export const MOST_STATEMENTS = 2;

/** A number that the real tool keeps in so many bits; unchanged where it fits. */
function cut(value: number | bigint, unit: ByteUnit | 'packets' | undefined, bits: number): bigint | null {
  const all = toUnits(value, unit);
  const kept = BigInt.asUintN(bits, all);
  return kept === all ? null : kept;
}

/** A limit as nft sends it: 64 bits of rate, 32 of burst, higher ones are lost without a word (measured). */
export function cutLimit(limit: LimitSpec): LimitSpec {
  const { rate, rate_unit, burst, burst_unit } = limit;
  const newRate = cut(rate, rate_unit, 64);
  const newBurst = burst === undefined ? null : cut(burst, burst_unit, 32);
  if (newRate === null && newBurst === null) return limit;
  const packets = rate_unit === 'packets';
  const out: LimitSpec =
    newRate === null ? limit : { ...limit, rate: newRate, rate_unit: packets ? 'packets' : 'bytes' };
  if (newBurst === null) return out;
  // The kernel takes no burst for its default.
  const left = newBurst === 0n && packets ? DEFAULT_BURST : newBurst;
  return { ...out, burst: Number(left), burst_unit: packets ? 'packets' : 'bytes' };
}

/** Why the kernel refuses a limit: it counts in nanoseconds, in 64 bits (measured); null if it does not. */
export function limitTrouble(limit: LimitSpec): string | null {
  const rate = toUnits(limit.rate, limit.rate_unit);
  if (rate === 0n) return 'limit rate must be above 0';
  const packets = limit.rate_unit === 'packets';
  const burst = toUnits(limit.burst ?? (packets ? DEFAULT_BURST : 0), limit.burst_unit);
  const time = BigInt(SECONDS[limit.per]) * NANOSECONDS;
  const needed = packets ? (time / rate) * burst : time * (rate + burst);
  return rate + burst >= U64 || needed >= U64
    ? 'Value too large for defined data type: this rate, with its burst, in this time'
    : null;
}

/** Why the kernel refuses a quota: it counts in 63 bits, and no more may be used than there is (measured); null if it does not. */
export function quotaTrouble(quota: QuotaSpec): string | null {
  const bytes = toUnits(quota.val, quota.val_unit);
  if (bytes >= 1n << 63n) return 'Value too large for defined data type';
  return toUnits(quota.used ?? 0, quota.used_unit) > bytes ? 'Invalid argument' : null;
}

/** Why the kernel refuses a limit or quota, null for what it takes and for all other statements. */
export function statefulTrouble(stmt: StmtNode): string | null {
  if ('limit' in stmt) return limitTrouble(stmt.limit);
  return 'quota' in stmt ? quotaTrouble(stmt.quota) : null;
}
