import { type LineWriter, type Piece, PieceTable, piece } from '../base/line-writer.ts';
import { ETH_P_IP, ETH_P_IPV6 } from './ethernet.ts';
import {
  GRE_ACK,
  GRE_CSUM,
  GRE_HEADER,
  GRE_KEY,
  GRE_PPTP_HEADER,
  GRE_PROTO_PPP,
  GRE_ROUTING,
  GRE_SEQ,
  greHeaderLength,
} from './gre.ts';
import { chunkLength, chunkName, chunkType, nextChunk, SCTP_CHUNK_HEADER, SCTP_HEADER } from './sctp.ts';
import { TCP_HEADER, TH_ACK, TH_URG, tcpFlagNames, tcpHeaderLength } from './tcp.ts';
import { UDP_HEADER } from './udp.ts';

/** Flags in words by the flags byte, with what stands around them: ` tcp SYN,ACK seq `. */
export const TCP_FLAGS: PieceTable = new PieceTable((flags) => ` tcp ${tcpFlagNames(flags)} seq `);
const CHUNK_NAMES: PieceTable = new PieceTable(chunkName);

const TCP = piece(' tcp');
const UDP = piece(' udp');
const UDPLITE = piece(' udplite');
const SCTP = piece(' sctp');
const GRE = piece(' gre');
const CUT_SHORT = piece(' cut short (');
const BYTES = piece(' bytes)');
const ACK = piece(' ack ');
const WIN = piece(' win ');
const URG = piece(' urg ');
const LEN = piece(' len ');
const SEQ = piece(' seq ');
const BAD_HEADER = piece(' bad header length ');
const UDP_LEN = piece(' udp len ');
const LENGTH_FIELD = piece(', length field ');
const COVERAGE = piece(' coverage ');
const COMMA = 0x2c;
const CLOSE = 0x29;
const SCTP_SPACE = piece(' sctp ');
const NO_CHUNK = piece('no chunk');
const MORE_CHUNKS = piece('…');
const BAD_LENGTH = piece(' (bad length ');
const VTAG = piece(' vtag 0x');
const IP = piece(' ip');
const IPV6 = piece(' ipv6');
const PPP = piece(' ppp');
const HEX = piece(' 0x');
const VERSION = piece(' v');
const KEY = piece(' key 0x');
const CALL = piece(' call ');

/** More chunks than a packet usually has; the rest of a longer row is not spelled out. */
const CHUNKS_SHOWN = 8;

function writeCutShort(out: LineWriter, name: Piece, bytes: number): void {
  out.piece(name);
  out.field(CUT_SHORT, bytes);
  out.piece(BYTES);
}

/**
 * Writes a TCP segment, as all here with a space in front: ` tcp SYN,ACK seq 1 ack 2 win 64240 len 0`. `ack` stands only where the ACK flag does.
 * @param l4 first byte of its header
 * @param end first byte past its payload
 * @param more whether bytes of the segment are in other fragments, so that its length is not known
 */
export function writeTcp(out: LineWriter, view: DataView, l4: number, end: number, more: boolean): void {
  const there = end - l4;
  if (there < TCP_HEADER) {
    writeCutShort(out, TCP, there);
    return;
  }
  const flags = view.getUint8(l4 + 13);
  out.field(TCP_FLAGS.of(flags), view.getInt32(l4 + 4));
  if (flags & TH_ACK) out.field(ACK, view.getInt32(l4 + 8));
  out.field(WIN, view.getUint16(l4 + 14));
  if (flags & TH_URG) out.field(URG, view.getUint16(l4 + 18));
  const header = tcpHeaderLength(view, l4);
  if (header < TCP_HEADER || header > there) out.field(BAD_HEADER, header);
  else if (!more) out.field(LEN, there - header);
}

/**
 * Writes a UDP datagram: `udp len 29`, the payload's bytes; its length field too where it says something else.
 * @param more whether bytes of the datagram are in other fragments: then the length field is all that tells
 */
export function writeUdp(out: LineWriter, view: DataView, l4: number, end: number, more: boolean): void {
  const there = end - l4;
  if (there < UDP_HEADER) {
    writeCutShort(out, UDP, there);
    return;
  }
  const field = view.getUint16(l4 + 4);
  if (field === there || (more && field >= UDP_HEADER)) {
    out.field(UDP_LEN, field - UDP_HEADER);
    return;
  }
  out.field(UDP_LEN, there - UDP_HEADER);
  out.field(LENGTH_FIELD, field);
}

/** Writes a UDP-Lite datagram: `udplite len 29 coverage 8`; coverage 0 is all of it (RFC 3828, section 3.1). */
export function writeUdplite(out: LineWriter, view: DataView, l4: number, end: number, more: boolean): void {
  const there = end - l4;
  if (there < UDP_HEADER) {
    writeCutShort(out, UDPLITE, there);
    return;
  }
  out.piece(UDPLITE);
  if (!more) out.field(LEN, there - UDP_HEADER);
  out.field(COVERAGE, view.getUint16(l4 + 4));
}

/** The names of chunks, with commas in between. */
function writeChunks(out: LineWriter, view: DataView, first: number, end: number, more: boolean): void {
  let at = first;
  for (let shown = 0; at + SCTP_CHUNK_HEADER <= end; shown++) {
    if (shown > 0) out.byte(COMMA);
    if (shown === CHUNKS_SHOWN) {
      out.piece(MORE_CHUNKS);
      return;
    }
    out.piece(CHUNK_NAMES.of(chunkType(view, at)));
    const length = chunkLength(view, at);
    if (length < SCTP_CHUNK_HEADER || at + length > end) {
      if (length >= SCTP_CHUNK_HEADER && more) return;
      out.field(BAD_LENGTH, length);
      out.byte(CLOSE);
      return;
    }
    at = nextChunk(at, length);
  }
}

/** Writes an SCTP packet by its chunks: `sctp COOKIE_ECHO,DATA vtag 0x1234`. `…` is for chunks left out. */
export function writeSctp(out: LineWriter, view: DataView, l4: number, end: number, more: boolean): void {
  const chunks = l4 + SCTP_HEADER;
  if (chunks > end) {
    writeCutShort(out, SCTP, end - l4);
    return;
  }
  out.piece(SCTP_SPACE);
  if (chunks + SCTP_CHUNK_HEADER > end) out.piece(NO_CHUNK);
  else writeChunks(out, view, chunks, end, more);
  out.piece(VTAG);
  out.hex(view.getInt32(l4 + 4));
}

function writeGreProtocol(out: LineWriter, protocol: number): void {
  if (protocol === ETH_P_IP) out.piece(IP);
  else if (protocol === ETH_P_IPV6) out.piece(IPV6);
  else if (protocol === GRE_PROTO_PPP) out.piece(PPP);
  else {
    out.piece(HEX);
    out.hex(protocol, 4);
  }
}

/** Writes a GRE packet: `gre ip key 0x7 seq 3 len 20`; version 1: `gre v1 ppp call 7 seq 3 ack 2 len 20`. */
export function writeGre(out: LineWriter, view: DataView, l4: number, end: number, more: boolean): void {
  const there = end - l4;
  if (there < GRE_HEADER) {
    writeCutShort(out, GRE, there);
    return;
  }
  const flags = view.getUint16(l4);
  const version = flags & 7;
  out.piece(GRE);
  if (version !== 0) out.field(VERSION, version);
  writeGreProtocol(out, view.getUint16(l4 + 2));
  if (version > 1) return;
  const header = greHeaderLength(flags);
  if (header > there) {
    out.field(CUT_SHORT, there);
    out.piece(BYTES);
    return;
  }
  if (version === 1) writePptp(out, view, l4, flags);
  else writeKey(out, view, l4, flags);
  if (!more) out.field(LEN, there - header);
}

function writeKey(out: LineWriter, view: DataView, l4: number, flags: number): void {
  let at = l4 + GRE_HEADER + (flags & (GRE_CSUM | GRE_ROUTING) ? 4 : 0);
  if (flags & GRE_KEY) {
    out.piece(KEY);
    out.hex(view.getInt32(at));
    at += 4;
  }
  if (flags & GRE_SEQ) out.field(SEQ, view.getInt32(at));
}

function writePptp(out: LineWriter, view: DataView, l4: number, flags: number): void {
  let at = l4 + GRE_PPTP_HEADER;
  out.field(CALL, view.getUint16(l4 + 6));
  if (flags & GRE_SEQ) {
    out.field(SEQ, view.getInt32(at));
    at += 4;
  }
  if (flags & GRE_ACK) out.field(ACK, view.getInt32(at));
}
