import {
  addressBytes,
  concat,
  type Ends,
  halfWords,
  macBytes,
  transportChecksum,
  viewOf,
  words,
} from './build-bytes.ts';
import { errorFields, type IcmpErrorFields, type IcmpFields, icmpBytes } from './build-icmp.ts';
import {
  NDISC_NEIGHBOUR_ADVERTISEMENT,
  NDISC_NEIGHBOUR_SOLICITATION,
  NDISC_REDIRECT,
  NDISC_ROUTER_ADVERTISEMENT,
  NDISC_ROUTER_SOLICITATION,
} from './icmpv6.ts';
import { IPPROTO_ICMPV6 } from './protocols.ts';

/** Most bytes that an IPv6 error quotes: 1280 in all. */
const QUOTE_MAX = 1232;

/** Neighbour discovery options (RFC 4861, section 4.6). */
const SOURCE_LINK_ADDRESS = 1;
const TARGET_LINK_ADDRESS = 2;
const REDIRECTED_HEADER = 4;

/**
 * An ICMPv6 message (RFC 4443) with its checksum.
 * @throws RangeError if an address is none
 */
export function icmpv6(o: Ends & IcmpFields): Uint8Array {
  const message = icmpBytes(o);
  viewOf(message).setUint16(2, o.checksum ?? transportChecksum(o, IPPROTO_ICMPV6, message));
  return message;
}

/**
 * An ICMPv6 error that quotes a packet.
 * @throws RangeError if an address is none
 */
export function icmpv6Error(o: Ends & IcmpErrorFields): Uint8Array {
  const { src, dst } = o;
  return icmpv6({ src, dst, ...errorFields(o, QUOTE_MAX) });
}

/** A neighbour discovery option, padded to a multiple of 8 bytes: type, length in units of 8, content. */
function ndOption(type: number, content: Uint8Array): Uint8Array {
  const units = Math.ceil((2 + content.length) / 8);
  return concat(Uint8Array.of(type, units), content, new Uint8Array(units * 8 - 2 - content.length));
}

function linkAddress(type: number, mac: string | undefined): Uint8Array {
  return mac === undefined ? new Uint8Array(0) : ndOption(type, macBytes(mac));
}

/** What a neighbour solicitation or advertisement says. */
export interface NeighbourFields {
  /** The address asked for or announced. */
  readonly target: string;
  /** The sender's MAC address, as an option; none if left out. */
  readonly mac?: string;
}

/**
 * A neighbour solicitation (RFC 4861, section 4.3), to be given to `icmpv6` or `icmpv6Packet`.
 * @throws RangeError if an address is none
 */
export function neighbourSolicitation(o: NeighbourFields): IcmpFields {
  const payload = concat(addressBytes(o.target), linkAddress(SOURCE_LINK_ADDRESS, o.mac));
  return { type: NDISC_NEIGHBOUR_SOLICITATION, payload };
}

/**
 * A solicited neighbour advertisement (RFC 4861, section 4.4) that overrides what was known.
 * @throws RangeError if an address is none
 */
export function neighbourAdvertisement(o: NeighbourFields): IcmpFields {
  const payload = concat(addressBytes(o.target), linkAddress(TARGET_LINK_ADDRESS, o.mac));
  return { type: NDISC_NEIGHBOUR_ADVERTISEMENT, rest: 0x60000000, payload };
}

/**
 * A router solicitation (RFC 4861, section 4.1).
 * @param mac the sender's MAC address, as an option; none if left out
 */
export function routerSolicitation(mac?: string): IcmpFields {
  return { type: NDISC_ROUTER_SOLICITATION, payload: linkAddress(SOURCE_LINK_ADDRESS, mac) };
}

/**
 * A router advertisement (RFC 4861, section 4.2) with hop limit 64.
 * @param lifetime seconds that it stays a default router
 * @param mac the sender's MAC address, as an option; none if left out
 */
export function routerAdvertisement(lifetime = 1800, mac?: string): IcmpFields {
  const payload = concat(words(0, 0), linkAddress(SOURCE_LINK_ADDRESS, mac));
  return { type: NDISC_ROUTER_ADVERTISEMENT, rest: (64 << 24) | lifetime, payload };
}

/** What an ICMPv6 redirect says. */
export interface RedirectFields {
  /** The better first hop. */
  readonly target: string;
  /** The address that is reached by it. */
  readonly destination: string;
  /** The packet that was redirected; the option is left out if this is. */
  readonly quoted?: Uint8Array;
}

/**
 * A redirect (RFC 4861, section 4.5), to be given to `icmpv6` or `icmpv6Packet`.
 * @throws RangeError if an address is none
 */
export function icmpv6Redirect(o: RedirectFields): IcmpFields {
  const quote = o.quoted?.subarray(0, QUOTE_MAX - 40 - 8);
  const option =
    quote === undefined ? new Uint8Array(0) : ndOption(REDIRECTED_HEADER, concat(halfWords(0, 0, 0), quote));
  return {
    type: NDISC_REDIRECT,
    payload: concat(addressBytes(o.target), addressBytes(o.destination), option),
  };
}
