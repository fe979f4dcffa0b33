/** Session descriptions in messages: which media are expected. */

import { HELP_ACCEPT, HELP_DROP } from '../conntrack/helper.ts';
import { isTranslated } from '../nat/mangle.ts';
import { bytesOf, sameAddress } from './payload.ts';
import { newEnd } from './sip-address.ts';
import { expectMedium } from './sip-expect.ts';
import { FOUND } from './sip-header.ts';
import type { Medium } from './sip-medium.ts';
import { CANNOT, drop, dropPort, type SipMessage } from './sip-message.ts';
import { CONNECTION, findSdp, MEDIA, VERSION } from './sip-sdp.ts';
import { areBytesAt, numberAt, type SipText } from './sip-text.ts';
import { writeConnection, writeSession } from './sip-translate-sdp.ts';

/** Media that are expected; the class of each is its place, counted from 1. */
const MEDIA_TYPES: readonly Uint8Array[] = ['audio ', 'video ', 'image '].map(bytesOf);
/** At most so many of one description. */
const MOST_MEDIA = 3;
const FIRST_PORT = 1024;
const LAST_PORT = 65535;

/** The class of the medium at a place, 0 if it is of no matter. Capital letters do not do (measured). */
function classOf(text: SipText, at: number): number {
  return MEDIA_TYPES.findIndex((type) => areBytesAt(text, at, type)) + 1;
}

/** The address of the next `c=` line before the next medium. */
function connectionAfter(message: SipMessage, from: number): readonly number[] | null {
  const out = newEnd();
  return findSdp(message, from, CONNECTION, MEDIA, message.family, out) === FOUND ? out.address : null;
}

/** @returns false if a medium at this address needs no expectation */
function isWanted(message: SipMessage, address: readonly number[]): boolean {
  const { directMedia, externalMedia } = message.options;
  if (directMedia) return sameAddress(address, message.source(false).address);
  return externalMedia === null || externalMedia(address) !== message.call.pkt.ifout;
}

/**
 * Expects the media that a message's description tells of, and translates it.
 * @returns HELP_ACCEPT or HELP_DROP
 */
export function processSdp(message: SipMessage): number {
  const { family } = message;
  const out = newEnd();
  if (findSdp(message, 0, VERSION, null, family, out) !== FOUND) return HELP_ACCEPT;
  const session = out.at;
  const common = connectionAfter(message, session);
  let address = common;
  let at = session;
  for (let count = 0; count < MOST_MEDIA && findSdp(message, at, MEDIA, null, family, out) === FOUND; ) {
    const mediaClass = classOf(message, out.at);
    at = mediaClass === 0 ? out.end : out.at + MEDIA_TYPES[mediaClass - 1]!.length;
    if (mediaClass === 0) continue;
    const port = numberAt(message, at, out.end);
    if (port <= 0) continue;
    if (port < FIRST_PORT || port > LAST_PORT) return dropPort(message, port);
    const own = connectionAfter(message, at);
    const host = own ?? common;
    if (host === null) return drop(message, CANNOT.parseSdp);
    const medium: Medium = { class: mediaClass, source: null, address: host, port, at, end: out.end };
    address = host;
    if (isWanted(message, host)) {
      if (message.options.directMedia) medium.source = message.source(true).address;
      if (expectMedium(message, medium) !== HELP_ACCEPT) return HELP_DROP;
      address = medium.address;
    }
    if (own !== null && isTranslated(message.call) && !writeConnection(message, at, address))
      return drop(message, CANNOT.mangle);
    count++;
  }
  if (!isTranslated(message.call) || address === null) return HELP_ACCEPT;
  return writeSession(message, session, address) ? HELP_ACCEPT : drop(message, CANNOT.mangle);
}
