/** Value of {@link combineEcn} for fragments that do not go together. */
export const ECN_INVALID = -1;

const NOT_ECT = 1 << 0;
const CE = 1 << 3;

/**
 * The ECN field of a datagram put together from fragments (RFC 3168, section 5.3; measured over all combinations
 * of up to four fragments): congestion seen by one was seen by the datagram; a sender that says both "capable" and
 * "not capable" of ECN in one datagram is not believed.
 * @param seen bit n is set if a fragment had the value n
 * @returns bits to be or-ed into the first fragment's field, or ECN_INVALID if the datagram is to be dropped
 */
export function combineEcn(seen: number): number {
  if ((seen & NOT_ECT) !== 0 && seen !== NOT_ECT) return ECN_INVALID;
  return (seen & CE) !== 0 ? 3 : 0;
}
