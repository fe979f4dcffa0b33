/** SIP (RFC 3261): expects the calls of who registers, and the media of calls. */

import { F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import {
  type ExpectPolicy,
  HELP_ACCEPT,
  HELP_DROP,
  type HelpCall,
  type Helper,
} from '../conntrack/helper.ts';
import { bookShift, newSeqAdjust } from '../conntrack/seq-adjust.ts';
import { IPS_SEQ_ADJUST } from '../conntrack/status.ts';
import { sumTcp, sumUdp } from '../nat/mangle.ts';
import { AF_INET, AF_INET6, IP_CT_ESTABLISHED, IP_CT_ESTABLISHED_REPLY } from '../packet/packet.ts';
import { IPPROTO_TCP, IPPROTO_UDP } from '../packet/protocols.ts';
import { payloadOf } from './payload.ts';
import { restoreNumbers } from './saved-data.ts';
import { newEnd, SIP_PORT } from './sip-address.ts';
import { processMessage } from './sip-dialogue.ts';
import { CONTENT_LENGTH, FOUND, findHeader } from './sip-header.ts';
import { type SipFlow, SipMessage, type SipOptions } from './sip-message.ts';
import { numberAt, skipDigits } from './sip-text.ts';

const NAME = 'sip';
const MINUTES_3 = 180_000;

/** Signalling, audio, video, image. */
const POLICIES: readonly ExpectPolicy[] = [
  { name: 'signalling', maxExpected: 1, timeout: MINUTES_3 },
  { name: 'audio', maxExpected: 4, timeout: MINUTES_3 },
  { name: 'video', maxExpected: 4, timeout: MINUTES_3 },
  { name: 'image', maxExpected: 2, timeout: MINUTES_3 },
];

/** The kernel module's defaults. */
export const SIP_OPTIONS: SipOptions = {
  timeout: 3600,
  directSignalling: true,
  directMedia: true,
  externalMedia: null,
};

/** Shorter than `SIP/2.0 200` is no message. */
const SHORTEST = 11;

function start(): SipFlow {
  return { inviteCseq: 0, registerCseq: 0, forcedPort: 0 };
}

function helpUdp(call: HelpCall, options: SipOptions): number {
  const at = payloadOf(call);
  const { end } = call.pkt;
  if (at >= end) return HELP_ACCEPT;
  call.conntrack.prolong(call.flow, options.timeout * 1000);
  if (end - at < SHORTEST) return HELP_ACCEPT;
  const message = new SipMessage(call, options, at, end - at);
  const verdict = processMessage(message);
  if (message.isChanged) sumUdp(call.pkt);
  return verdict;
}

/**
 * Where the message at the beginning of a text ends: as many bytes behind the next empty line as Content-Length says.
 * @returns 0 if that is not known
 */
function messageEnd(message: SipMessage): number {
  const out = newEnd();
  if (findHeader(message, 0, CONTENT_LENGTH, message.family, out) !== FOUND) return 0;
  const length = numberAt(message, out.at);
  // Measured: of a body longer than all that is left the end is not looked for.
  if (length < 0 || length > message.length) return 0;
  for (let at = skipDigits(message, out.at); at + 4 <= message.length; at++) {
    if (
      message.byte(at) === 13 &&
      message.byte(at + 1) === 10 &&
      message.byte(at + 2) === 13 &&
      message.byte(at + 3) === 10
    )
      return at + 4 + length;
  }
  return 0;
}

/** Reads the messages that are whole in a segment. */
function helpTcp(call: HelpCall, options: SipOptions): number {
  const { pkt } = call;
  if (pkt.ctinfo !== IP_CT_ESTABLISHED && pkt.ctinfo !== IP_CT_ESTABLISHED_REPLY) return HELP_ACCEPT;
  const first = payloadOf(call) - pkt.off;
  if (first + pkt.off >= pkt.end) return HELP_ACCEPT;
  call.conntrack.prolong(call.flow, options.timeout * 1000);
  const before = pkt.end - pkt.off;
  let isChanged = false;
  let isBooked = true;
  for (let at = first; pkt.end - pkt.off - at >= SHORTEST; ) {
    const message = new SipMessage(call, options, pkt.off + at, pkt.end - pkt.off - at);
    const end = messageEnd(message);
    if (end === 0) break;
    // Measured: of a body that is cut (but see messageEnd) what the messages before this one changed is not booked, so
    // the numbers of all later segments are wrong. It is so in Linux 6.18.
    isBooked = end <= message.length;
    if (!isBooked) break;
    message.length = end;
    if (processMessage(message) === HELP_DROP) return HELP_DROP;
    if (message.isChanged) isChanged = true;
    at += message.length;
  }
  if (isChanged) sumTcp(call);
  if (isBooked) shift(call, pkt.end - pkt.off - before);
  return HELP_ACCEPT;
}

/** What all messages of the segment together changed its length by. */
function shift({ conntrack, flow, pkt, dir, ext }: HelpCall, by: number): void {
  if (by === 0) return;
  ext.seq ??= newSeqAdjust();
  bookShift(ext.seq[dir]!, pkt.view.getInt32(pkt.l4 + 4), by);
  conntrack.table.words[flow * ROW_WORDS + F_STATUS]! |= IPS_SEQ_ADJUST;
}

/** The helpers for SIP by UDP and by TCP. @param options those that differ from {@link SIP_OPTIONS} */
export function sipHelpers(options: Partial<SipOptions> = {}): readonly Helper[] {
  const all = { ...SIP_OPTIONS, ...options };
  const common = {
    name: NAME,
    families: [AF_INET, AF_INET6],
    ports: [SIP_PORT],
    policies: POLICIES,
    start,
    save: (data: unknown) => data,
    restore: restoreNumbers(start),
  };
  return [
    { ...common, proto: IPPROTO_UDP, help: (call) => helpUdp(call, all) },
    { ...common, proto: IPPROTO_TCP, help: (call) => helpTcp(call, all) },
  ];
}

/** As the kernel has them. */
export const SIP_HELPERS: readonly Helper[] = sipHelpers();
