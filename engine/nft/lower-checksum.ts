import type { ExprNode } from './ast-expr.ts';
import type { Place } from './lower-bits.ts';

/** NFT_PAYLOAD_CSUM_INET, NFT_PAYLOAD_CSUM_SCTP, NFT_PAYLOAD_L4CSUM_PSEUDOHDR. */
const INET = 1;
const SCTP = 2;
const PSEUDO = 1;

/** Where a protocol's checksum stands, in bytes from its header. */
const CHECKSUMS: Readonly<Record<string, number>> = {
  ip: 10,
  tcp: 16,
  udp: 6,
  sctp: 8,
  icmp: 2,
  icmpv6: 2,
  igmp: 2,
};

/** Fields that the checksums of TCP and UDP hold as well. */
const PSEUDO_FIELDS: Readonly<Record<string, readonly string[]>> = {
  ip: ['saddr', 'daddr', 'protocol', 'length'],
  ip6: ['saddr', 'daddr', 'nexthdr', 'length'],
};

/** What is to be kept right when a field is written. */
export interface Checksum {
  readonly type: number;
  readonly offset: number;
  readonly flags: number;
}

/** Which checksum a field of a header is part of. */
export function checksumOf(key: ExprNode): Checksum {
  // What stands behind the transport header is under that header's checksum (measured).
  if (!('payload' in key)) return { type: 0, offset: 0, flags: isInner(key) ? PSEUDO : 0 };
  const { protocol, field } = key.payload;
  const offset = CHECKSUMS[protocol];
  const pseudo = PSEUDO_FIELDS[protocol]?.includes(field) === true;
  const type = offset === undefined ? 0 : protocol === 'sctp' ? SCTP : INET;
  return { type, offset: offset ?? 0, flags: pseudo ? PSEUDO : 0 };
}

function isInner(key: ExprNode): boolean {
  return 'rawPayload' in key && key.rawPayload.base === 'ih';
}

/**
 * The bytes that must be read, changed and written back to set a field, or null where the field alone can be written:
 * fields smaller than bytes, and where a checksum of 16-bit words is kept, those that are no whole words.
 */
export function widened(place: Place, checksum: Checksum): { first: number; len: number } | null {
  const first = place.offset >> 3;
  const end = (place.offset + place.bits + 7) >> 3;
  const bytes = place.offset % 8 === 0 && place.bits % 8 === 0;
  const isSummed = checksum.type !== 0 || checksum.flags !== 0;
  const words = !isSummed || (end - first) % 2 === 0;
  if (bytes && words) return null;
  if (!isSummed) return { first, len: end - first };
  const from = first & ~1;
  return { first: from, len: (end - from + 1) & ~1 };
}
