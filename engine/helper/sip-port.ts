/** Answers go to the port that a telephone said, not to the one that it sends from. */

import type { SipMessage } from './sip-message.ts';

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Sends the packet to the port that was learnt. */
export function replaceDestinationPort(message: SipMessage): void {
  message.replace(0, 0, NO_BYTES);
  const { view, l4 } = message.call.pkt;
  view.setUint16(l4 + 2, message.flow.forcedPort);
}
