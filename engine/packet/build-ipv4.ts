import {
  addressBytes,
  concat,
  type Ends,
  internetChecksum,
  type Payload,
  padTo,
  payloadBytes,
  viewOf,
} from './build-bytes.ts';
import { IPV4_HEADER } from './ipv4.ts';

/** IPv4 header fields that have a default. */
export interface Ipv4Fields {
  /** 64 if left out. */
  readonly ttl?: number;
  /** Type of service: DSCP and ECN. */
  readonly tos?: number;
  /** Identification, 0 if left out. */
  readonly id?: number;
  /** Don't fragment. */
  readonly df?: boolean;
  /** More fragments. */
  readonly mf?: boolean;
  /** Fragment offset in bytes, a multiple of 8. */
  readonly offset?: number;
  /** Options as bytes; padded with "end of options" to a multiple of 4. */
  readonly options?: Uint8Array;
  /** In place of the right checksum. */
  readonly checksum?: number;
  /** In place of the right total length. */
  readonly totalLength?: number;
  /** In place of the right header length; in bytes, a multiple of 4. */
  readonly headerLength?: number;
  /** In place of 4. */
  readonly version?: number;
}

/** All that an IPv4 packet is made of. */
export interface Ipv4Packet extends Ends, Ipv4Fields {
  readonly proto: number;
  readonly payload?: Payload;
}

const DF = 0x4000;
const MF = 0x2000;

/**
 * An IPv4 packet (RFC 791).
 * @throws RangeError if an address is none, or the header would be longer than 60 bytes
 */
export function ipv4(o: Ipv4Packet): Uint8Array {
  const options = padTo(o.options ?? new Uint8Array(0), 4);
  const payload = payloadBytes(o.payload);
  const length = IPV4_HEADER + options.length;
  if (length > 60) throw new RangeError(`IPv4 options of ${options.length} bytes; 40 is the most`);
  const header = new Uint8Array(IPV4_HEADER);
  const view = viewOf(header);
  view.setUint8(0, ((o.version ?? 4) << 4) | ((o.headerLength ?? length) >> 2));
  view.setUint8(1, o.tos ?? 0);
  view.setUint16(2, o.totalLength ?? length + payload.length);
  view.setUint16(4, o.id ?? 0);
  view.setUint16(6, (o.df ? DF : 0) | (o.mf ? MF : 0) | ((o.offset ?? 0) >> 3));
  view.setUint8(8, o.ttl ?? 64);
  view.setUint8(9, o.proto);
  header.set(addressBytes(o.src), 12);
  header.set(addressBytes(o.dst), 16);
  const packet = concat(header, options, payload);
  // The receiver sums as many bytes as the header length says.
  const summed = packet.subarray(0, o.headerLength ?? length);
  viewOf(packet).setUint16(10, o.checksum ?? internetChecksum(summed));
  return packet;
}
