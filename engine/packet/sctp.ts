/** Fields of an SCTP packet (RFC 9260, section 3) as functions of (view, offset). */

/** Bytes of the common header. */
export const SCTP_HEADER = 12;
/** Bytes of a chunk's header: type, flags, length. */
export const SCTP_CHUNK_HEADER = 4;
/** Bytes of an INIT or INIT ACK chunk without parameters. */
export const SCTP_INIT_CHUNK = 20;

/** DATA. */
export const SCTP_CID_DATA = 0;
/** INIT. */
export const SCTP_CID_INIT = 1;
/** INIT ACK. */
export const SCTP_CID_INIT_ACK = 2;
/** SACK. */
export const SCTP_CID_SACK = 3;
/** HEARTBEAT. */
export const SCTP_CID_HEARTBEAT = 4;
/** HEARTBEAT ACK. */
export const SCTP_CID_HEARTBEAT_ACK = 5;
/** ABORT. */
export const SCTP_CID_ABORT = 6;
/** SHUTDOWN. */
export const SCTP_CID_SHUTDOWN = 7;
/** SHUTDOWN ACK. */
export const SCTP_CID_SHUTDOWN_ACK = 8;
/** ERROR. */
export const SCTP_CID_ERROR = 9;
/** COOKIE ECHO. */
export const SCTP_CID_COOKIE_ECHO = 10;
/** COOKIE ACK. */
export const SCTP_CID_COOKIE_ACK = 11;
/** SHUTDOWN COMPLETE. */
export const SCTP_CID_SHUTDOWN_COMPLETE = 14;

/** Flag of ABORT and SHUTDOWN COMPLETE: the verification tag is the sender's own (RFC 9260, section 8.5.1). */
export const SCTP_CHUNK_FLAG_T = 1;

/** Source port << 16 | destination port, as int32. */
export function sctpPorts(view: DataView, l4: number): number {
  return view.getInt32(l4);
}

/** Verification tag, as int32. */
export function sctpVtag(view: DataView, l4: number): number {
  return view.getInt32(l4 + 4);
}

/** Checksum as it stands in the header, big-endian, as int32: what `sctpCrc` computes. */
export function sctpChecksum(view: DataView, l4: number): number {
  return view.getInt32(l4 + 8);
}

/** Type of the chunk at `at` (SCTP_CID_*). */
export function chunkType(view: DataView, at: number): number {
  return view.getUint8(at);
}

/** Flags of the chunk at `at`. */
export function chunkFlags(view: DataView, at: number): number {
  return view.getUint8(at + 1);
}

/** Length field of the chunk at `at`: bytes with its header, without padding. Nothing is checked. */
export function chunkLength(view: DataView, at: number): number {
  return view.getUint16(at + 2);
}

/** Where the chunk after one of `length` bytes at `at` begins: chunks are padded to four bytes. */
export function nextChunk(at: number, length: number): number {
  return at + ((length + 3) & ~3);
}

/** Initiate tag of the INIT or INIT ACK chunk at `at`, as int32. */
export function initiateTag(view: DataView, at: number): number {
  return view.getInt32(at + 4);
}

// IANA, Stream Control Transmission Protocol Parameters, chunk types.
const NAMES: ReadonlyMap<number, string> = new Map([
  [SCTP_CID_DATA, 'DATA'],
  [SCTP_CID_INIT, 'INIT'],
  [SCTP_CID_INIT_ACK, 'INIT_ACK'],
  [SCTP_CID_SACK, 'SACK'],
  [SCTP_CID_HEARTBEAT, 'HEARTBEAT'],
  [SCTP_CID_HEARTBEAT_ACK, 'HEARTBEAT_ACK'],
  [SCTP_CID_ABORT, 'ABORT'],
  [SCTP_CID_SHUTDOWN, 'SHUTDOWN'],
  [SCTP_CID_SHUTDOWN_ACK, 'SHUTDOWN_ACK'],
  [SCTP_CID_ERROR, 'ERROR'],
  [SCTP_CID_COOKIE_ECHO, 'COOKIE_ECHO'],
  [SCTP_CID_COOKIE_ACK, 'COOKIE_ACK'],
  [12, 'ECNE'],
  [13, 'CWR'],
  [SCTP_CID_SHUTDOWN_COMPLETE, 'SHUTDOWN_COMPLETE'],
  [15, 'AUTH'],
  [64, 'I_DATA'],
  [128, 'ASCONF_ACK'],
  [130, 'RE_CONFIG'],
  [132, 'PAD'],
  [192, 'FORWARD_TSN'],
  [193, 'ASCONF'],
  [194, 'I_FORWARD_TSN'],
]);

/** Name of a chunk type, `chunk N` for those without. */
export function chunkName(type: number): string {
  return NAMES.get(type) ?? `chunk ${type}`;
}
