import {
  addressBytes,
  concat,
  type Ends,
  halfWords,
  type Payload,
  padTo,
  payloadBytes,
  viewOf,
  words,
} from './build-bytes.ts';
import { IPV6_HEADER } from './ipv6.ts';
import {
  IPPROTO_AH,
  IPPROTO_DSTOPTS,
  IPPROTO_FRAGMENT,
  IPPROTO_HOPOPTS,
  IPPROTO_ROUTING,
} from './protocols.ts';

/** One extension header: its number and its bytes, of which the first is overwritten with what comes next. */
export interface ExtensionHeader {
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** IPv6 header fields that have a default. */
export interface Ipv6Fields {
  /** Hop limit, 64 if left out. */
  readonly ttl?: number;
  /** Traffic class. */
  readonly tos?: number;
  /** Flow label, 20 bits. */
  readonly flowLabel?: number;
  /** Extension headers in the order they stand in the packet. */
  readonly extensions?: readonly ExtensionHeader[];
  /** In place of the right payload length. */
  readonly payloadLength?: number;
  /** In place of 6. */
  readonly version?: number;
}

/** All that an IPv6 packet is made of. */
export interface Ipv6Packet extends Ends, Ipv6Fields {
  readonly proto: number;
  readonly payload?: Payload;
}

/**
 * An IPv6 packet (RFC 8200).
 * @throws RangeError if an address is none
 */
export function ipv6(o: Ipv6Packet): Uint8Array {
  const extensions = o.extensions ?? [];
  const chain = extensions.map((extension, i) => {
    const bytes = extension.bytes.slice();
    bytes[0] = extensions[i + 1]?.type ?? o.proto;
    return bytes;
  });
  const body = concat(...chain, payloadBytes(o.payload));
  const header = new Uint8Array(IPV6_HEADER);
  const view = viewOf(header);
  view.setUint32(0, ((o.version ?? 6) << 28) | ((o.tos ?? 0) << 20) | ((o.flowLabel ?? 0) & 0xfffff));
  view.setUint16(4, o.payloadLength ?? body.length);
  view.setUint8(6, extensions[0]?.type ?? o.proto);
  view.setUint8(7, o.ttl ?? 64);
  header.set(addressBytes(o.src), 8);
  header.set(addressBytes(o.dst), 24);
  return concat(header, body);
}

/** A header of options, of which one PadN (RFC 8200 section 4.2) or Pad1 fills the last 8 bytes. */
function optionsHeader(type: number, options: Uint8Array): ExtensionHeader {
  const missing = (8 - ((2 + options.length) % 8)) % 8;
  const pad = new Uint8Array(missing);
  if (missing > 1) pad.set([1, missing - 2]);
  const bytes = concat(Uint8Array.of(0, (2 + options.length + missing) / 8 - 1), options, pad);
  return { type, bytes };
}

/** Hop-by-hop options; with none given, eight bytes of padding. */
export function hopByHop(options: Uint8Array = new Uint8Array(0)): ExtensionHeader {
  return optionsHeader(IPPROTO_HOPOPTS, options);
}

/** Destination options; with none given, eight bytes of padding. */
export function destinationOptions(options: Uint8Array = new Uint8Array(0)): ExtensionHeader {
  return optionsHeader(IPPROTO_DSTOPTS, options);
}

/** What a routing header says. */
export interface Routing {
  /** 2 (RFC 6275) if left out. */
  readonly type?: number;
  /** 0 if left out: the packet is where it was sent to. */
  readonly segmentsLeft?: number;
  readonly addresses?: readonly string[];
}

/** A routing header: next header, length, type, segments left, four reserved bytes, addresses. */
export function routingHeader(o: Routing = {}): ExtensionHeader {
  const addresses = (o.addresses ?? []).map(addressBytes);
  const head = Uint8Array.of(0, addresses.length * 2, o.type ?? 2, o.segmentsLeft ?? 0, 0, 0, 0, 0);
  return { type: IPPROTO_ROUTING, bytes: concat(head, ...addresses) };
}

/** What a fragment header says. */
export interface FragmentFields {
  /** In bytes, a multiple of 8; 0 if left out. */
  readonly offset?: number;
  readonly more?: boolean;
  /** Identification, 32 bits. */
  readonly id?: number;
}

/** A fragment header; with neither offset nor `more` it makes an atomic fragment (RFC 6946). */
export function fragmentHeader(o: FragmentFields = {}): ExtensionHeader {
  const field = ((o.offset ?? 0) & 0xfff8) | (o.more ? 1 : 0);
  return { type: IPPROTO_FRAGMENT, bytes: concat(halfWords(0, field), words(o.id ?? 0)) };
}

/** What an authentication header says. */
export interface AuthenticationFields {
  readonly spi?: number;
  readonly seq?: number;
  /** Integrity check value: 12 bytes of zero if left out; padded to a multiple of 4. */
  readonly icv?: Payload;
}

/** An authentication header (RFC 4302); its length byte counts words of 4 bytes, less two. */
export function authenticationHeader(o: AuthenticationFields = {}): ExtensionHeader {
  const icv = padTo(payloadBytes(o.icv ?? 12), 4);
  const head = Uint8Array.of(0, icv.length / 4 + 1, 0, 0);
  return { type: IPPROTO_AH, bytes: concat(head, words(o.spi ?? 0, o.seq ?? 0), icv) };
}
