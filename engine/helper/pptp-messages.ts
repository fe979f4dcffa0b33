/** PPTP control messages (RFC 2637, section 2). All fields are in network order; offsets count from the payload. */

/** Length, message type 1, magic cookie, control message type, reserved. */
export const HEADER_BYTES = 12;
const CONTROL = 1;
const MAGIC = 0x1a2b3c4d;

/** Control message types. */
export const START_REQUEST = 1;
export const START_REPLY = 2;
export const STOP_REQUEST = 3;
export const STOP_REPLY = 4;
export const OUTGOING_REQUEST = 7;
export const OUTGOING_REPLY = 8;
export const INCOMING_REQUEST = 9;
export const INCOMING_REPLY = 10;
export const INCOMING_CONNECTED = 11;
export const CLEAR_REQUEST = 12;
export const DISCONNECT_NOTIFY = 13;
export const WAN_ERROR_NOTIFY = 14;
export const SET_LINK_INFO = 15;

/** How long each message is at least, by its type: those that are shorter are not read. */
const LENGTHS: readonly number[] = [0, 156, 156, 16, 16, 16, 20, 168, 32, 220, 24, 28, 16, 148, 40, 24];

/** Where a message's first field behind the header is: in most a call id. */
export const FIRST = 12;
/** The second: in replies the peer's call id. */
export const SECOND = 14;
/** The result code of OUTGOING_REPLY and INCOMING_REPLY. */
export const CALL_RESULT = 16;
/** The result code of START_REPLY. */
export const START_RESULT = 14;
/** The result code of STOP_REPLY. */
export const STOP_RESULT = 12;
/** What all result codes have for success. */
export const RESULT_OK = 1;

/** Type of the control message that a segment begins with, 0 if it is none or cut short. */
export function messageType(view: DataView, at: number, end: number): number {
  if (at + HEADER_BYTES > end) return 0;
  if (view.getUint16(at + 2) !== CONTROL || view.getUint32(at + 4) !== MAGIC) return 0;
  const type = view.getUint16(at + 8);
  const length = LENGTHS[type];
  return length === undefined || end - at < length ? 0 : type;
}
