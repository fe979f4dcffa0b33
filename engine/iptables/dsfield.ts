import { AF_INET, type Packet } from '../packet/packet.ts';
import { writable } from '../packet/rewrite.ts';
import { XtError } from './extension.ts';

/** The byte of IPv4's type of service or IPv6's traffic class (RFC 2474). */
export function dsfield(pkt: Packet): number {
  return pkt.family === AF_INET ? pkt.view.getUint8(pkt.off + 1) : (pkt.view.getUint16(pkt.off) >> 4) & 255;
}

/** Sets the byte, and brings IPv4's checksum up to date as the kernel's ipv4_change_dsfield does. */
export function setDsfield(pkt: Packet, value: number): void {
  const old = dsfield(pkt);
  if (old === value) return;
  writable(pkt);
  const { view, off } = pkt;
  if (pkt.family !== AF_INET) {
    view.setUint16(off, (view.getUint16(off) & 0xf00f) | (value << 4));
    return;
  }
  let check = view.getUint16(off + 10) + old;
  if ((check + 1) >> 16 !== 0) check = (check + 1) & 0xffff;
  check -= value;
  check += check >> 16;
  view.setUint16(off + 10, check & 0xffff);
  view.setUint8(off + 1, value);
}

/** Classes of differentiated services (RFC 2474, RFC 2597, RFC 3246). */
const CLASSES: ReadonlyMap<string, number> = new Map([
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((n): [string, number] => [`CS${n}`, n << 3]),
  ['BE', 0],
  ...[1, 2, 3, 4].flatMap((c) => [1, 2, 3].map((d): [string, number] => [`AF${c}${d}`, (c << 3) | (d << 1)])),
  ['EF', 0x2e],
]);

/** The code point of a class. @throws XtError */
export function dscpClass(text: string): number {
  const value = CLASSES.get(text.toUpperCase());
  if (value === undefined)
    throw new XtError(`Invalid DSCP value \`${text}'`, 'CS0 to CS7, AF11 to AF43, EF or BE', 0);
  return value;
}

/** `0x2e`. */
export function hex2(value: number): string {
  return `0x${value.toString(16).padStart(2, '0')}`;
}
