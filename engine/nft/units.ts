import type { U64 } from './ast-expr.ts';
import type { LimitSpec } from './ast-stmt.ts';

/** Units of bytes. */
export type ByteUnit = 'bytes' | 'kbytes' | 'mbytes';

const FACTORS: { readonly [unit in ByteUnit]: bigint } = { bytes: 1n, kbytes: 1024n, mbytes: 1048576n };

/** Seconds of what a rate is counted in. */
export const SECONDS: Readonly<Record<LimitSpec['per'], number>> = {
  second: 1,
  minute: 60,
  hour: 3600,
  day: 86400,
  week: 604800,
};

/** How many bytes a number of a unit are; packets are themselves. */
export function toUnits(value: U64, unit: ByteUnit | 'packets' = 'bytes'): bigint {
  return unit === 'packets' ? BigInt(value) : BigInt(value) * FACTORS[unit];
}

/** Bytes, in the largest unit that leaves no rest. */
export interface Amount {
  readonly count: bigint;
  readonly unit: ByteUnit;
}

/** Bytes as nft writes them: in mbytes or kbytes if they are a whole number of those. */
export function amount(bytes: bigint): Amount {
  for (const unit of ['mbytes', 'kbytes'] as const) {
    if (bytes !== 0n && bytes % FACTORS[unit] === 0n) return { count: bytes / FACTORS[unit], unit };
  }
  return { count: bytes, unit: 'bytes' };
}
