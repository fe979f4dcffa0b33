import { concat, halfWords, type Payload, padTo, payloadBytes, viewOf, words } from './build-bytes.ts';
import { sctpCrc } from './checksum.ts';
import { SCTP_CHUNK_HEADER, SCTP_CID_DATA, SCTP_CID_INIT, SCTP_CID_INIT_ACK } from './sctp.ts';

/** One chunk of an SCTP packet. */
export interface SctpChunk {
  /** SCTP_CID_*. */
  readonly type: number;
  readonly flags?: number;
  /** What stands behind the chunk's header; padded to a multiple of 4. */
  readonly value?: Payload;
  /** In place of the right length field. */
  readonly length?: number;
}

/** What an SCTP packet says. */
export interface SctpFields {
  readonly sport: number;
  readonly dport: number;
  /** Verification tag. */
  readonly vtag?: number;
  readonly chunks: readonly SctpChunk[];
  /** In place of the right CRC32c; as it stands in the packet, read big-endian. */
  readonly checksum?: number;
}

function chunkBytes(chunk: SctpChunk): Uint8Array {
  const value = payloadBytes(chunk.value);
  const head = Uint8Array.of(chunk.type, chunk.flags ?? 0);
  return padTo(concat(head, halfWords(chunk.length ?? SCTP_CHUNK_HEADER + value.length), value), 4);
}

/** An SCTP packet (RFC 9260, section 3) with its CRC32c. */
export function sctp(o: SctpFields): Uint8Array {
  const packet = concat(halfWords(o.sport, o.dport), words(o.vtag ?? 0, 0), ...o.chunks.map(chunkBytes));
  const view = viewOf(packet);
  view.setInt32(8, o.checksum ?? sctpCrc(view, 0, packet.length));
  return packet;
}

/** What an INIT or INIT ACK chunk says. */
export interface SctpInitFields {
  /** Initiate tag: what the peer is to send as verification tag. */
  readonly tag: number;
  /** Initial transmission sequence number. */
  readonly tsn?: number;
  /** Receiver window in bytes, 65536 if left out. */
  readonly window?: number;
  /** Parameters, as bytes. */
  readonly parameters?: Uint8Array;
}

function initValue(o: SctpInitFields): Uint8Array {
  const streams = halfWords(10, 10);
  return concat(
    words(o.tag, o.window ?? 65536),
    streams,
    words(o.tsn ?? 0),
    o.parameters ?? new Uint8Array(0),
  );
}

/** An INIT chunk (RFC 9260, section 3.3.2) that asks for ten streams each way. */
export function sctpInit(o: SctpInitFields): SctpChunk {
  return { type: SCTP_CID_INIT, value: initValue(o) };
}

/** An INIT ACK chunk (RFC 9260, section 3.3.3) with a state cookie parameter of four bytes if none is given. */
export function sctpInitAck(o: SctpInitFields): SctpChunk {
  const parameters = o.parameters ?? halfWords(7, 8, 0xc00c, 0x1e00);
  return { type: SCTP_CID_INIT_ACK, value: initValue({ ...o, parameters }) };
}

/** A DATA chunk (RFC 9260, section 3.3.1): one whole message on stream 0. */
export function sctpData(payload: Payload, tsn = 0): SctpChunk {
  return { type: SCTP_CID_DATA, flags: 3, value: concat(words(tsn, 0, 0), payloadBytes(payload)) };
}
