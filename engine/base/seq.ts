/** Sequence numbers live in a circle of 2^32 (RFC 9293, section 3.4). All arithmetic here is on int32. */

/**
 * Whether sequence number `a` comes before `b` on the circle.
 * @returns true if `b` is ahead of `a` by 1 to 2^31-1.
 */
export function before(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

/**
 * Whether sequence number `a` comes after `b` on the circle.
 * @returns true if `a` is ahead of `b` by 1 to 2^31-1.
 */
export function after(a: number, b: number): boolean {
  return ((b - a) | 0) < 0;
}
