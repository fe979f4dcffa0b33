/** Seconds that stand in messages, as the kernel counts them: in ticks, and so many of them in 32 bits. */

/** Ticks of a second (CONFIG_HZ of the kernel that was measured). */
const TICKS_A_SECOND = 250;
/** ms. */
const TICK = 1000 / TICKS_A_SECOND;

/** How long an expectation is waited for (ms). @param seconds a whole number of 32 bits */
export function expectTime(seconds: number): number {
  return ((seconds * TICKS_A_SECOND) >>> 0) * TICK;
}

/** How long a flow is kept (ms). Measured: half of what 32 bits hold lies in the past, so that it goes at once. */
export function flowTime(seconds: number): number {
  return Math.max(0, (seconds * TICKS_A_SECOND) | 0) * TICK;
}
