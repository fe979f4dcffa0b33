import { type Host, RTN_UNICAST } from '../host/host.ts';
import { fold, sum } from '../packet/checksum.ts';
import { DAY, IPOPT_RR, IPOPT_TIMESTAMP, IPV4_HEADER } from '../packet/ipv4.ts';
import { AF_INET, type Packet } from '../packet/packet.ts';
import { writable } from '../packet/rewrite.ts';
import { VERSION_4_LENGTH_5 } from './plain.ts';

const IPOPT_END = 0;
const IPOPT_NOOP = 1;
const IPOPT_LSRR = 131;
const IPOPT_CIPSO = 134;
const IPOPT_SSRR = 137;
const IPOPT_RA = 148;

/** Options that may stand in a header once. */
const SINGLE: ReadonlyMap<number, number> = new Map([
  [IPOPT_RR, 1],
  [IPOPT_TIMESTAMP, 2],
  [IPOPT_LSRR, 4],
  [IPOPT_SSRR, 4],
  [IPOPT_CIPSO, 8],
]);

/** Kinds of a timestamp: times alone, addresses with them, those of addresses that are given. */
const TS_TSONLY = 0;
const TS_TSANDADDR = 1;
const TS_PRESPEC = 3;
/** The count of routers that found no room, at its highest. */
const OVERFLOW_FULL = 15;

/** {@link IpOptions.arrive}: nothing is wrong. */
export const OPTIONS_FINE: number = -1;
/** {@link IpOptions.arrive}: the sender chose the way, which is not allowed (accept_source_route is 0). */
export const OPTIONS_SOURCE_ROUTE: number = -2;
/** In {@link IpOptions.left}, beside the place of a route: something was written. */
const WRITTEN = 256;
const addressScratch = new Uint8Array(4);
/** An option is as it should be. */
const SOUND = -1;

/**
 * The options of an IPv4 header (RFC 791, section 3.1) as Linux handles them behind PREROUTING, once the packet is routed:
 * broken ones are refused, routes and times are written down. All measured.
 */
export class IpOptions {
  private readonly host: Host;
  private pkt: Packet | null = null;
  private now = 0;
  /**
   * What {@link leaveWithOptions} has to do for the packet that arrived last: WRITTEN, and where the option "record route"
   * begins, counted from the header; 0 for nothing.
   */
  left = 0;

  constructor(host: Host) {
    this.host = host;
  }

  /**
   * Looks at the options of a packet, if it has some, and writes what is to be written. The header's checksum stays as it was
   * up to {@link leaveWithOptions}: errors quote it so.
   * @param now ms since the epoch
   * @returns OPTIONS_FINE, OPTIONS_SOURCE_ROUTE, or which byte of the header is wrong
   */
  arrive(pkt: Packet, now: number): number {
    this.left = 0;
    if (pkt.family !== AF_INET || pkt.view.getUint8(pkt.off) === VERSION_4_LENGTH_5) return OPTIONS_FINE;
    this.pkt = pkt;
    this.now = now;
    return this.read(pkt);
  }

  private read(pkt: Packet): number {
    const header = (pkt.view.getUint8(pkt.off) & 15) << 2;
    let seen = 0;
    let result = OPTIONS_FINE;
    for (let at = IPV4_HEADER; at < header; ) {
      const type = this.byte(at);
      if (type === IPOPT_END) {
        this.clear(at, header);
        break;
      }
      if (type === IPOPT_NOOP) {
        at++;
        continue;
      }
      const length = at + 1 < header ? this.byte(at + 1) : 0;
      if (length < 2 || at + length > header) return at;
      const single = SINGLE.get(type) ?? 0;
      if ((seen & single) !== 0) return at;
      seen |= single;
      const wrong = this.option(type, at, length);
      if (wrong !== SOUND) return at + wrong;
      if (type === IPOPT_LSRR || type === IPOPT_SSRR) result = OPTIONS_SOURCE_ROUTE;
      at += length;
    }
    return result;
  }

  /** Returns SOUND, or which of an option's bytes is wrong. */
  private option(type: number, at: number, length: number): number {
    switch (type) {
      case IPOPT_RR:
        return this.recordRoute(at, length);
      case IPOPT_TIMESTAMP:
        return this.timestamp(at, length);
      case IPOPT_LSRR:
      case IPOPT_SSRR:
        if (length < 3) return 1;
        return this.byte(at + 2) < 4 ? 2 : SOUND;
      case IPOPT_RA:
        return length < 4 ? 1 : SOUND;
      case IPOPT_CIPSO:
        // No domain of interpretation is set up.
        return length < 8 ? 1 : 2;
      default:
        return SOUND;
    }
  }

  private recordRoute(at: number, length: number): number {
    if (length < 3) return 1;
    const pointer = this.byte(at + 2);
    if (pointer < 4) return 2;
    if (pointer > length) return SOUND;
    if (pointer + 3 > length) return 2;
    this.putAddress(at + pointer - 1);
    this.put(at + 2, pointer + 4);
    this.left |= at;
    return SOUND;
  }

  private timestamp(at: number, length: number): number {
    if (length < 4) return 1;
    const pointer = this.byte(at + 2);
    if (pointer < 5) return 2;
    const kind = this.byte(at + 3) & 15;
    if (pointer > length) return this.overflow(at + 3, kind);
    if (pointer + 3 > length) return 2;
    const here = at + pointer - 1;
    if (kind === TS_TSONLY) {
      this.putTime(here);
      this.put(at + 2, pointer + 4);
    } else if (kind === TS_TSANDADDR || kind === TS_PRESPEC) {
      if (pointer + 7 > length) return 2;
      if (kind === TS_PRESPEC && !this.isOwn(here)) return SOUND;
      if (kind === TS_TSANDADDR) this.putAddress(here);
      this.putTime(here + 4);
      this.put(at + 2, pointer + 8);
    }
    return SOUND;
  }

  /** There is no room for another time: that is counted. @returns as {@link option} */
  private overflow(at: number, kind: number): number {
    if (kind === TS_PRESPEC) return SOUND;
    const byte = this.byte(at);
    if (byte >> 4 === OVERFLOW_FULL) return 3;
    this.put(at, byte + 16);
    return SOUND;
  }

  /** Whether an address in the header is this machine's, or at least not another's. */
  private isOwn(at: number): boolean {
    const { view, off } = this.pkt!;
    return this.host.addressType(AF_INET, view, off + at, 0) !== RTN_UNICAST;
  }

  private byte(at: number): number {
    return this.pkt!.view.getUint8(this.pkt!.off + at);
  }

  private put(at: number, byte: number): void {
    const pkt = this.pkt!;
    writable(pkt);
    pkt.view.setUint8(pkt.off + at, byte);
    this.left |= WRITTEN;
  }

  /** What stands behind the end of the options becomes zero. */
  private clear(from: number, to: number): void {
    for (let at = from; at < to; at++) if (this.byte(at) !== 0) this.put(at, 0);
  }

  /** The address that answers to the sender come from. */
  private putAddress(at: number): void {
    const { view, off } = this.pkt!;
    if (!this.host.sourceAddress(AF_INET, view, off + 12, 0, addressScratch)) return;
    for (let i = 0; i < 4; i++) this.put(at + i, addressScratch[i]!);
  }

  /** Milliseconds since midnight UTC. */
  private putTime(at: number): void {
    const time = Math.floor(this.now) % DAY;
    for (let i = 0; i < 4; i++) this.put(at + i, (time >>> (24 - 8 * i)) & 255);
  }
}

/**
 * Between FORWARD and POSTROUTING the address that was written into the option "record route" becomes that of the side
 * that the packet leaves by, and the header's checksum is made anew.
 * @param left as {@link IpOptions.left} had it
 */
export function leaveWithOptions(host: Host, pkt: Packet, left: number): void {
  writable(pkt);
  const { bytes, view, off } = pkt;
  const route = left & ~WRITTEN;
  if (route !== 0 && host.sourceAddress(AF_INET, view, off + 16, pkt.ifout, addressScratch))
    bytes.set(addressScratch, off + route + view.getUint8(off + route + 2) - 5);
  const header = (view.getUint8(off) & 15) << 2;
  view.setUint16(off + 10, 0);
  view.setUint16(off + 10, ~fold(sum(view, off, off + header)) & 0xffff);
}
