import { HELP_ACCEPT, type HelpCall, type Helper } from '../conntrack/helper.ts';
import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import { IPPROTO_TCP } from '../packet/protocols.ts';
import { DESTINATION, portAt, SOURCE, sourceOf } from './flow-ends.ts';
import { H323_USER_INFORMATION } from './h225-call.ts';
import { H245_HELPER, isSpoken } from './h245-control.ts';
import { itemsOf, pick, signalAddress, writeAddress } from './h323-address.ts';
import { heedH245, heedOpen } from './h323-channel.ts';
import { expectSignalling, isHidden, isSenders, isShown, shownAddress } from './h323-expect.ts';
import { expectForward } from './h323-forward.ts';
import { H323_DATA } from './h323-state.ts';
import { eachTpkt } from './h323-tpkt.ts';
import { sameAddress } from './payload.ts';
import { decode, PerReader, type PerValue } from './per-decode.ts';
import { refuse } from './refuse.ts';

/** Protocol discriminator of Q.931 messages (Q.931 4.2). */
const CALL_CONTROL = 8;
/** The user-user information element (Q.931 4.5.30). */
const USER_USER = 0x7e;
/** Bit of the identifiers of information elements that are a single octet (Q.931 4.5.1). */
const SINGLE_OCTET = 0x80;
/** At most so many tunnelled H.245 messages are read (measured). */
const TUNNELLED = 4;
/** And so many channels of fastStart (measured). */
const FAST = 30;
/** What an H.245 address is for. */
const CONTROL = { helper: H245_HELPER };
/** Messages that may tell of an H.245 address and of media. */
const TELLING: readonly string[] = [
  ...['setup', 'callProceeding', 'connect', 'alerting', 'facility', 'progress'],
];

/**
 * Finds H323-UserInformation in a Q.931 message.
 * @returns the decoded message; null if there is none, or what comes before cannot be read
 */
function userInformation({ pkt }: HelpCall, start: number, stop: number): PerValue | null {
  const { view, off } = pkt;
  const end = off + stop;
  let at = off + start;
  if (at + 5 > end || view.getUint8(at) !== CALL_CONTROL) return null;
  // Call reference and message type: neither matters here.
  at += 3 + view.getUint8(at + 1);
  // Measured: one element of a single octet may come first (a shift, Sending complete); others are taken for longer ones.
  if (at < end && view.getUint8(at) >= SINGLE_OCTET) at++;
  while (at + 2 <= end) {
    const element = view.getUint8(at);
    if (element === USER_USER) {
      const length = at + 3 <= end ? view.getUint16(at + 1) : 0;
      at += 3;
      if (length < 1 || at + length > end) return null;
      return decode(H323_USER_INFORMATION, new PerReader(view, at + 1, at + length, off));
    }
    at += 2 + view.getUint8(at + 1);
  }
  return null;
}

/** What one message tells of. @returns false if the packet must be dropped */
function heedCall(call: HelpCall, information: PerValue): boolean {
  const pdu = pick(information, 'h323UuPdu');
  for (const name of TELLING) {
    const message = pick(pdu, 'body', name);
    if (message !== undefined && !heedBody(call, name, message)) return false;
  }
  return itemsOf(pick(pdu, 'h245Control'), TUNNELLED).every((control) => heedH245(call, control));
}

function heedBody(call: HelpCall, name: string, message: PerValue): boolean {
  if (name === 'facility' && pick(message, 'reason', 'callForwarded') !== undefined) {
    const other = signalAddress(call, pick(message, 'alternativeAddress'));
    return other === null || other.port === 0 || expectForward(call, other, Q931_HELPER);
  }
  const address = signalAddress(call, pick(message, 'h245Address'));
  if (isSenders(call, address) && !expectSignalling(call, address, isHidden(call), CONTROL)) return false;
  if (name === 'setup') showSetup(call, message);
  return itemsOf(pick(message, 'fastStart'), FAST).every((open) => heedOpen(call, open));
}

/** A setup names both ends of its connection: they are told as the other side sees them. */
function showSetup(call: HelpCall, setup: PerValue): void {
  if (!isShown(call)) return;
  const back = 1 - call.dir;
  const called = signalAddress(call, pick(setup, 'destCallSignalAddress'));
  const callee = sourceOf(call, back);
  if (called !== null && !sameAddress(called.words, callee))
    writeAddress(call, called, callee, portAt(call, back, SOURCE));
  const calling = signalAddress(call, pick(setup, 'sourceCallSignalAddress'));
  const caller = shownAddress(call);
  if (calling !== null && !sameAddress(calling.words, caller))
    writeAddress(call, calling, caller, portAt(call, back, DESTINATION));
}

function help(call: HelpCall): number {
  let verdict = HELP_ACCEPT;
  if (!isSpoken(call)) return verdict;
  eachTpkt(call, (at, end) => {
    const information = userInformation(call, at, end);
    if (information === null) return false;
    if (!heedCall(call, information)) verdict = refuse(call);
    return verdict === HELP_ACCEPT;
  });
  return verdict;
}

/** H.225.0 call signalling of H.323, in messages of Q.931. */
export const Q931_HELPER: Helper = {
  name: 'Q.931',
  proto: IPPROTO_TCP,
  families: [AF_INET, AF_INET6],
  ports: [1720],
  policies: [{ name: 'Q.931', maxExpected: 20, timeout: 240_000 }],
  ...H323_DATA,
  help,
};
