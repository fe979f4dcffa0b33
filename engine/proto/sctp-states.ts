import {
  SCTP_CID_ABORT,
  SCTP_CID_COOKIE_ACK,
  SCTP_CID_COOKIE_ECHO,
  SCTP_CID_ERROR,
  SCTP_CID_HEARTBEAT,
  SCTP_CID_HEARTBEAT_ACK,
  SCTP_CID_INIT,
  SCTP_CID_INIT_ACK,
  SCTP_CID_SHUTDOWN,
  SCTP_CID_SHUTDOWN_ACK,
  SCTP_CID_SHUTDOWN_COMPLETE,
} from '../packet/sctp.ts';

/** SCTP states, with the kernel's numbers (enum sctp_conntrack). */
export const SCTP_NONE = 0;
/** CLOSED: an INIT was sent, or the association has ended. */
export const SCTP_CLOSED = 1;
/** COOKIE_WAIT. */
export const SCTP_COOKIE_WAIT = 2;
/** COOKIE_ECHOED. */
export const SCTP_COOKIE_ECHOED = 3;
/** ESTABLISHED. */
export const SCTP_ESTABLISHED = 4;
/** SHUTDOWN_SENT: by the original side. */
export const SCTP_SHUTDOWN_SENT = 5;
/** SHUTDOWN_RECD: the reply side sent it. */
export const SCTP_SHUTDOWN_RECD = 6;
/** SHUTDOWN_ACK_SENT. */
export const SCTP_SHUTDOWN_ACK_SENT = 7;
/** HEARTBEAT_SENT: a heartbeat opened the flow, on another path of a known association (multi-homing). */
export const SCTP_HEARTBEAT_SENT = 8;
/** Not a state: the chunk is INVALID. */
export const SCTP_INVALID = 9;

/** Names by number, as conntrack(8) prints them. */
export const SCTP_STATE_NAMES: readonly string[] = [
  'NONE',
  'CLOSED',
  'COOKIE_WAIT',
  'COOKIE_ECHOED',
  'ESTABLISHED',
  'SHUTDOWN_SENT',
  'SHUTDOWN_RECD',
  'SHUTDOWN_ACK_SENT',
  'HEARTBEAT_SENT',
];

/** The sysctl with the timeout of each state, by number; NONE has none. */
export const SCTP_TIMEOUTS: readonly string[] = [
  '',
  'nf_conntrack_sctp_timeout_closed',
  'nf_conntrack_sctp_timeout_cookie_wait',
  'nf_conntrack_sctp_timeout_cookie_echoed',
  'nf_conntrack_sctp_timeout_established',
  'nf_conntrack_sctp_timeout_shutdown_sent',
  'nf_conntrack_sctp_timeout_shutdown_recd',
  'nf_conntrack_sctp_timeout_shutdown_ack_sent',
  'nf_conntrack_sctp_timeout_heartbeat_sent',
];

const CL = SCTP_CLOSED;
const CW = SCTP_COOKIE_WAIT;
const CE = SCTP_COOKIE_ECHOED;
const ES = SCTP_ESTABLISHED;
const SS = SCTP_SHUTDOWN_SENT;
const SR = SCTP_SHUTDOWN_RECD;
const SA = SCTP_SHUTDOWN_ACK_SENT;
const HB = SCTP_HEARTBEAT_SENT;
const no = SCTP_INVALID;
/** The state stays. */
const __ = -1;

/** The chunk types that the columns below are for, in their order; every other type changes no state. */
const COLUMNS: readonly number[] = [
  SCTP_CID_INIT,
  SCTP_CID_INIT_ACK,
  SCTP_CID_COOKIE_ECHO,
  SCTP_CID_COOKIE_ACK,
  SCTP_CID_SHUTDOWN,
  SCTP_CID_SHUTDOWN_ACK,
  SCTP_CID_SHUTDOWN_COMPLETE,
  SCTP_CID_ABORT,
  SCTP_CID_ERROR,
  SCTP_CID_HEARTBEAT,
  SCTP_CID_HEARTBEAT_ACK,
];

// A row for each state, measured cell by cell (sctp-states.test.ts). NONE: `no` cannot open an association, and
// neither can the types that have no column.
//            INIT         COOKIE       SHUTDOWN        ABORT     HEARTBEAT
//               INIT_ACK  ECHO ACK        ACK COMPLETE    ERROR     ACK
const ORIGINAL: readonly (readonly number[])[] = [
  /* NONE */ [CL, CL, /**/ CL, no, /**/ CL, SA, no, /**/ no, CL, /**/ HB, CL],
  /* CL   */ [__, __, /**/ __, __, /**/ __, __, __, /**/ __, __, /**/ __, __],
  /* CW   */ [__, __, /**/ CE, __, /**/ __, __, __, /**/ CL, __, /**/ __, __],
  /* CE   */ [__, __, /**/ __, ES, /**/ __, __, __, /**/ CL, __, /**/ __, __],
  /* ES   */ [__, __, /**/ __, __, /**/ SS, __, __, /**/ CL, __, /**/ __, __],
  /* SS   */ [CL, __, /**/ __, __, /**/ __, SA, __, /**/ CL, __, /**/ __, __],
  /* SR   */ [CL, __, /**/ __, __, /**/ __, SA, __, /**/ CL, __, /**/ __, __],
  /* SA   */ [__, __, /**/ __, __, /**/ __, __, CL, /**/ CL, __, /**/ __, __],
  /* HB   */ [CW, CL, /**/ CL, CL, /**/ CL, SA, CL, /**/ CL, CL, /**/ __, __],
];
const REPLY: readonly (readonly number[])[] = [
  /* NONE */ [no, no, /**/ no, no, /**/ no, no, no, /**/ no, no, /**/ no, no],
  /* CL   */ [__, CW, /**/ __, __, /**/ __, __, __, /**/ __, __, /**/ __, __],
  /* CW   */ [__, __, /**/ CE, __, /**/ __, __, __, /**/ CL, __, /**/ __, __],
  /* CE   */ [__, __, /**/ __, ES, /**/ __, __, __, /**/ CL, CL, /**/ __, __],
  /* ES   */ [__, __, /**/ __, __, /**/ SR, __, __, /**/ CL, __, /**/ __, __],
  /* SS   */ [__, __, /**/ __, __, /**/ __, SA, __, /**/ CL, __, /**/ __, __],
  /* SR   */ [__, __, /**/ __, __, /**/ __, SA, __, /**/ CL, __, /**/ __, __],
  /* SA   */ [__, __, /**/ __, __, /**/ __, __, CL, /**/ CL, __, /**/ __, __],
  /* HB   */ [no, no, /**/ no, no, /**/ no, no, no, /**/ no, no, /**/ __, ES],
];

/** Chunk types below this have a place in the compiled table. */
const TYPES = 16;

/** By direction << 8 | state << 4 | chunk type. */
const NEXT: Int8Array = new Int8Array(512).fill(__);
[ORIGINAL, REPLY].forEach((table, dir) => {
  table.forEach((row, state) => {
    row.forEach((next, column) => {
      NEXT[(dir << 8) | (state << 4) | COLUMNS[column]!] = next;
    });
  });
});

/**
 * The state that a chunk leads to.
 * @param dir 0 original, 1 reply
 * @param state SCTP_*
 * @param type SCTP_CID_* or any other chunk type
 * @returns SCTP_INVALID if the chunk is not possible there
 */
export function nextSctpState(dir: number, state: number, type: number): number {
  if (type >= TYPES) return state;
  const next = NEXT[(dir << 8) | (state << 4) | type]!;
  return next === __ ? state : next;
}
