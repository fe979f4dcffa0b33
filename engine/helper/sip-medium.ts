/** Media that SIP messages tell of, and their expectations. */

import type { Expectation, ExpectSpec } from '../conntrack/expectation.ts';
import { IPPROTO_UDP } from '../packet/protocols.ts';
import type { SipMessage } from './sip-message.ts';

/** A medium that a message tells of. */
export interface Medium {
  readonly class: number;
  /** Who will send, null for anybody. */
  source: readonly number[] | null;
  address: readonly number[];
  port: number;
  /** Place of its port in the text, `end` behind it. */
  readonly at: number;
  readonly end: number;
}

/** The specification of one of a medium's two flows. */
export function mediumSpec(message: SipMessage, medium: Medium, port: number): ExpectSpec {
  return {
    master: message.call.flow,
    class: medium.class,
    family: message.family,
    proto: IPPROTO_UDP,
    source: medium.source,
    destination: medium.address,
    sourcePort: null,
    destinationPort: port,
    skipsMaster: true,
  };
}

/** The address words of an end of an expectation. @param end T_SRC or T_DST */
export function wordsOf(
  { call }: SipMessage,
  { tuple, sourceMask }: Expectation,
  end: number,
): readonly number[] {
  const word = tuple[end]!;
  return sourceMask.length === 1 ? [word] : [0, 1, 2, 3].map((i) => call.conntrack.pool.word(word, i));
}
