import { HELP_ACCEPT, type HelpCall } from '../conntrack/helper.ts';
import { mangleTcp } from '../nat/mangle.ts';
import { DESTINATION, portAt } from './flow-ends.ts';
import { payloadOf } from './payload.ts';
import type { PptpData } from './pptp.ts';
import * as M from './pptp-messages.ts';
import { refuse } from './refuse.ts';

/** Messages of the client that name its own call id. */
const NAMES_ITSELF: readonly number[] = [M.OUTGOING_REQUEST, M.INCOMING_REPLY, M.CLEAR_REQUEST];
/** Messages of the server that name the client's call id, and where. */
const NAMES_CLIENT: Readonly<Record<number, number>> = {
  [M.OUTGOING_REPLY]: M.SECOND,
  [M.INCOMING_CONNECTED]: M.FIRST,
  // Measured: the server's own call id is overwritten here.
  [M.DISCONNECT_NOTIFY]: M.FIRST,
  [M.WAN_ERROR_NOTIFY]: M.FIRST,
  [M.SET_LINK_INFO]: M.FIRST,
};

/**
 * Translates call ids in a message: the server must see a client's call id that no other client behind the same address
 * has. The control connection's port as the server sees it is one (measured).
 */
export function translateMessage(call: HelpCall, data: PptpData, type: number): number {
  if (call.dir === 1) {
    const at = NAMES_CLIENT[type];
    return at === undefined ? HELP_ACCEPT : writeId(call, at, data.ownCallId);
  }
  if (type === M.OUTGOING_REQUEST) {
    data.ownCallId = data.pnsCallId;
    data.pnsCallId = portAt(call, 1, DESTINATION);
  }
  return NAMES_ITSELF.includes(type) ? writeId(call, M.FIRST, data.pnsCallId) : HELP_ACCEPT;
}

function writeId(call: HelpCall, at: number, id: number): number {
  const bytes = Uint8Array.of(id >> 8, id & 255);
  return mangleTcp(call, payloadOf(call) + at, 2, bytes) ? HELP_ACCEPT : refuse(call);
}
