import type { Ends, Payload } from './build-bytes.ts';
import { type Ipv4Fields, ipv4 } from './build-ipv4.ts';
import { type Ipv6Fields, ipv6 } from './build-ipv6.ts';

/** Fields of either IP header; those that the other family alone has are ignored. */
export interface IpFields extends Ipv4Fields, Ipv6Fields {}

/** Whose packet it is and how its IP header looks; what a whole packet needs besides its transport header. */
export interface Addressed extends Ends {
  /** IP header fields that are not to have their default. */
  readonly ip?: IpFields;
}

/**
 * A packet of IPv4 or IPv6, as the addresses say.
 * @param proto protocol number of the payload
 * @throws RangeError if an address is none, or they are not of one family
 */
export function ipPacket(o: Addressed, proto: number, payload: Payload): Uint8Array {
  const six = o.src.includes(':');
  if (six !== o.dst.includes(':')) throw new RangeError(`${o.src} and ${o.dst} are not of one family`);
  const { src, dst } = o;
  return six ? ipv6({ ...o.ip, src, dst, proto, payload }) : ipv4({ ...o.ip, src, dst, proto, payload });
}
