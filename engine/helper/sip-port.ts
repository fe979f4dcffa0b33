/** Answers go to the port that a telephone said, not to the one that it sends from. */

import { replaceChecksum } from '../packet/rewrite.ts';
import type { SipMessage } from './sip-message.ts';

/** Sends the packet to the port that was learnt. */
export function replaceDestinationPort(message: SipMessage): void {
  const { pkt } = message.call;
  message.replace(0, 0, new Uint8Array(0));
  const { view, l4 } = pkt;
  const before = view.getUint16(l4 + 2);
  view.setUint16(l4 + 2, message.flow.forcedPort);
  if (view.getUint16(l4 + 6) !== 0) replaceChecksum(view, l4 + 6, before, message.flow.forcedPort);
}
