import {
  type ChecksumCover,
  concat,
  type Ends,
  halfWords,
  type Payload,
  payloadBytes,
  transportChecksum,
  viewOf,
} from './build-bytes.ts';
import { IPPROTO_UDP, IPPROTO_UDPLITE } from './protocols.ts';
import { UDP_HEADER } from './udp.ts';

/** What a UDP datagram says. */
export interface UdpFields {
  readonly sport: number;
  readonly dport: number;
  readonly payload?: Payload;
  /** In place of the right length field. */
  readonly length?: number;
  /** In place of the right checksum; 0 for none. */
  readonly checksum?: number;
}

/** What a UDP-Lite datagram says. */
export interface UdpliteFields {
  readonly sport: number;
  readonly dport: number;
  readonly payload?: Payload;
  /** Bytes from the header on that the checksum covers; 0, all, if left out. */
  readonly coverage?: number;
  /**
   * Whose pseudo header is summed. RFC 3828 (section 3.2) has protocol 136. Linux 6.18's connection tracking takes
   * 17, and over IPv4 only the low 8 bits of the length (measured); with `nf_conntrack_checksum=1` it calls every
   * other datagram INVALID.
   */
  readonly checksumAs?: 'rfc3828' | 'linux';
  /** In place of the right checksum. */
  readonly checksum?: number;
}

/** The segment with its checksum at byte 6; 0 would say that there is none, so its equal 0xffff is sent (RFC 768). */
function checked(ends: Ends, proto: number, segment: Uint8Array, cover: ChecksumCover): Uint8Array {
  viewOf(segment).setUint16(6, transportChecksum(ends, proto, segment, cover) || 0xffff);
  return segment;
}

/**
 * A UDP datagram (RFC 768) with its checksum.
 * @throws RangeError if an address is none
 */
export function udp(o: Ends & UdpFields): Uint8Array {
  const payload = payloadBytes(o.payload);
  const length = o.length ?? UDP_HEADER + payload.length;
  const segment = concat(halfWords(o.sport, o.dport, length, o.checksum ?? 0), payload);
  return o.checksum === undefined ? checked(o, IPPROTO_UDP, segment, {}) : segment;
}

/**
 * A UDP-Lite datagram (RFC 3828) with its checksum.
 * @throws RangeError if an address is none
 */
export function udplite(o: Ends & UdpliteFields): Uint8Array {
  const payload = payloadBytes(o.payload);
  const coverage = o.coverage ?? 0;
  const segment = concat(halfWords(o.sport, o.dport, coverage, o.checksum ?? 0), payload);
  if (o.checksum !== undefined) return segment;
  const bytes = coverage === 0 ? segment.length : coverage;
  if (o.checksumAs !== 'linux') return checked(o, IPPROTO_UDPLITE, segment, { bytes });
  const length = o.src.includes(':') ? segment.length : segment.length & 0xff;
  return checked(o, IPPROTO_UDPLITE, segment, { proto: IPPROTO_UDP, length, bytes });
}
