import { HELP_ACCEPT, type HelpCall, type Helper } from '../conntrack/helper.ts';
import { isTranslated } from '../nat/mangle.ts';
import { AF_INET, IP_CT_ESTABLISHED, IP_CT_ESTABLISHED_REPLY } from '../packet/packet.ts';
import { IPPROTO_TCP } from '../packet/protocols.ts';
import type { GreKeys, GreKeyWords } from '../proto/gre-keys.ts';
import { payloadOf } from './payload.ts';
import { endCall, expectGre } from './pptp-gre.ts';
import * as M from './pptp-messages.ts';
import { translateMessage } from './pptp-nat.ts';
import { restorePptp, resumePptp, savePptp } from './pptp-saved.ts';

/** States of the control connection, in the order in which they are compared. */
const SESSION_NONE = 0;
const SESSION_ERROR = 1;
const SESSION_STOPPING = 2;
const SESSION_REQUESTED = 3;
const SESSION_CONFIRMED = 4;

/** States of its call. */
const CALL_NONE = 0;
const CALL_OUT_REQUESTED = 1;
const CALL_OUT_CONFIRMED = 2;
const CALL_IN_REQUESTED = 3;
const CALL_IN_REPLIED = 4;
const CALL_IN_CONFIRMED = 5;
const CALL_CLEARING = 6;

/** What is remembered of a control connection. The client is taken for the PNS, the server for the PAC (RFC 2637, 1.3). */
export interface PptpData {
  session: number;
  call: number;
  /** The client's call id, as the server sees it. */
  pnsCallId: number;
  /** The server's. */
  pacCallId: number;
  /** The client's own call id, before translation. */
  ownCallId: number;
  /** Where its call ids are noted, null if they never were. */
  keys: GreKeys | null;
  /** Call ids of a snapshot that are to be noted again. */
  kept: readonly GreKeyWords[];
}

/** Reads one message. @returns false if it does not belong here: nothing is done with it */
type Reader = (data: PptpData, view: DataView, at: number, call: HelpCall) => boolean;

const nothing: Reader = () => true;

/** Messages of the client, by type. What is missing is not looked at. */
const FROM_CLIENT: Readonly<Record<number, Reader>> = {
  [M.START_REQUEST]: (data) => {
    if (data.session !== SESSION_NONE) return false;
    data.session = SESSION_REQUESTED;
    return true;
  },
  [M.STOP_REQUEST]: (data) => {
    data.session = SESSION_STOPPING;
    return true;
  },
  [M.OUTGOING_REQUEST]: (data, view, at) => {
    if (data.session !== SESSION_CONFIRMED) return false;
    data.call = CALL_OUT_REQUESTED;
    data.pnsCallId = view.getUint16(at + M.FIRST);
    return true;
  },
  [M.INCOMING_REPLY]: (data, view, at) => {
    if (data.call !== CALL_IN_REQUESTED && data.call !== CALL_IN_REPLIED) return false;
    if (view.getUint16(at + M.SECOND) !== data.pacCallId) return false;
    const accepted = view.getUint8(at + M.CALL_RESULT) === M.RESULT_OK;
    data.call = accepted ? CALL_IN_REPLIED : CALL_NONE;
    if (accepted) data.pnsCallId = view.getUint16(at + M.FIRST);
    return true;
  },
  [M.CLEAR_REQUEST]: (data) => {
    if (data.session !== SESSION_CONFIRMED) return false;
    data.call = CALL_CLEARING;
    return true;
  },
};

/** Messages of the server. */
const FROM_SERVER: Readonly<Record<number, Reader>> = {
  [M.START_REPLY]: (data, view, at) => {
    if (data.session < SESSION_REQUESTED) return false;
    data.session = view.getUint8(at + M.START_RESULT) === M.RESULT_OK ? SESSION_CONFIRMED : SESSION_ERROR;
    return true;
  },
  [M.STOP_REPLY]: (data, view, at) => {
    if (data.session > SESSION_STOPPING) return false;
    data.session = view.getUint8(at + M.STOP_RESULT) === M.RESULT_OK ? SESSION_NONE : SESSION_ERROR;
    return true;
  },
  [M.OUTGOING_REPLY]: (data, view, at, call) => {
    if (data.session !== SESSION_CONFIRMED) return false;
    if (data.call !== CALL_OUT_REQUESTED && data.call !== CALL_OUT_CONFIRMED) return false;
    if (view.getUint16(at + M.SECOND) !== data.pnsCallId) return false;
    if (view.getUint8(at + M.CALL_RESULT) !== M.RESULT_OK) {
      data.call = CALL_NONE;
      return true;
    }
    data.call = CALL_OUT_CONFIRMED;
    data.pacCallId = view.getUint16(at + M.FIRST);
    expectGre(call, data);
    return true;
  },
  [M.INCOMING_REQUEST]: (data, view, at) => {
    if (data.session !== SESSION_CONFIRMED) return false;
    data.call = CALL_IN_REQUESTED;
    data.pacCallId = view.getUint16(at + M.FIRST);
    return true;
  },
  [M.INCOMING_CONNECTED]: (data, view, at, call) => {
    if (data.session !== SESSION_CONFIRMED) return false;
    if (data.call !== CALL_IN_REPLIED && data.call !== CALL_IN_CONFIRMED) return false;
    if (view.getUint16(at + M.FIRST) !== data.pnsCallId) return false;
    data.call = CALL_IN_CONFIRMED;
    expectGre(call, data);
    return true;
  },
  [M.DISCONNECT_NOTIFY]: (data, _view, _at, call) => {
    data.call = CALL_NONE;
    endCall(call, data);
    return true;
  },
  [M.WAN_ERROR_NOTIFY]: nothing,
  [M.SET_LINK_INFO]: nothing,
};

/** Measured: one message a segment, at its beginning; a message out of turn passes as it is. */
function help(call: HelpCall): number {
  const { pkt, dir } = call;
  if (pkt.ctinfo !== IP_CT_ESTABLISHED && pkt.ctinfo !== IP_CT_ESTABLISHED_REPLY) return HELP_ACCEPT;
  const at = payloadOf(call);
  const type = M.messageType(pkt.view, at, pkt.end);
  const read = (dir === 0 ? FROM_CLIENT : FROM_SERVER)[type];
  const data = call.ext.data as PptpData;
  if (read === undefined || !read(data, pkt.view, at, call)) return HELP_ACCEPT;
  return isTranslated(call) ? translateMessage(call, data, type) : HELP_ACCEPT;
}

function forgetKeys(data: unknown): void {
  const { keys } = data as PptpData;
  keys?.remove(data as PptpData);
}

/** PPTP (RFC 2637): the calls' packets are GRE, told apart by call ids. */
export const PPTP_HELPER: Helper = {
  name: 'pptp',
  proto: IPPROTO_TCP,
  families: [AF_INET],
  ports: [1723],
  // One for each direction.
  policies: [{ name: 'pptp', maxExpected: 2, timeout: 300_000 }],
  start: (): PptpData => ({
    session: SESSION_NONE,
    call: CALL_NONE,
    pnsCallId: 0,
    pacCallId: 0,
    ownCallId: 0,
    keys: null,
    kept: [],
  }),
  save: (data) => savePptp(data as PptpData),
  restore: restorePptp,
  resume: (ct, data) => resumePptp(ct, data as PptpData),
  end: forgetKeys,
  // Measured: the call ids go with any GRE flow of theirs, even with one that a clash kept out of the table.
  childGone: forgetKeys,
  help,
};
