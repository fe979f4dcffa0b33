import { fold, sum } from '../packet/checksum.ts';
import { IPV4_HEADER } from '../packet/ipv4.ts';
import { IPV6_HEADER } from '../packet/ipv6.ts';
import { IPPROTO_FRAGMENT } from '../packet/protocols.ts';

const DF = 0x4000;
const MF = 0x2000;
const FRAGMENT_HEADER = 8;
/** IPOPT_NOOP, and the bit of an option that stands in every fragment. */
const NOP = 1;
const COPIED = 0x80;

/** A stretch of the data behind the headers. */
interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** The data by the sizes in which it came; if rules changed its length, the last takes what is left. */
function stretches(length: number, sizes: readonly number[]): Stretch[] {
  const found: Stretch[] = [];
  let from = 0;
  sizes.forEach((size, i) => {
    const to = i === sizes.length - 1 ? length : Math.min(length, from + size);
    if (to > from) found.push({ from, to });
    from = to;
  });
  return found;
}

/** Options that only the first fragment has become "no operation" in the others (RFC 791, section 3.1). */
function blankOptions(header: Uint8Array): void {
  for (let at = IPV4_HEADER; at < header.length && header[at] !== 0; ) {
    const type = header[at]!;
    const length = type === NOP ? 1 : Math.max(2, header[at + 1] ?? 2);
    if ((type & COPIED) === 0) header.fill(NOP, at, Math.min(header.length, at + length));
    at += length;
  }
}

/**
 * Cuts an IPv4 datagram.
 * @param head bytes of its header
 * @param sizes bytes of data of each fragment
 */
export function cutIpv4(packet: Uint8Array, head: number, sizes: readonly number[]): Uint8Array[] {
  const later = packet.slice(0, head);
  blankOptions(later);
  const df = ((packet[6]! << 8) | packet[7]!) & DF;
  return stretches(packet.length - head, sizes).map(({ from, to }) => {
    const fragment = new Uint8Array(head + to - from);
    fragment.set(from === 0 ? packet.subarray(0, head) : later);
    fragment.set(packet.subarray(head + from, head + to), head);
    const view = new DataView(fragment.buffer);
    view.setUint16(2, fragment.length);
    view.setUint16(6, df | (head + to < packet.length ? MF : 0) | (from >> 3));
    view.setUint16(10, 0);
    view.setUint16(10, ~fold(sum(view, 0, head)) & 0xffff);
    return fragment;
  });
}

/**
 * Cuts an IPv6 datagram. The fragments' identification, which Linux draws at random, is 0.
 * @param head bytes of the headers that each fragment repeats
 * @param nextHeaderAt the byte in them that names what follows
 */
export function cutIpv6(
  packet: Uint8Array,
  head: number,
  nextHeaderAt: number,
  sizes: readonly number[],
): Uint8Array[] {
  return stretches(packet.length - head, sizes).map(({ from, to }) => {
    const fragment = new Uint8Array(head + FRAGMENT_HEADER + to - from);
    fragment.set(packet.subarray(0, head));
    fragment.set(packet.subarray(head + from, head + to), head + FRAGMENT_HEADER);
    const view = new DataView(fragment.buffer);
    view.setUint16(4, fragment.length - IPV6_HEADER);
    view.setUint8(head, packet[nextHeaderAt]!);
    view.setUint8(nextHeaderAt, IPPROTO_FRAGMENT);
    view.setUint16(head + 2, from | (head + to < packet.length ? 1 : 0));
    return fragment;
  });
}
