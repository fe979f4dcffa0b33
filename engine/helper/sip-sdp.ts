/**
 * Lines of session descriptions (RFC 4566) that matter for tracking. Measured: case does not matter in a name of a line,
 * but in all behind it.
 */

import { AF_INET } from '../packet/packet.ts';
import { bytesOf } from './payload.ts';
import { readBareAddress, type SipEnd } from './sip-address.ts';
import { FOUND, MISSING, readDigits, WRONG } from './sip-header.ts';
import {
  findInLine,
  isWordAt,
  NOWHERE,
  nextLine,
  type SipText,
  skipDigits,
  skipLetters,
} from './sip-text.ts';

/** A kind of line. */
export interface SdpLine {
  /** `c=`. */
  readonly name: Uint8Array;
  /** Whether an address of the flow's family is wanted, behind `IN IP4 ` or `IN IP6 `. */
  readonly hasAddress: boolean;
  /** Finds what is wanted. */
  readonly read: (text: SipText, at: number, family: number, out: SipEnd) => boolean;
}

function line(name: string, hasAddress: boolean, read: SdpLine['read']): SdpLine {
  return { name: bytesOf(name), hasAddress, read };
}

/** `audio 4000`: what it is and its port, if that stands behind one blank. */
function readMedia(text: SipText, at: number, _family: number, out: SipEnd): boolean {
  const blank = skipLetters(text, at);
  if (text.byte(blank) !== 0x20) return false;
  out.at = at;
  out.end = skipDigits(text, blank + 1);
  return true;
}

/** The first line of a description. */
export const VERSION: SdpLine = line('v=', false, readDigits);
/** Who made it. */
export const OWNER: SdpLine = line('o=', true, readBareAddress);
/** Where media are wanted. */
export const CONNECTION: SdpLine = line('c=', true, readBareAddress);
/** A medium and its port. */
export const MEDIA: SdpLine = line('m=', false, readMedia);

const IP4: Uint8Array = bytesOf('IN IP4 ');
const IP6: Uint8Array = bytesOf('IN IP6 ');

/**
 * Finds a line.
 * @param from place before the line break in front of it
 * @param stop the line that ends the search, null for none
 * @returns FOUND, MISSING or WRONG
 */
export function findSdp(
  text: SipText,
  from: number,
  kind: SdpLine,
  stop: SdpLine | null,
  family: number,
  out: SipEnd,
): number {
  for (let at = nextLine(text, from); at !== NOWHERE; at = nextLine(text, at + 1)) {
    if (stop !== null && isWordAt(text, at, stop.name)) return MISSING;
    if (!isWordAt(text, at, kind.name)) continue;
    let value = at + kind.name.length;
    if (kind.hasAddress) {
      const word = family === AF_INET ? IP4 : IP6;
      value = findInLine(text, value, word);
      if (value === NOWHERE) return WRONG;
      value += word.length;
    }
    return kind.read(text, value, family, out) ? FOUND : WRONG;
  }
  return MISSING;
}
