import type { Packet } from '../packet/packet.ts';

const IPOPT_END = 0;
const IPOPT_NOOP = 1;
/** IPOPT_RR: record route. */
const IPOPT_RR = 7;
/** IPOPT_LSRR and IPOPT_SSRR: loose and strict source route. */
const IPOPT_LSRR = 131;
const IPOPT_SSRR = 137;
/** IPOPT_RA: router alert (RFC 2113). */
const IPOPT_RA = 148;
const FIXED = 20;

/**
 * Finds an option of an IPv4 header (RFC 791, section 3.1), as the kernel's ipv4_find_option does: only record
 * route, the source routes and router alert can be found, and none in a list that is cut short; router alert only with
 * the value 0 (measured), the one that says something.
 * @returns its first byte, or -1
 */
export function findIpOption(pkt: Packet, type: number): number {
  if (type !== IPOPT_RR && type !== IPOPT_LSRR && type !== IPOPT_SSRR && type !== IPOPT_RA) return -1;
  const { view, off } = pkt;
  const end = off + ((view.getUint8(off) & 15) << 2);
  let found = -1;
  for (let at = off + FIXED; at < end; ) {
    const option = view.getUint8(at);
    if (option === IPOPT_END) break;
    if (option === IPOPT_NOOP) {
      at++;
      continue;
    }
    if (at + 2 > end) return -1;
    const length = view.getUint8(at + 1);
    if (length < 2 || at + length > end) return -1;
    const isAlert = option !== IPOPT_RA || (length >= 4 && view.getUint16(at + 2) === 0);
    if (option === type && found < 0 && isAlert) found = at;
    at += length;
  }
  return found;
}
