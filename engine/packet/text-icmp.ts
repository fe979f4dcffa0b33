import { type LineWriter, PieceTable, piece } from '../base/line-writer.ts';
import {
  ICMP_DEST_UNREACH,
  ICMP_FRAG_NEEDED,
  ICMP_HEADER,
  ICMP_REDIRECT,
  icmpCodeName,
  icmpTypeName,
  isIcmpError,
} from './icmp.ts';
import {
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  ICMPV6_PKT_TOOBIG,
  icmpv6CodeName,
  icmpv6TypeName,
  isIcmpv6Error,
  NDISC_NEIGHBOUR_ADVERTISEMENT,
  NDISC_NEIGHBOUR_SOLICITATION,
  NDISC_REDIRECT,
} from './icmpv6.ts';
import { FRAG_MORE } from './packet.ts';
import { IPPROTO_ICMP, IPPROTO_ICMPV6 } from './protocols.ts';
import { hasPorts, Located, locate, PROTOCOL_WORDS, writeEnds, writeIpv6At } from './text-ip.ts';

/** By type: whether an ICMP message that is no error has an identifier and a sequence number. */
const ICMP_WITH_ID: readonly boolean[] = Array.from(
  { length: 19 },
  (_, type) => type === 0 || type === 8 || type > 12,
);

/** Type and code by which the name of a message is told: the code counts where there are names for it. */
const NAMES: PieceTable = new PieceTable((key) => ` icmp ${icmpCodeName(key & 255, key >> 8)}`);
const NAMES6: PieceTable = new PieceTable((key) => ` icmpv6 ${icmpv6CodeName(key & 255, key >> 8)}`);
/** The name of a type behind a space, as quoted. */
const QUOTED_NAMES: PieceTable = new PieceTable((type) => ` ${icmpTypeName(type)}`);
const QUOTED_NAMES6: PieceTable = new PieceTable((type) => ` ${icmpv6TypeName(type)}`);
/** Codes from here on have no names of their own. */
const NAMED_CODES = 16;

const ABOUT = piece(' about ');
const ABOUT_SHORT = piece(' about a packet cut short');
const FRAGMENT = piece(' frag ');
const PLUS = 0x2b;
const ID = piece(' id ');
const SEQ = piece(' seq ');
const MTU = piece(' mtu ');
const OPEN = piece(' (');
const SLASH = 0x2f;
const CLOSE = 0x29;
const SPACE = 0x20;
const TO = piece(' to ');
const FOR = piece(' for ');
const ICMP_SHORT = piece(' icmp cut short (');
const ICMPV6_SHORT = piece(' icmpv6 cut short (');
const BYTES = piece(' bytes)');
const TARGET_SHORT = piece(' cut short');

const quoteScratch = new Located();

/** What an error quotes: ` about 10.0.0.1:33434 > 10.1.0.1:33434 udp`, as far as it is there. */
function writeQuote(out: LineWriter, view: DataView, at: number, end: number): void {
  if (!locate(view, at, end, quoteScratch)) {
    out.piece(ABOUT_SHORT);
    return;
  }
  const { family, proto, l4, frag, end: stop } = quoteScratch;
  const first = l4 >= 0 && frag <= FRAG_MORE;
  const ports = first && hasPorts(proto) && l4 + 4 <= stop ? l4 : -1;
  out.piece(ABOUT);
  writeEnds(out, view, at, family, ports);
  out.piece(PROTOCOL_WORDS.of(proto));
  if (!first) {
    if (l4 < 0) return;
    out.field(FRAGMENT, frag & ~7);
    out.byte(PLUS);
  } else if (l4 < stop) {
    if (proto === IPPROTO_ICMP) out.piece(QUOTED_NAMES.of(view.getUint8(l4)));
    else if (proto === IPPROTO_ICMPV6) out.piece(QUOTED_NAMES6.of(view.getUint8(l4)));
  }
}

/** What it is, by type and code: ` icmp port unreachable`. */
function writeName(out: LineWriter, names: PieceTable, type: number, code: number): void {
  out.piece(names.of(code < NAMED_CODES ? type | (code << 8) : type | (NAMED_CODES << 8)));
}

/** ` (3/1)`. */
function writeCode(out: LineWriter, type: number, code: number): void {
  out.field(OPEN, type);
  out.byte(SLASH);
  out.uint(code);
  out.byte(CLOSE);
}

function writeId(out: LineWriter, view: DataView, l4: number): void {
  out.field(ID, view.getUint16(l4 + 4));
  out.field(SEQ, view.getUint16(l4 + 6));
}

/**
 * Writes an ICMP message with a space in front: ` icmp echo request id 7 seq 1`, `icmp time exceeded (11/0) about …`.
 * @param l4 first byte of its header
 * @param end first byte past the message
 */
export function writeIcmp(out: LineWriter, view: DataView, l4: number, end: number): void {
  if (l4 + ICMP_HEADER > end) {
    out.field(ICMP_SHORT, end - l4);
    out.piece(BYTES);
    return;
  }
  const type = view.getUint8(l4);
  const code = view.getUint8(l4 + 1);
  if (ICMP_WITH_ID[type]) {
    writeName(out, NAMES, type, 0);
    writeId(out, view, l4);
    return;
  }
  writeName(out, NAMES, type, code);
  writeCode(out, type, code);
  if (!isIcmpError(type)) return;
  if (type === ICMP_REDIRECT) {
    out.piece(TO);
    out.ipv4(view.getInt32(l4 + 4));
  } else if (type === ICMP_DEST_UNREACH && code === ICMP_FRAG_NEEDED) {
    out.field(MTU, view.getUint16(l4 + 6));
  }
  writeQuote(out, view, l4 + ICMP_HEADER, end);
}

/** What neighbour discovery is about: the target that follows the header (RFC 4861, sections 4.3 to 4.5). */
function writeTarget(out: LineWriter, view: DataView, l4: number, end: number): void {
  const target = l4 + ICMP_HEADER;
  if (target + 16 > end) {
    out.piece(TARGET_SHORT);
    return;
  }
  if (view.getUint8(l4) !== NDISC_REDIRECT) {
    out.byte(SPACE);
    writeIpv6At(out, view, target);
    return;
  }
  out.piece(TO);
  writeIpv6At(out, view, target);
  if (target + 32 > end) out.piece(TARGET_SHORT);
  else {
    out.piece(FOR);
    writeIpv6At(out, view, target + 16);
  }
}

/**
 * Writes an ICMPv6 message with a space in front: ` icmpv6 echo request id 7 seq 1`, `icmpv6 neighbour solicitation fe80::1`.
 * @param l4 first byte of its header
 * @param end first byte past the message
 */
export function writeIcmpv6(out: LineWriter, view: DataView, l4: number, end: number): void {
  if (l4 + ICMP_HEADER > end) {
    out.field(ICMPV6_SHORT, end - l4);
    out.piece(BYTES);
    return;
  }
  const type = view.getUint8(l4);
  const code = view.getUint8(l4 + 1);
  if (isIcmpv6Error(type)) {
    writeName(out, NAMES6, type, code);
    writeCode(out, type, code);
    if (type === ICMPV6_PKT_TOOBIG) {
      out.field(MTU, view.getInt32(l4 + 4));
    }
    writeQuote(out, view, l4 + ICMP_HEADER, end);
    return;
  }
  writeName(out, NAMES6, type, 0);
  if (type === ICMPV6_ECHO_REQUEST || type === ICMPV6_ECHO_REPLY) writeId(out, view, l4);
  else if (
    type === NDISC_NEIGHBOUR_SOLICITATION ||
    type === NDISC_NEIGHBOUR_ADVERTISEMENT ||
    type === NDISC_REDIRECT
  )
    writeTarget(out, view, l4, end);
  else writeCode(out, type, code);
}
