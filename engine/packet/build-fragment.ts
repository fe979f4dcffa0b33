import { concat, internetChecksum, viewOf } from './build-bytes.ts';
import { fragmentHeader } from './build-ipv6.ts';
import { IPV4_HEADER } from './ipv4.ts';
import { IPV6_HEADER } from './ipv6.ts';
import { IPPROTO_DSTOPTS, IPPROTO_FRAGMENT, IPPROTO_HOPOPTS, IPPROTO_ROUTING } from './protocols.ts';

const MF = 0x2000;
const COPIED_OPTION = 0x80;

/** A stretch of a datagram's payload, in bytes from its start. */
interface Piece {
  readonly from: number;
  readonly to: number;
  readonly last: boolean;
}

/**
 * Cuts `length` bytes into pieces.
 * @param sizes bytes of each piece but the last, which takes what is left; one number for as many equal ones as fit
 * @throws RangeError if a piece that is not the last has no multiple of 8 bytes (RFC 791, section 3.2)
 */
function piecesOf(length: number, sizes: number | readonly number[]): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (let i = 0; from < length || pieces.length === 0; i++) {
    const size = (typeof sizes === 'number' ? sizes : sizes[i]) ?? length - from;
    const to = Math.min(length, from + size);
    const last = to === length;
    if (!last && (size <= 0 || size % 8 !== 0)) {
      throw new RangeError(`a fragment of ${size} bytes with more to come: not a multiple of 8`);
    }
    pieces.push({ from, to, last });
    from = to;
  }
  return pieces;
}

/** An IPv4 header with only the options that every fragment must carry (RFC 791, section 3.1, "copied flag"). */
function copiedHeader(header: Uint8Array): Uint8Array {
  const kept: Uint8Array[] = [];
  for (let at = IPV4_HEADER; at < header.length && header[at] !== 0; ) {
    const length = header[at] === 1 ? 1 : Math.max(2, header[at + 1] ?? 2);
    if (header[at]! & COPIED_OPTION) kept.push(header.subarray(at, at + length));
    at += length;
  }
  const options = concat(...kept);
  const out = concat(header.subarray(0, IPV4_HEADER), options, new Uint8Array(-options.length & 3));
  out[0] = 0x40 | (out.length >> 2);
  return out;
}

/**
 * Cuts an IPv4 packet, which may itself be a fragment, into fragments.
 * @param sizes payload bytes of each fragment but the last, or of every one; multiples of 8
 * @returns the fragments in order, each with the identification of the packet and a right header checksum
 * @throws RangeError if a size is no multiple of 8
 */
export function fragmentIpv4(packet: Uint8Array, sizes: number | readonly number[]): Uint8Array[] {
  const length = (packet[0]! & 15) << 2;
  const payload = packet.subarray(length);
  const first = packet.slice(0, length);
  const later = copiedHeader(first);
  const field = viewOf(packet).getUint16(6);
  return piecesOf(payload.length, sizes).map(({ from, to, last }) => {
    const header = from === 0 ? first : later;
    const fragment = concat(header, payload.subarray(from, to));
    const view = viewOf(fragment);
    view.setUint16(2, fragment.length);
    // DF and the flag of the packet that was cut stay; the offset goes on from its own.
    view.setUint16(6, ((field & 0xe000) | (last ? 0 : MF)) + (field & 0x1fff) + (from >> 3));
    view.setUint16(10, 0);
    view.setUint16(10, internetChecksum(fragment.subarray(0, header.length)));
    return fragment;
  });
}

/** How far the headers reach that every fragment repeats, and where the last of them names the next one. */
function perFragmentHeaders(packet: Uint8Array): { readonly end: number; readonly nextAt: number } {
  let found = { end: IPV6_HEADER, nextAt: 6 };
  let next = packet[6]!;
  for (let at = IPV6_HEADER; at + 2 <= packet.length; ) {
    if (next !== IPPROTO_HOPOPTS && next !== IPPROTO_ROUTING && next !== IPPROTO_DSTOPTS) break;
    const end = at + ((packet[at + 1]! + 1) << 3);
    // Destination options count only if a routing header follows them (RFC 8200, section 4.5).
    if (next !== IPPROTO_DSTOPTS) found = { end, nextAt: at };
    next = packet[at]!;
    at = end;
  }
  return found;
}

/**
 * Cuts an IPv6 packet that has no fragment header into fragments.
 * @param sizes bytes of the fragmentable part in each fragment but the last, or in every one; multiples of 8
 * @param id identification, 32 bits
 * @returns the fragments in order
 * @throws RangeError if a size is no multiple of 8
 */
export function fragmentIpv6(packet: Uint8Array, sizes: number | readonly number[], id = 1): Uint8Array[] {
  const { end, nextAt } = perFragmentHeaders(packet);
  const headers = packet.slice(0, end);
  const next = headers[nextAt]!;
  headers[nextAt] = IPPROTO_FRAGMENT;
  const payload = packet.subarray(end);
  return piecesOf(payload.length, sizes).map(({ from, to, last }) => {
    const extension = fragmentHeader({ offset: from, more: !last, id }).bytes;
    extension[0] = next;
    const fragment = concat(headers, extension, payload.subarray(from, to));
    viewOf(fragment).setUint16(4, fragment.length - IPV6_HEADER);
    return fragment;
  });
}
