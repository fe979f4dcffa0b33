/** What a SIP flow expects: media, and calls to who registered. */

import { EXPECT_ADDED, EXPECT_ALREADY, EXPECT_INACTIVE, type Expectation } from '../conntrack/expectation.ts';
import { F_ZONES, ROW_WORDS } from '../conntrack/flow-table.ts';
import { HELP_ACCEPT } from '../conntrack/helper.ts';
import { T_DST, T_KIND, T_PORTS, T_SRC, T_ZONE, TUPLE_WORDS, type Tuple } from '../conntrack/tuple.ts';
import { isTranslated } from '../nat/mangle.ts';
import { IPPROTO_UDP } from '../packet/protocols.ts';
import { sameAddress } from './payload.ts';
import type { SipEnd } from './sip-address.ts';
import { type Medium, mediumSpec, wordsOf } from './sip-medium.ts';
import { CANNOT, drop, type SipMessage } from './sip-message.ts';
import { translateMedia, writePort } from './sip-translate-sdp.ts';
import { expectTime } from './ticks.ts';

/** Class of expected signalling; the index of {@link SIP_POLICIES}. */
export const CLASS_SIGNALLING = 0;

/** Gives up what a flow expects, the latest first: its media, or the latest of its signalling. */
export function flush({ call }: SipMessage, isMedia: boolean): void {
  for (const expected of [...call.ext.expectations].reverse()) {
    if ((expected.class !== CLASS_SIGNALLING) !== isMedia) continue;
    call.conntrack.unexpect(expected);
    if (!isMedia) return;
  }
}

/**
 * A registration was answered: who may call is expected from now on.
 * @param seconds for how long
 * @returns false if it was not asked for
 */
export function activate(message: SipMessage, { address, port }: SipEnd, seconds: number): boolean {
  const { conntrack, ext } = message.call;
  const found = ext.expectations.findLast(
    (e) =>
      e.class === CLASS_SIGNALLING &&
      (e.tuple[T_KIND]! & 255) === message.proto &&
      (e.tuple[T_PORTS]! & 0xffff) === port &&
      sameAddress(wordsOf(message, e, T_DST), address),
  );
  if (found === undefined) return false;
  found.expires = conntrack.now + expectTime(seconds);
  found.flags &= ~EXPECT_INACTIVE;
  conntrack.expectations.moved();
  return true;
}

/** The latest expectation of just this medium, of any flow (__nf_ct_expect_find). */
function expectationOf(message: SipMessage, medium: Medium): Expectation | undefined {
  const { conntrack: ct, flow } = message.call;
  const word = (address: readonly number[]): number =>
    address.length === 1 ? address[0]! : ct.pool.lookup(address[0]!, address[1]!, address[2]!, address[3]!);
  const t: Tuple = new Int32Array(TUPLE_WORDS);
  t[T_DST] = word(medium.address);
  t[T_PORTS] = medium.port;
  t[T_KIND] = IPPROTO_UDP | (message.family << 8);
  t[T_ZONE] = ct.table.words[flow * ROW_WORDS + F_ZONES]! & 0xffff;
  const source = medium.source ?? medium.address.map(() => 0);
  return ct.expectations
    .at(t)
    .findLast(
      (e) =>
        e.tuple[T_DST] === t[T_DST] &&
        e.tuple[T_KIND] === t[T_KIND] &&
        e.tuple[T_ZONE] === t[T_ZONE] &&
        ((e.tuple[T_PORTS]! ^ t[T_PORTS]!) & ((e.portMask << 16) | 0xffff)) === 0 &&
        wordsOf(message, e, T_SRC).every((w, i) => ((w ^ source[i]!) & e.sourceMask[i]!) === 0),
    );
}

function isMoved(message: SipMessage, e: Expectation): boolean {
  if (e.savedAddress.length === 0) return false;
  return (
    e.savedPort !== (e.tuple[T_PORTS]! & 0xffff) || !sameAddress(e.savedAddress, wordsOf(message, e, T_DST))
  );
}

/** Whether others expect the medium already, and whether it then goes without translation. */
interface Known {
  readonly isExpected: boolean;
  readonly isDirect: boolean;
}

/**
 * Looks for the same medium told of by other flows: the same call may come by several ways. If the other flow and this
 * one are both translated, both ends can reach each other without; the medium then is what it was before translation.
 */
function lookAround(message: SipMessage, medium: Medium): Known {
  const { call } = message;
  let isDirect = false;
  for (;;) {
    const other = expectationOf(message, medium);
    const helper = other === undefined ? null : call.conntrack.extension(other.master)?.helper;
    if (
      other === undefined ||
      other.master === call.flow ||
      helper !== call.ext.helper ||
      other.class !== medium.class
    )
      return { isExpected: false, isDirect };
    if (isDirect || !isMoved(message, other) || !isTranslated(call)) return { isExpected: true, isDirect };
    medium.address = other.savedAddress;
    medium.port = other.savedPort;
    isDirect = true;
  }
}

/**
 * Expects a medium's two flows, RTP at an even port and RTCP at the next (RFC 3550, section 11).
 * @param medium its address becomes the translated one
 * @returns HELP_DROP if that cannot be, with a reason
 */
export function expectMedium(message: SipMessage, medium: Medium): number {
  const { call } = message;
  const { isExpected, isDirect } = lookAround(message, medium);
  const port = medium.port & ~1;
  if (isDirect && !writePort(message, medium, port)) return drop(message, CANNOT.mangle);
  if (isExpected) return HELP_ACCEPT;
  if (isTranslated(call) && !isDirect) return translateMedia(message, medium, port);
  const rtp = call.conntrack.expect(mediumSpec(message, medium, port));
  if (rtp !== EXPECT_ADDED && rtp !== EXPECT_ALREADY) return drop(message, CANNOT.expectMedia);
  const made = call.ext.expectations.at(-1)!;
  const rtcp = call.conntrack.expect(mediumSpec(message, medium, port + 1));
  if (rtcp === EXPECT_ADDED || rtcp === EXPECT_ALREADY) return HELP_ACCEPT;
  if (rtp === EXPECT_ADDED) call.conntrack.unexpect(made);
  return drop(message, CANNOT.expectMedia);
}
