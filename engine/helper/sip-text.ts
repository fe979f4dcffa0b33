/** The letters of a SIP message (RFC 3261): lines, folded lines, numbers, words, as Linux 6.18 reads them (measured). */

import { lowered } from './payload.ts';

/** What {@link SipText.byte} says of a place outside the text, and the searches if there is nothing to find. */
export const NOWHERE = -1;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/** Decimal numbers of more digits than this are none, even with zeros in front. */
const MOST_DIGITS = 11;
const MOST_NUMBER = 0xffffffff;

/** Text in a packet. Places in it count from its first byte, so they stay right when the packet moves. */
export class SipText {
  view: DataView;
  /** Where in `view` it begins. */
  start: number;
  length: number;
  /** {@link nextAt}: between these two places is neither `@` nor the end of a line. */
  plainFrom = 0;
  plainTo = -1;

  constructor(view: DataView, start: number, length: number) {
    this.view = view;
    this.start = start;
    this.length = length;
  }

  /** The byte at a place, NOWHERE (less than any byte) outside. */
  byte(at: number): number {
    return at >= 0 && at < this.length ? this.view.getUint8(this.start + at) : NOWHERE;
  }
}

/** Whether a byte is a letter of Latin-1, as the kernel's isalpha() says it. */
export function isLetter(byte: number): boolean {
  if (byte >= 0xc0) return byte !== 0xd7 && byte !== 0xf7;
  const small = lowered(byte);
  return small >= 0x61 && small <= 0x7a;
}

/** Whether a byte ends a line. */
export function isBreak(byte: number): boolean {
  return byte === CR || byte === LF;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

/**
 * The next `@` or line break, or the end of the text. Of a line with many URIs in it each asks for the same one, hence
 * it is remembered.
 */
export function nextAt(text: SipText, from: number): number {
  if (from < text.plainFrom || from > text.plainTo) {
    text.plainFrom = from;
    text.plainTo = from;
    for (let byte = text.byte(from); byte !== 0x40 && byte !== NOWHERE && !isBreak(byte); )
      byte = text.byte(++text.plainTo);
  }
  return text.plainTo;
}

/** Behind the letters that begin at a place. */
export function skipLetters(text: SipText, at: number): number {
  while (isLetter(text.byte(at))) at++;
  return at;
}

/** Behind the digits that begin at a place. */
export function skipDigits(text: SipText, at: number): number {
  for (let byte = text.byte(at); byte >= 0x30 && byte <= 0x39; byte = text.byte(at)) at++;
  return at;
}

/**
 * The decimal number at a place.
 * @param to it ends there at the latest
 * @returns -1 if there is none, or it has more than 11 digits, or more than 32 bits
 */
export function numberAt(text: SipText, at: number, to: number = text.length): number {
  const end = Math.min(skipDigits(text, at), to);
  if (end <= at || end - at > MOST_DIGITS) return -1;
  let value = 0;
  for (let i = at; i < end; i++) value = value * 10 + text.byte(i) - 0x30;
  return value > MOST_NUMBER ? -1 : value;
}

/** Whether a word, in small letters, stands at a place; capital letters do as well. */
export function isWordAt(text: SipText, at: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i++) if (lowered(text.byte(at + i)) !== word[i]) return false;
  return true;
}

/** Whether these very bytes stand at a place. */
export function areBytesAt(text: SipText, at: number, bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (text.byte(at + i) !== bytes[i]) return false;
  return true;
}

/**
 * Where the line after the next line break begins: CR, LF or both in this order.
 * @returns NOWHERE if the text ends before
 */
export function nextLine(text: SipText, at: number): number {
  const { length } = text;
  while (at < length && !isBreak(text.byte(at))) at++;
  const behind = skipBreak(text, at);
  return behind < length ? behind : NOWHERE;
}

function skipBreak(text: SipText, at: number): number {
  return at + (text.byte(at) === CR && text.byte(at + 1) === LF ? 2 : 1);
}

/** Whether a line goes on with the one before it (RFC 3261, section 7.3.1). */
export function isFolded(text: SipText, line: number): boolean {
  return isBlank(text.byte(line));
}

/**
 * Skips blanks, and one line break if the header goes on behind it.
 * @returns NOWHERE if the header ends here
 */
export function skipBlanks(text: SipText, at: number, to: number): number {
  while (at < to && isBlank(text.byte(at))) at++;
  return at < to && isBreak(text.byte(at)) ? followFold(text, at, to) : at;
}

/** The first byte of a folded line that is no blank, NOWHERE if the line after this break is none. */
function followFold(text: SipText, at: number, to: number): number {
  let next = skipBreak(text, at);
  if (next >= to || !isBlank(text.byte(next))) return NOWHERE;
  while (next < to && isBlank(text.byte(next))) next++;
  return next;
}

/**
 * Looks for a word in the rest of a header, over folded lines; one with which such a line begins is not seen.
 * @param to the word must begin more than its length before that
 * @returns its first byte, or NOWHERE
 */
export function findInHeader(text: SipText, at: number, to: number, word: Uint8Array): number {
  const last = to - word.length;
  for (; at < last; at++) {
    if (isBreak(text.byte(at))) {
      at = followFold(text, at, last);
      if (at === NOWHERE) return NOWHERE;
    } else if (isWordAt(text, at, word)) return at;
  }
  return NOWHERE;
}

/** As {@link findInHeader}, in the rest of one line; small and capital letters differ. */
export function findInLine(text: SipText, at: number, word: Uint8Array): number {
  const last = text.length - word.length;
  for (; at < last && !isBreak(text.byte(at)); at++) if (areBytesAt(text, at, word)) return at;
  return NOWHERE;
}
