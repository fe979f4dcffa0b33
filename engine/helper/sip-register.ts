/** REGISTER (RFC 3261, section 10): who registers may be called. */

import {
  EXPECT_ADDED,
  EXPECT_INACTIVE,
  EXPECT_PERMANENT,
  type ExpectSpec,
} from '../conntrack/expectation.ts';
import { F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import { HELP_ACCEPT } from '../conntrack/helper.ts';
import { IPS_EXPECTED } from '../conntrack/status.ts';
import { expectFreePort } from '../nat/expect-port.ts';
import { isTranslated } from '../nat/mangle.ts';
import { IPPROTO_TCP } from '../packet/protocols.ts';
import { bytesOf, sameAddress } from './payload.ts';
import { hostPortBytes, newEnd, type SipEnd } from './sip-address.ts';
import { activate, CLASS_SIGNALLING, flush } from './sip-expect.ts';
import { followSip } from './sip-follow.ts';
import { CONTACT, EXPIRES, firstOf, numberOf, numberParameter, parameterAt, walk } from './sip-header.ts';
import { CANNOT, drop, type SipMessage } from './sip-message.ts';
import { isWordAt, NOWHERE } from './sip-text.ts';

const TRANSPORT: Uint8Array = bytesOf('transport=');
const TCP: Uint8Array = bytesOf('tcp');
const UDP: Uint8Array = bytesOf('udp');
const EXPIRES_PARAMETER: Uint8Array = bytesOf('expires=');

/** Whether a contact wants to be called by the protocol that this flow has. */
function hasOwnTransport(message: SipMessage, contact: SipEnd): boolean {
  const at = parameterAt(message, contact.end, TRANSPORT);
  return at === NOWHERE || isWordAt(message, at, message.proto === IPPROTO_TCP ? TCP : UDP);
}

/** For how long (s) a contact is registered; NaN if that is malformed. */
function secondsOf(message: SipMessage, contact: SipEnd, otherwise: number): number {
  const seconds = numberParameter(message, contact.end, EXPIRES_PARAMETER, newEnd());
  return seconds === NOWHERE ? otherwise : seconds;
}

/** A client registers, for more or less than no time. */
export function registerRequest(message: SipMessage, cseq: number): number {
  const { conntrack, flow } = message.call;
  // Calls that a registrar made to a client do not register in their turn.
  if ((conntrack.table.words[flow * ROW_WORDS + F_STATUS]! & IPS_EXPECTED) !== 0) return HELP_ACCEPT;
  const contact = newEnd();
  if (!firstOf(message, CONTACT, message.family, contact)) return HELP_ACCEPT;
  if (!sameAddress(contact.address, message.source(false).address)) return HELP_ACCEPT;
  if (!hasOwnTransport(message, contact)) return HELP_ACCEPT;
  const seconds = secondsOf(message, contact, Math.max(numberOf(message, EXPIRES), 0));
  if (Number.isNaN(seconds)) return drop(message, CANNOT.parseExpires);
  if (seconds > 0) {
    const verdict = expectCalls(message, contact);
    if (verdict !== HELP_ACCEPT) return verdict;
  }
  message.flow.registerCseq = cseq;
  return HELP_ACCEPT;
}

/** Expects calls, but not before the registrar's answer. */
function expectCalls(message: SipMessage, contact: SipEnd): number {
  const { call } = message;
  const spec: ExpectSpec = {
    master: call.flow,
    class: CLASS_SIGNALLING,
    family: message.family,
    proto: message.proto,
    source: message.options.directSignalling ? message.source(true).address : null,
    destination: contact.address,
    sourcePort: null,
    destinationPort: contact.port,
    helper: call.ext.helper,
    flags: EXPECT_PERMANENT | EXPECT_INACTIVE,
  };
  if (isTranslated(call)) return translateCalls(message, contact, spec);
  return call.conntrack.expect(spec) === EXPECT_ADDED ? HELP_ACCEPT : drop(message, CANNOT.expect);
}

/** As {@link expectCalls}, at the address and port that the registrar sees; the contact says so. */
function translateCalls(message: SipMessage, contact: SipEnd, spec: ExpectSpec): number {
  const { call, flow } = message;
  const own = message.source(false);
  const outside = message.destination(true);
  const address = sameAddress(own.address, outside.address) ? contact.address : outside.address;
  const wanted = contact.port === (flow.forcedPort || own.port) ? outside.port : contact.port;
  const translated: ExpectSpec = {
    ...spec,
    destination: address,
    savedAddress: contact.address,
    savedPort: contact.port,
    dir: 1 - call.dir,
    onMatch: followSip(call.conntrack),
  };
  const port = expectFreePort(call, translated, wanted);
  if (port === 0) return drop(message, CANNOT.findPorts);
  if (port === contact.port && sameAddress(address, contact.address)) return HELP_ACCEPT;
  if (message.replace(contact.at, contact.end, hostPortBytes(address, port))) return HELP_ACCEPT;
  call.conntrack.unexpect(call.ext.expectations.at(-1)!);
  return drop(message, CANNOT.mangle);
}

/** The registrar answers: calls are expected for as long as it says. */
export function registerResponse(message: SipMessage, cseq: number, code: number): number {
  if (message.flow.registerCseq !== cseq) return HELP_ACCEPT;
  if (code >= 100 && code <= 199) return HELP_ACCEPT;
  if (code >= 200 && code <= 299) {
    const verdict = readBindings(message);
    if (verdict !== null) return verdict;
  }
  flush(message, false);
  return HELP_ACCEPT;
}

/** @returns null if the client's contact is none that is registered */
function readBindings(message: SipMessage): number | null {
  const common = Math.max(numberOf(message, EXPIRES), 0);
  const contact = newEnd();
  const where = { at: 0, isInHeader: false };
  while (walk(message, where, CONTACT, message.family, contact)) {
    if (!sameAddress(contact.address, message.destination(false).address)) continue;
    if (!hasOwnTransport(message, contact)) continue;
    const seconds = secondsOf(message, contact, common);
    if (Number.isNaN(seconds)) return drop(message, CANNOT.parseExpires);
    if (seconds === 0) return null;
    if (activate(message, contact, seconds)) return HELP_ACCEPT;
  }
  return null;
}
