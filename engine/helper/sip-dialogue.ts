/** Requests and responses (RFC 3261): which of them change what is expected. */

import { HELP_ACCEPT, HELP_DROP } from '../conntrack/helper.ts';
import { isTranslated } from '../nat/mangle.ts';
import { bytesOf, sameAddress } from './payload.ts';
import { newEnd } from './sip-address.ts';
import { flush } from './sip-expect.ts';
import { CSEQ, FOUND, findHeader, firstOf, VIA_UDP } from './sip-header.ts';
import { CANNOT, drop, type SipMessage } from './sip-message.ts';
import { registerRequest, registerResponse } from './sip-register.ts';
import { processSdp } from './sip-session.ts';
import { isLetter, isWordAt, numberAt } from './sip-text.ts';
import { translate } from './sip-translate.ts';

/** What a method does. */
interface Method {
  /** In small letters. */
  readonly name: Uint8Array;
  /** A request of it came. */
  request(message: SipMessage, cseq: number): number;
  /** A response to it came; null if those are of no matter. */
  readonly response: ((message: SipMessage, cseq: number, code: number) => number) | null;
}

/** A new call: what was expected of the one before is not any more. */
function inviteRequest(message: SipMessage, cseq: number): number {
  flush(message, true);
  const verdict = processSdp(message);
  if (verdict === HELP_ACCEPT) message.flow.inviteCseq = cseq;
  return verdict;
}

/** An answer to what may carry a description: a refusal of the call ends it. */
function sessionResponse(message: SipMessage, cseq: number, code: number): number {
  if (code >= 100 && code <= 299) return processSdp(message);
  if (message.flow.inviteCseq === cseq) flush(message, true);
  return HELP_ACCEPT;
}

function byeRequest(message: SipMessage): number {
  flush(message, true);
  return HELP_ACCEPT;
}

/** In the order in which they are looked for: a response matches the first whose name its CSeq begins with. */
const METHODS: readonly Method[] = [
  { name: bytesOf('invite'), request: inviteRequest, response: sessionResponse },
  { name: bytesOf('update'), request: processSdp, response: sessionResponse },
  { name: bytesOf('ack'), request: processSdp, response: null },
  { name: bytesOf('prack'), request: processSdp, response: sessionResponse },
  { name: bytesOf('bye'), request: byeRequest, response: null },
  { name: bytesOf('register'), request: registerRequest, response: registerResponse },
];

const VERSION: Uint8Array = bytesOf('sip/2.0 ');

/** A CSeq header: its number, and where the digits end. */
interface Cseq {
  number: number;
  end: number;
}

/** Reads it, or drops the message and gives null. */
function readCseq(message: SipMessage): Cseq | null {
  const out = newEnd();
  if (findHeader(message, 0, CSEQ, message.family, out) !== FOUND) {
    drop(message, CANNOT.parseCseq);
    return null;
  }
  const number = numberAt(message, out.at);
  if (number < 0) {
    drop(message, CANNOT.getCseq);
    return null;
  }
  return { number, end: out.end };
}

/**
 * Some telephones send from a port of their own and listen at the one in their Via header: answers go there
 * (RFC 3261, section 18.2.2).
 */
function learnPort(message: SipMessage): void {
  const out = newEnd();
  const own = message.source(false);
  if (!firstOf(message, VIA_UDP, message.family, out)) return;
  if (out.port !== own.port && sameAddress(out.address, own.address)) message.flow.forcedPort = out.port;
}

function processRequest(message: SipMessage): number {
  learnPort(message);
  for (const { name, request } of METHODS) {
    if (message.length < name.length + 2 || !isWordAt(message, 0, name)) continue;
    if (message.byte(name.length) !== 0x20 || !isLetter(message.byte(name.length + 1))) continue;
    const cseq = readCseq(message);
    return cseq === null ? HELP_DROP : request(message, cseq.number);
  }
  return HELP_ACCEPT;
}

function processResponse(message: SipMessage): number {
  const code = numberAt(message, VERSION.length);
  if (code <= 0) return drop(message, CANNOT.getCode);
  const cseq = readCseq(message);
  if (cseq === null) return HELP_DROP;
  for (const { name, response } of METHODS) {
    if (response === null || message.length < cseq.end + 1 + name.length) continue;
    if (isWordAt(message, cseq.end + 1, name)) return response(message, cseq.number, code);
  }
  return HELP_ACCEPT;
}

/**
 * Reads a message, and translates it if its flow is translated.
 * @returns HELP_ACCEPT or HELP_DROP
 */
export function processMessage(message: SipMessage): number {
  const verdict = isWordAt(message, 0, VERSION) ? processResponse(message) : processRequest(message);
  if (verdict !== HELP_ACCEPT || !isTranslated(message.call)) return verdict;
  return translate(message) ? HELP_ACCEPT : drop(message, CANNOT.mangle);
}
