import { R_HELPER_SNMP } from '../base/reason.ts';
import { HELP_ACCEPT, HELP_DROP, type HelpCall } from '../conntrack/helper.ts';
import { because, type Packet } from '../packet/packet.ts';
import { replaceChecksum, writable } from '../packet/rewrite.ts';
import { UDP_HEADER } from '../packet/udp.ts';
import { destinationOf, sourceOf } from './flow-ends.ts';
import { type Ber, enter, isAtEnd, leave, readValue } from './snmp-ber.ts';

/** Tags (X.690; RFC 3416, section 3). */
const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const OBJECT_ID = 0x06;
const SEQUENCE = 0x30;
const IP_ADDRESS = 0x40;
/** Bit of the tags of what is made of other values. */
const CONSTRUCTED = 0x20;

/**
 * PDUs, in the order in which they are tried. Measured: version 1's trap (0xa4) is not among them. What follows one may
 * be another that comes later in this list.
 */
const PDUS: readonly number[] = [0xa0, 0xa1, 0xa5, 0xa2, 0xa3, 0xa6, 0xa7, 0xa8];
/** What a variable may be bound to: simple values first, then application types, at last exceptions. */
const VALUES: readonly number[] = [
  INTEGER,
  OCTET_STRING,
  OBJECT_ID,
  IP_ADDRESS,
  0x41,
  0x43,
  0x44,
  0x46,
  0x42,
  0x05,
  0x80,
  0x81,
  0x82,
];
/** Of the values those that are tried even if one before was found (measured: two values in one binding pass). */
const AGAIN: readonly number[] = [IP_ADDRESS, 0x41, 0x43, 0x44, 0x46, 0x42];
/** The highest version number that is read: SNMPv2c. */
const VERSION_2C = 1;

/**
 * Puts the client's address after translation in the place of the one before, wherever an IpAddress of the message has
 * it. Measured: one that cannot be read is dropped, and none is read if the client's address stays as it is.
 */
export function translateSnmp(call: HelpCall): number {
  const { pkt } = call;
  if (pkt.view.getUint16(pkt.l4 + 4) !== pkt.end - pkt.l4) return malformed(pkt);
  const from = sourceOf(call, 0)[0]!;
  const to = destinationOf(call, 1)[0]!;
  if (from === to) return HELP_ACCEPT;
  writable(pkt);
  const ber: Ber = { view: pkt.view, at: pkt.l4 + UDP_HEADER, end: pkt.end, length: 0 };
  return readMessage(ber, (at) => replaceAddress(pkt, at, from, to)) ? HELP_ACCEPT : malformed(pkt);
}

function malformed(pkt: Packet): number {
  because(pkt, R_HELPER_SNMP);
  return HELP_DROP;
}

/** @param found called with the place of each IpAddress */
function readMessage(ber: Ber, found: (at: number) => void): boolean {
  const message = enter(ber, SEQUENCE);
  if (message === null) return false;
  const version = readValue(ber, [INTEGER]);
  if (version < 0 || ber.length !== 1 || ber.view.getUint8(version) > VERSION_2C) return false;
  if (readValue(ber, [OCTET_STRING]) < 0) return false;
  return readChoice(ber, PDUS, PDUS, (tag) => readPdu(ber, tag, found)) && leave(ber, message);
}

/**
 * Reads one of several types, or more: they are tried in order, and once one was found only those of `again`.
 * @returns false if the last that was tried is not there, or cannot be read
 */
function readChoice(
  ber: Ber,
  tags: readonly number[],
  again: readonly number[],
  read: (tag: number) => boolean,
): boolean {
  // Measured: nothing at all will do.
  if (ber.at >= ber.end) return true;
  let isFound = false;
  for (const tag of tags) {
    if (ber.at >= ber.end) break;
    if (isFound && !again.includes(tag)) continue;
    const there = ber.view.getUint8(ber.at);
    isFound = there === tag || ((tag & CONSTRUCTED) !== 0 && there === (tag ^ CONSTRUCTED));
    if (isFound && !read(tag)) return false;
  }
  return isFound;
}

function readPdu(ber: Ber, tag: number, found: (at: number) => void): boolean {
  const pdu = enter(ber, tag);
  if (pdu === null) return false;
  for (let i = 0; i < 3; i++) if (readValue(ber, [INTEGER]) < 0) return false;
  const list = enter(ber, SEQUENCE);
  if (list === null) return false;
  do if (!readBinding(ber, found)) return false;
  while (!isAtEnd(ber, list));
  return leave(ber, list) && leave(ber, pdu);
}

function readBinding(ber: Ber, found: (at: number) => void): boolean {
  const binding = enter(ber, SEQUENCE);
  if (binding === null || readValue(ber, [OBJECT_ID]) < 0) return false;
  const read = (tag: number): boolean => {
    const value = readValue(ber, [tag]);
    if (value < 0 || tag !== IP_ADDRESS) return value >= 0;
    if (ber.length === 4) found(value);
    return ber.length === 4;
  };
  return readChoice(ber, VALUES, AGAIN, read) && leave(ber, binding);
}

/** The checksum follows by difference, a word at a time; one of 0 (none) stays. */
function replaceAddress(pkt: Packet, at: number, from: number, to: number): void {
  const { view, l4 } = pkt;
  if (view.getInt32(at) !== from) return;
  const first = at - ((at - l4) & 1);
  const words: number[] = [];
  for (let i = first; i < at + 4; i += 2) words.push(wordAt(pkt, i));
  view.setInt32(at, to);
  if (view.getUint16(l4 + 6) === 0) return;
  for (const [i, before] of words.entries())
    replaceChecksum(view, l4 + 6, before, wordAt(pkt, first + i * 2));
}

/** A 16-bit word of the datagram; the last one may lack its second byte. */
function wordAt({ view, end }: Packet, at: number): number {
  return at + 1 < end ? view.getUint16(at) : view.getUint8(at) << 8;
}
