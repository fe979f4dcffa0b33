/** Headers of SIP messages (RFC 3261, section 7.3) that matter for tracking, and what stands in them. */

import { bytesOf, lowered } from './payload.ts';
import { newEnd, readAddress, readHostPort, type SipEnd } from './sip-address.ts';
import {
  findInHeader,
  isFolded,
  isLetter,
  isWordAt,
  NOWHERE,
  nextAt,
  nextLine,
  numberAt,
  type SipText,
  skipBlanks,
  skipDigits,
} from './sip-text.ts';

/** It is there; `out` says where. */
export const FOUND = 1;
/** There is none, or no more. */
export const MISSING = 0;
/** There is one, but not what is looked for in it; `out.at` is where its value begins. */
export const WRONG = -1;

/** A kind of header. */
export interface SipHeader {
  /** In small letters. */
  readonly name: Uint8Array;
  /** Its compact form, a small letter; 0 if it has none. */
  readonly compact: number;
  /** What stands in front of that which is wanted; empty for nothing. */
  readonly before: Uint8Array;
  /** Finds what is wanted: a span, and address and port of it. */
  readonly read: (text: SipText, at: number, family: number, out: SipEnd) => boolean;
}

function header(name: string, compact: string, before: string, read: SipHeader['read']): SipHeader {
  return { name: bytesOf(name), compact: compact.charCodeAt(0) || 0, before: bytesOf(before), read };
}

/** Digits. */
export function readDigits(text: SipText, at: number, _family: number, out: SipEnd): boolean {
  out.at = at;
  out.end = skipDigits(text, at);
  return out.end > at;
}

/** What follows `sip:`, perhaps behind a user and `@`, which must stand in the same line. */
export function readUri(text: SipText, at: number, family: number, out: SipEnd): boolean {
  const host = nextAt(text, at);
  return readHostPort(text, text.byte(host) === 0x40 ? host + 1 : at, family, out);
}

/** Those that are looked for. */
export const CSEQ: SipHeader = header('cseq', '', '', readDigits);
/** From. */
export const FROM: SipHeader = header('from', 'f', 'sip:', readUri);
/** To. */
export const TO: SipHeader = header('to', 't', 'sip:', readUri);
/** Contact. */
export const CONTACT: SipHeader = header('contact', 'm', 'sip:', readUri);
/** Via, of messages that go by UDP. */
export const VIA_UDP: SipHeader = header('via', 'v', 'udp ', readHostPort);
/** Via, of messages that go by TCP. */
export const VIA_TCP: SipHeader = header('via', 'v', 'tcp ', readHostPort);
/** Expires. */
export const EXPIRES: SipHeader = header('expires', '', '', readDigits);
/** Content-Length. */
export const CONTENT_LENGTH: SipHeader = header('content-length', 'l', '', readDigits);

/** Behind a header's name, 0 if it is another header. */
function nameEnd(text: SipText, line: number, { name, compact }: SipHeader): number {
  if (isWordAt(text, line, name)) return line + name.length;
  const follows = text.byte(line + 1);
  if (compact === 0 || lowered(text.byte(line)) !== compact || follows === NOWHERE || isLetter(follows))
    return 0;
  return line + 1;
}

/**
 * Finds a header. Lines of the body count as well. A line that begins with its name, but is another header, ends the
 * search.
 * @param from place before the line break in front of it
 */
export function findHeader(
  text: SipText,
  from: number,
  kind: SipHeader,
  family: number,
  out: SipEnd,
): number {
  for (let line = nextLine(text, from); line !== NOWHERE; line = nextLine(text, line + 1)) {
    if (isFolded(text, line)) continue;
    const behind = nameEnd(text, line, kind);
    if (behind === 0) continue;
    const colon = skipBlanks(text, behind, text.length);
    if (colon === NOWHERE || text.byte(colon) !== 0x3a || colon + 1 >= text.length) return MISSING;
    const value = skipBlanks(text, colon + 1, text.length);
    return value === NOWHERE ? MISSING : readValue(text, value, kind, family, out);
  }
  return MISSING;
}

function readValue(text: SipText, value: number, kind: SipHeader, family: number, out: SipEnd): number {
  const { before, read } = kind;
  const at = before.length === 0 ? value : findInHeader(text, value, text.length, before);
  if (at !== NOWHERE && read(text, at + before.length, family, out)) return FOUND;
  out.at = value;
  return WRONG;
}

const COMMA: Uint8Array = bytesOf(',');

/** Finds the next value of the same header, behind a comma. */
function findNext(text: SipText, from: number, kind: SipHeader, family: number, out: SipEnd): number {
  const comma = findInHeader(text, from, text.length, COMMA);
  if (comma === NOWHERE) return MISSING;
  const at = findInHeader(text, comma, text.length, kind.before);
  if (at === NOWHERE) return MISSING;
  const value = at + kind.before.length;
  if (kind.read(text, value, family, out)) return FOUND;
  out.at = value;
  return WRONG;
}

/** Where a walk over all values of all headers of a kind is. */
export interface Walk {
  at: number;
  isInHeader: boolean;
}

/** Goes on to the next value that can be read. @returns false if there is no more */
export function walk(text: SipText, w: Walk, kind: SipHeader, family: number, out: SipEnd): boolean {
  if (w.isInHeader) {
    for (;;) {
      const result = findNext(text, w.at, kind, family, out);
      if (result !== WRONG) {
        w.isInHeader = result === FOUND;
        break;
      }
      w.at = out.at;
    }
  }
  while (!w.isInHeader) {
    const result = findHeader(text, w.at, kind, family, out);
    if (result === MISSING) return false;
    if (result === FOUND) w.isInHeader = true;
    else w.at = out.at;
  }
  w.at = out.end;
  return true;
}

/** The first value of a header that can be read. @returns false if there is none */
export function firstOf(text: SipText, kind: SipHeader, family: number, out: SipEnd): boolean {
  return walk(text, { at: 0, isInHeader: false }, kind, family, out);
}

/** The number of a header. @returns -1 if there is none */
export function numberOf(text: SipText, kind: SipHeader): number {
  const out = newEnd();
  return findHeader(text, 0, kind, 0, out) === FOUND ? numberAt(text, out.at) : -1;
}

/** Where the parameters of one value end: at the next comma of the header. */
function parametersEnd(text: SipText, from: number): number {
  const comma = findInHeader(text, from, text.length, COMMA);
  return comma === NOWHERE ? text.length : comma;
}

/**
 * Finds a parameter of a value, by its name with `=`.
 * @returns where its own value begins, or NOWHERE
 */
export function parameterAt(text: SipText, from: number, name: Uint8Array): number {
  const at = findInHeader(text, from, parametersEnd(text, from), name);
  return at === NOWHERE ? NOWHERE : at + name.length;
}

/** The number of a parameter. @returns NOWHERE without it, NaN if it is malformed */
export function numberParameter(text: SipText, from: number, name: Uint8Array, out: SipEnd): number {
  const at = parameterAt(text, from, name);
  if (at === NOWHERE) return NOWHERE;
  const value = numberAt(text, at, parametersEnd(text, from));
  if (value < 0) return Number.NaN;
  out.at = at;
  out.end = skipDigits(text, at);
  return value;
}

/** The address of a parameter. @returns false if there is none */
export function addressParameter(
  text: SipText,
  from: number,
  name: Uint8Array,
  family: number,
  isUri: boolean,
  out: SipEnd,
): boolean {
  const at = parameterAt(text, from, name);
  return at !== NOWHERE && readAddress(text, at, family, isUri, out);
}
