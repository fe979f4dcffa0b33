import {
  concat,
  type Ends,
  halfWords,
  type Payload,
  padTo,
  payloadBytes,
  transportChecksum,
  viewOf,
  words,
} from './build-bytes.ts';
import { IPPROTO_TCP } from './protocols.ts';
import { TCP_HEADER } from './tcp.ts';

/** TCP options by name, laid out and aligned as Linux sends them. */
export interface TcpOptions {
  /** Maximum segment size (RFC 9293). */
  readonly mss?: number;
  /** Window scale shift (RFC 7323). */
  readonly wscale?: number;
  /** SACK permitted (RFC 2018). */
  readonly sackPermitted?: boolean;
  /** SACK blocks: left edge, right edge (RFC 2018). */
  readonly sack?: readonly (readonly [number, number])[];
  /** Timestamp value and echo reply (RFC 7323). */
  readonly timestamps?: readonly [number, number];
}

/** What a TCP segment says. */
export interface TcpFields {
  readonly sport: number;
  readonly dport: number;
  /** TH_* bits. */
  readonly flags: number;
  /** Sequence number, any integer, taken modulo 2^32. */
  readonly seq?: number;
  /** Acknowledgment number, likewise. */
  readonly ack?: number;
  /** As it stands in the header, not scaled; 64240 if left out. */
  readonly window?: number;
  /** By name, or as bytes that are padded to a multiple of 4. */
  readonly options?: TcpOptions | Uint8Array;
  readonly payload?: Payload;
  /** Urgent pointer. */
  readonly urgent?: number;
  /** In place of the right header length; in words of 4 bytes. */
  readonly dataOffset?: number;
  /** In place of the right checksum. */
  readonly checksum?: number;
}

const NOP = 1;

/** TCP options as bytes. Each fills whole words of 4 bytes, so that they can stand in any combination. */
export function tcpOptions(o: TcpOptions): Uint8Array {
  const parts: Uint8Array[] = [];
  if (o.mss !== undefined) parts.push(halfWords(0x0204, o.mss));
  // With both, "SACK permitted" takes the place of the two NOPs before the timestamps.
  if (o.sackPermitted) parts.push(o.timestamps ? halfWords(0x0402) : Uint8Array.of(NOP, NOP, 4, 2));
  if (o.timestamps) {
    if (!o.sackPermitted) parts.push(Uint8Array.of(NOP, NOP));
    parts.push(halfWords(0x080a), words(...o.timestamps));
  }
  if (o.wscale !== undefined) parts.push(Uint8Array.of(NOP, 3, 3, o.wscale));
  if (o.sack) parts.push(Uint8Array.of(NOP, NOP, 5, 2 + 8 * o.sack.length), words(...o.sack.flat()));
  return concat(...parts);
}

/**
 * A TCP segment (RFC 9293, section 3.1) with its checksum.
 * @throws RangeError if an address is none, or the options are longer than 40 bytes
 */
export function tcp(o: Ends & TcpFields): Uint8Array {
  const options = o.options instanceof Uint8Array ? padTo(o.options, 4) : tcpOptions(o.options ?? {});
  if (options.length > 40) throw new RangeError(`TCP options of ${options.length} bytes; 40 is the most`);
  const header = new Uint8Array(TCP_HEADER);
  const view = viewOf(header);
  view.setUint16(0, o.sport);
  view.setUint16(2, o.dport);
  view.setUint32(4, o.seq ?? 0);
  view.setUint32(8, o.ack ?? 0);
  view.setUint8(12, (o.dataOffset ?? (TCP_HEADER + options.length) / 4) << 4);
  view.setUint8(13, o.flags);
  view.setUint16(14, o.window ?? 64240);
  view.setUint16(18, o.urgent ?? 0);
  const segment = concat(header, options, payloadBytes(o.payload));
  viewOf(segment).setUint16(16, o.checksum ?? transportChecksum(o, IPPROTO_TCP, segment));
  return segment;
}
