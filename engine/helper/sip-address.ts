/** Addresses and ports in SIP and SDP, as Linux 6.18 reads and writes them (measured). */

import { ipv4Text, ipv6Text } from '../packet/address.ts';
import { AF_INET } from '../packet/packet.ts';
import { bytesOf, lowered } from './payload.ts';
import { NOWHERE, numberAt, type SipText, skipDigits } from './sip-text.ts';

/** SIP_PORT: where one is sent to if nothing is said. */
export const SIP_PORT = 5060;
const FIRST_PORT = 1024;
const LAST_PORT = 65535;
const MOST_PORT_DIGITS = 5;

const DOT = 0x2e;
const COLON = 0x3a;
const OPEN = 0x5b;
const CLOSE = 0x5d;

/** An address and port that was read, and where it stands: `at` to `end`. */
export interface SipEnd {
  at: number;
  end: number;
  /** One word or four, as {@link Conntrack.addressOf} gives them. */
  address: readonly number[];
  port: number;
}

/** One to be filled. */
export function newEnd(): SipEnd {
  return { at: 0, end: 0, address: [], port: 0 };
}

/** -1 if a byte is no hexadecimal digit. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const small = lowered(byte);
  return small >= 0x61 && small <= 0x66 ? small - 0x57 : -1;
}

/** Behind an IPv4 address may not stand what could belong to it: a letter a to f, a dot. */
function readIpv4(text: SipText, at: number, out: SipEnd): boolean {
  let word = 0;
  for (let i = 0; i < 4; i++) {
    if (i > 0 && text.byte(at++) !== DOT) return false;
    const end = skipDigits(text, at);
    if (end === at) return false;
    let value = 0;
    for (; at < end; at++) {
      value = value * 10 + text.byte(at) - 0x30;
      if (value > 255) return false;
    }
    word = (word << 8) | value;
  }
  const next = text.byte(at);
  if (next === DOT || hexDigit(next) >= 0) return false;
  out.end = at;
  out.address = [word];
  return true;
}

/** A group may have any number of zeros in front. @returns -1 if there is none, or it has more than 16 bits */
function readGroup(text: SipText, at: number, out: SipEnd): number {
  let value = 0;
  out.end = at;
  for (let digit = hexDigit(text.byte(at)); digit >= 0; digit = hexDigit(text.byte(++at))) {
    value = value * 16 + digit;
    if (value > 0xffff) return -1;
  }
  const isThere = at > out.end;
  out.end = at;
  return isThere ? value : -1;
}

/** An IPv6 address (RFC 4291, section 2.2); a colon or dot may not follow it. */
function readIpv6(text: SipText, at: number, out: SipEnd): boolean {
  const groups: number[] = [];
  let gap = -1;
  if (text.byte(at) === COLON) {
    if (text.byte(at + 1) !== COLON) return false;
    gap = 0;
    at += 2;
  }
  while (hexDigit(text.byte(at)) >= 0) {
    const group = readGroup(text, at, out);
    if (group < 0 || groups.length > 7) return false;
    if (text.byte(out.end) === DOT) {
      if (groups.length > 6 || !readIpv4(text, at, out)) return false;
      const word = out.address[0]!;
      groups.push(word >>> 16, word & 0xffff);
      return setIpv6(groups, gap, out.end, out);
    }
    groups.push(group);
    at = out.end;
    if (text.byte(at) !== COLON) break;
    at++;
    if (text.byte(at) === COLON && gap < 0) {
      gap = groups.length;
      at++;
    } else if (hexDigit(text.byte(at)) < 0) return false;
  }
  const next = text.byte(at);
  return next !== COLON && next !== DOT && setIpv6(groups, gap, at, out);
}

/** @param gap how many groups stand before `::`, -1 without */
function setIpv6(groups: number[], gap: number, end: number, out: SipEnd): boolean {
  if (gap < 0 ? groups.length !== 8 : groups.length > 7) return false;
  if (gap >= 0) groups.splice(gap, 0, ...new Array<number>(8 - groups.length).fill(0));
  out.end = end;
  out.address = [0, 2, 4, 6].map((i) => (groups[i]! << 16) | groups[i + 1]!);
  return true;
}

/** Reads an address as it stands in SDP, without brackets. @returns false if there is none */
export function readBareAddress(text: SipText, at: number, family: number, out: SipEnd): boolean {
  out.at = at;
  return family === AF_INET ? readIpv4(text, at, out) : readIpv6(text, at, out);
}

/**
 * Reads an address of a header.
 * @param isUri an IPv6 address stands in brackets, as in URIs; else it may
 * @returns false if there is none
 */
export function readAddress(text: SipText, at: number, family: number, isUri: boolean, out: SipEnd): boolean {
  out.at = at;
  if (family === AF_INET) return readIpv4(text, at, out);
  const isOpen = text.byte(at) === OPEN;
  if (isUri && !isOpen) return false;
  if (!readIpv6(text, isOpen ? at + 1 : at, out)) return false;
  if (text.byte(out.end) === CLOSE) out.end++;
  else if (isUri) return false;
  return true;
}

/**
 * Reads `address` or `address:port` of a URI or a Via header; something must follow.
 * @returns false if there is no address, or its port is below 1024, above 65535 or has more than five digits
 */
export function readHostPort(text: SipText, at: number, family: number, out: SipEnd): boolean {
  if (!readAddress(text, at, family, true, out)) return false;
  out.port = SIP_PORT;
  if (text.byte(out.end) === COLON) {
    const end = skipDigits(text, out.end + 1);
    if (end - out.end - 1 > MOST_PORT_DIGITS) return false;
    out.port = numberAt(text, out.end + 1);
    out.end = end;
    if (out.port < FIRST_PORT || out.port > LAST_PORT) return false;
  }
  return text.byte(out.end) !== NOWHERE;
}

/** An address as it is written. @param isUri IPv6 in brackets */
export function addressBytes(address: readonly number[], isUri: boolean): Uint8Array {
  return bytesOf(addressText(address, isUri));
}

/** `address:port` as it is written in URIs. */
export function hostPortBytes(address: readonly number[], port: number): Uint8Array {
  return bytesOf(`${addressText(address, true)}:${port}`);
}

/** ISATAP (RFC 5214, section 6.1): the lower half begins so, but for the bit of 0x0200. */
const ISATAP = 0x02005efe;
const TWO_ONES = 0x00010001;

/** As the kernel writes it, which differs from RFC 5952 where an IPv4 address stands at the end (measured). */
function kernelIpv6Text(a: number, b: number, c: number, d: number): string {
  const high = d >>> 16;
  if (a === 0 && b === 0 && c === 0 && high !== 0)
    return `::${high.toString(16)}:${(d & 0xffff).toString(16)}`;
  if ((c | 0x02000000) !== ISATAP) return ipv6Text(a, b, c, d);
  return ipv6Text(a, b, c, TWO_ONES).replace(/1:1$/, ipv4Text(d));
}

function addressText(address: readonly number[], isUri: boolean): string {
  if (address.length === 1) return ipv4Text(address[0]!);
  const text = kernelIpv6Text(address[0]!, address[1]!, address[2]!, address[3]!);
  return isUri ? `[${text}]` : text;
}
