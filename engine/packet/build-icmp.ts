import { addressBytes, concat, internetChecksum, type Payload, payloadBytes, viewOf } from './build-bytes.ts';
import { ICMP_HEADER } from './icmp.ts';

/** What an ICMP or ICMPv6 message says. */
export interface IcmpFields {
  readonly type: number;
  readonly code?: number;
  /** Identifier of a request or reply. */
  readonly id?: number;
  /** Sequence number of a request or reply. */
  readonly seq?: number;
  /** The header's last four bytes as one number, in place of `id` and `seq`. */
  readonly rest?: number;
  readonly payload?: Payload;
  /** In place of the right checksum. */
  readonly checksum?: number;
}

/** What an ICMP or ICMPv6 error says. */
export interface IcmpErrorFields {
  readonly type: number;
  readonly code?: number;
  /** The packet that it is about, from its IP header on. */
  readonly quoted: Uint8Array;
  /** Bytes of that packet to quote; if left out, as many as fit (RFC 1812 section 4.3.2.3, RFC 4443 section 2.4). */
  readonly quoteLength?: number;
  /** The header's last four bytes as one number; 0 if left out. */
  readonly rest?: number;
  /** In place of `rest`: next-hop MTU (RFC 1191, RFC 4443 section 3.2). */
  readonly mtu?: number;
  /** In place of `rest`: the router that an IPv4 redirect names. */
  readonly gateway?: string;
  /** In place of the right checksum. */
  readonly checksum?: number;
}

/** Most bytes that an IPv4 error quotes: 576 in all. */
const QUOTE_MAX = 548;

/** Header without checksum, and payload: what ICMP and ICMPv6 have in common. */
export function icmpBytes(o: IcmpFields): Uint8Array {
  const message = concat(new Uint8Array(ICMP_HEADER), payloadBytes(o.payload));
  const view = viewOf(message);
  view.setUint8(0, o.type);
  view.setUint8(1, o.code ?? 0);
  view.setUint16(4, o.id ?? 0);
  view.setUint16(6, o.seq ?? 0);
  if (o.rest !== undefined) view.setUint32(4, o.rest);
  return message;
}

/**
 * The fields of an error, ready to be built.
 * @param most bytes to quote if `quoteLength` is left out
 * @throws RangeError if `gateway` is no IP address
 */
export function errorFields(o: IcmpErrorFields, most: number): IcmpFields {
  const gateway = o.gateway === undefined ? undefined : viewOf(addressBytes(o.gateway)).getUint32(0);
  const rest = o.mtu ?? gateway ?? o.rest ?? 0;
  const payload = o.quoted.subarray(0, o.quoteLength ?? most);
  const fields = { type: o.type, code: o.code ?? 0, rest, payload };
  return o.checksum === undefined ? fields : { ...fields, checksum: o.checksum };
}

/** An ICMP message (RFC 792) with its checksum. */
export function icmp(o: IcmpFields): Uint8Array {
  const message = icmpBytes(o);
  viewOf(message).setUint16(2, o.checksum ?? internetChecksum(message));
  return message;
}

/**
 * An ICMP error that quotes a packet.
 * @throws RangeError if `gateway` is no IP address
 */
export function icmpError(o: IcmpErrorFields): Uint8Array {
  return icmp(errorFields(o, QUOTE_MAX));
}
