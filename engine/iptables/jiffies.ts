import type { HookState } from '../rules/hook-state.ts';
import { packetTime } from '../rules/time.ts';

/** Ticks a second of the kernel that keepstate follows (CONFIG_HZ=250, as Debian builds it). */
export const HZ = 250;
/** 2^32. */
export const U32 = 0x100000000;
const SECONDS_A_DAY = 86400;

/** Greatest power of two that lets a day's worth of credits fit in 32 bits (kernel: xt_limit's CREDITS_PER_JIFFY). */
export const CREDITS_PER_JIFFY: number = 2 ** Math.floor(Math.log2((U32 - 1) / (HZ * SECONDS_A_DAY)));

/** The kernel's clock at the packet's time: whole ticks. */
export function jiffies(state: HookState): number {
  return Math.floor((packetTime(state) * HZ) / 1000);
}
