/** Headers under translation: addresses of the flow's own ends become those that the receiver knows. */

import { IPPROTO_UDP } from '../packet/protocols.ts';
import { bytesOf, sameAddress } from './payload.ts';
import { addressBytes, hostPortBytes, newEnd, type SipEnd } from './sip-address.ts';
import {
  addressParameter,
  CONTACT,
  FROM,
  firstOf,
  numberParameter,
  readUri,
  type SipHeader,
  TO,
  VIA_TCP,
  VIA_UDP,
  walk,
} from './sip-header.ts';
import type { FlowEnd, SipMessage } from './sip-message.ts';
import { isBreak, isWordAt, skipLetters } from './sip-text.ts';

const VERSION: Uint8Array = bytesOf('sip/2.0');
const SCHEME: Uint8Array = bytesOf('sip:');
const MADDR: Uint8Array = bytesOf('maddr=');
const RECEIVED: Uint8Array = bytesOf('received=');
const RPORT: Uint8Array = bytesOf('rport=');

function isEnd({ address, port }: FlowEnd, found: SipEnd): boolean {
  return port === found.port && sameAddress(address, found.address);
}

/** Replaces an address and port that is one of the flow's ends. @returns false if the packet would be too long */
function mapEnd(message: SipMessage, found: SipEnd): boolean {
  let mapped: FlowEnd;
  if (isEnd(message.source(false), found)) mapped = message.destination(true);
  else if (isEnd(message.destination(false), found)) {
    const { address, port } = message.source(true);
    mapped = { address, port: message.flow.forcedPort || port };
  } else return true;
  if (isEnd(mapped, found)) return true;
  return message.replace(found.at, found.end, hostPortBytes(mapped.address, mapped.port));
}

/** Finds the address of a request's own URI: `INVITE sip:bob@192.0.2.1 SIP/2.0`. */
function requestUri(message: SipMessage, out: SipEnd): boolean {
  const blank = skipLetters(message, 0);
  if (blank === 0) return false;
  const last = message.length - SCHEME.length;
  for (let at = blank + 1; at < last; at++) {
    if (isBreak(message.byte(at))) return false;
    if (isWordAt(message, at, SCHEME)) return readUri(message, at + SCHEME.length, message.family, out);
  }
  return false;
}

function mapFirst(message: SipMessage, kind: SipHeader): boolean {
  const out = newEnd();
  return !firstOf(message, kind, message.family, out) || mapEnd(message, out);
}

/** The topmost Via header, if it is of the flow's own end, with its parameters (RFC 3261, 18.2.1; RFC 3581). */
function mapVia(message: SipMessage, isRequest: boolean): boolean {
  const { family } = message;
  const via = newEnd();
  const kind = message.proto === IPPROTO_UDP ? VIA_UDP : VIA_TCP;
  if (!firstOf(message, kind, family, via)) return true;
  if (!isEnd(isRequest ? message.source(false) : message.destination(false), via)) return true;
  const before = message.length;
  if (!mapEnd(message, via)) return false;
  const behind = via.end + message.length - before;
  return mapMaddr(message, behind) && mapReceived(message, behind) && mapRport(message, behind);
}

/** Where answers are to be sent to. */
function mapMaddr(message: SipMessage, from: number): boolean {
  const out = newEnd();
  if (!addressParameter(message, from, MADDR, message.family, true, out)) return true;
  const mapped = message.destination(true).address;
  if (!sameAddress(out.address, message.source(false).address) || sameAddress(out.address, mapped))
    return true;
  return message.replace(out.at, out.end, addressBytes(mapped, true));
}

/** Where the server saw the request come from. */
function mapReceived(message: SipMessage, from: number): boolean {
  const out = newEnd();
  if (!addressParameter(message, from, RECEIVED, message.family, false, out)) return true;
  const mapped = message.source(true).address;
  if (!sameAddress(out.address, message.destination(false).address) || sameAddress(out.address, mapped))
    return true;
  return message.replace(out.at, out.end, addressBytes(mapped, false));
}

/** The port that it came from. */
function mapRport(message: SipMessage, from: number): boolean {
  const out = newEnd();
  const port = numberParameter(message, from, RPORT, out) & 0xffff;
  const mapped = message.source(true).port;
  if (out.end === 0 || port !== message.destination(false).port || port === mapped) return true;
  return message.replace(out.at, out.end, bytesOf(String(mapped)));
}

function mapContacts(message: SipMessage): boolean {
  const out = newEnd();
  const where = { at: 0, isInHeader: false };
  while (walk(message, where, CONTACT, message.family, out)) if (!mapEnd(message, out)) return false;
  return true;
}

/** Sends the packet to the port that was learnt. */
function sendToForcedPort(message: SipMessage): void {
  message.replace(0, 0, new Uint8Array(0));
  const { view, l4 } = message.call.pkt;
  view.setUint16(l4 + 2, message.flow.forcedPort);
}

/**
 * Translates a message.
 * @returns false if that cannot be
 */
export function translate(message: SipMessage): boolean {
  const isRequest = !isWordAt(message, 0, VERSION);
  const uri = newEnd();
  if (isRequest && requestUri(message, uri) && !mapEnd(message, uri)) return false;
  if (!mapVia(message, isRequest) || !mapContacts(message)) return false;
  if (!mapFirst(message, FROM) || !mapFirst(message, TO)) return false;
  if (message.call.dir === 0 || message.flow.forcedPort === 0) return true;
  // Measured: by TCP, where another port would be another connection, such answers are dropped.
  if (message.proto !== IPPROTO_UDP) return false;
  sendToForcedPort(message);
  return true;
}
