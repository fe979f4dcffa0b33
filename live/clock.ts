const START = Date.now() - performance.now();

/**
 * The time for packets: ms since the epoch, with fractions. Wall clock at the start and the monotonic clock since, so
 * that it never goes backwards when somebody sets the clock.
 */
export function now(): number {
  return START + performance.now();
}
