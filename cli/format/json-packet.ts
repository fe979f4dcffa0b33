import {
  AF_INET,
  AF_INET6,
  type CaptureRecord,
  ctDirectionOf,
  ctStateOf,
  hasPorts,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  type LineWriter,
  type Piece,
  PieceTable,
  piece,
  protocolName,
  reasonOf,
  statusNames,
  tcpFlagNames,
  writeReason,
} from '@keepstate/engine';
import { writeEpoch } from '../moment.ts';
import type { Fate, PacketReport } from '../report.ts';
import type { Session } from '../session.ts';
import { familyName, JSON_VERSION } from './json-flow.ts';

/** ICMP and ICMPv6 types whose header has an id: requests and their replies. */
const WITH_ID: readonly (readonly number[])[] = [
  [0, 8, 13, 14, 15, 16, 17, 18],
  [128, 129, 139, 140],
];

/** A word of ours, which needs no escapes. */
function plain(word: string | null): string {
  return word === null ? 'null' : `"${word}"`;
}

const START = piece(`{"v":${JSON_VERSION},"packet":`);
const TIME = piece(',"time":');
const SKIPPED = piece(',"skipped":');
const NULL = piece('null');
const FLOW = piece(',"flow":');
const REASON = piece(',"reason":');
const NO_REASON = piece(',"reason":null,"reasonCode":null,"reasonName":null,');
const NOT_IP = piece('"family":null,"protocol":null,"protonum":null,"src":null,"dst":null,"length":null');
const DST = piece('","dst":"');
const LENGTH = piece('","length":');
const TYPE = piece(',"type":');
const CODE = piece(',"code":');
const ID = piece(',"id":');
const SPORT = piece(',"sport":');
const DPORT = piece(',"dport":');
const ACK = piece(',"ack":');
const WINDOW = piece(',"window":');
const END = piece('}\n');
const QUOTE = 0x22;

// What comes again and again is made once: there are few verdicts, statuses, states and reasons.
const FATES: readonly Fate[] = [
  'accept',
  'drop',
  'held',
  null,
  'reject',
  'stolen',
  'queue',
  'unknown',
  'none',
];

/** By ctinfo * 16 + place of the verdict. */
const VERDICTS = new PieceTable((n) => {
  const ctinfo = n >> 4;
  const words = `"ctstate":${plain(ctStateOf(ctinfo))},"ctdir":${plain(ctDirectionOf(ctinfo))}`;
  return `,"verdict":${plain(FATES[n & 15]!)},${words},"ctstatus":`;
});

/** By IPS_* bits. */
const STATUSES = new PieceTable((status) => JSON.stringify(statusNames(status)));

/** By number of the reason. */
const REASON_ENDS = new PieceTable((id) => `,"reasonCode":${id},"reasonName":"${reasonOf(id).name}",`);

function protocolText(family: number, proto: number): string {
  return `"family":"${familyName(family)}","protocol":"${protocolName(proto)}","protonum":${proto},"src":"`;
}

/** By protocol. */
const PROTOCOLS = new PieceTable((proto) => protocolText(AF_INET, proto));
const PROTOCOLS6 = new PieceTable((proto) => protocolText(AF_INET6, proto));

/** By the flags byte. */
const FLAGS = new PieceTable((flags) => {
  const names = flags === 0 ? [] : tcpFlagNames(flags).split(',');
  return `,"flags":${JSON.stringify(names)},"seq":`;
});

/** States that were written before, of TCP, of SCTP, and of the rest. */
const STATES: readonly Map<string | null, Piece>[] = [new Map(), new Map(), new Map()];

function statePiece({ state, flowProtocol }: PacketReport): Piece {
  const states = STATES[flowProtocol === IPPROTO_TCP ? 0 : flowProtocol === IPPROTO_SCTP ? 1 : 2]!;
  let made = states.get(state);
  if (made === undefined) {
    const tcp = plain(flowProtocol === IPPROTO_TCP ? state : null);
    const sctp = plain(flowProtocol === IPPROTO_SCTP ? state : null);
    made = piece(`,"state":${plain(state)},"tcpstate":${tcp},"sctpstate":${sctp},"timeout":`);
    states.set(state, made);
  }
  return made;
}

/** A file's name as a field behind the time. */
export function jsonFile(name: string): Piece {
  return piece(`,"file":${JSON.stringify(name)}`);
}

/** The reason's sentence. None has a character that would need an escape. */
function writeQuoted(out: LineWriter, { pkt }: Session): void {
  out.byte(QUOTE);
  writeReason(out, pkt.reason, pkt.operands);
  out.byte(QUOTE);
}

function writeAddress(out: LineWriter, view: DataView, at: number, family: number): void {
  if (family === AF_INET) out.ipv4(view.getInt32(at));
  else out.ipv6(view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), view.getInt32(at + 12));
}

/** Transport fields, each with a comma in front. */
function writeTransport(out: LineWriter, view: DataView, report: PacketReport): void {
  const { l4, where } = report;
  const { proto } = where;
  if (l4 < 0) return;
  if (proto === IPPROTO_ICMP || proto === IPPROTO_ICMPV6) {
    const type = view.getUint8(l4);
    out.field(TYPE, type);
    out.field(CODE, view.getUint8(l4 + 1));
    const hasId = WITH_ID[proto === IPPROTO_ICMP ? 0 : 1]!.includes(type) && l4 + 6 <= where.end;
    if (hasId) out.field(ID, view.getUint16(l4 + 4));
    return;
  }
  if (!hasPorts(proto)) return;
  out.field(SPORT, view.getUint16(l4));
  out.field(DPORT, view.getUint16(l4 + 2));
  if (proto !== IPPROTO_TCP || l4 + 20 > where.end) return;
  out.field(FLAGS.of(view.getUint8(l4 + 13)), view.getInt32(l4 + 4));
  out.field(ACK, view.getInt32(l4 + 8));
  out.field(WINDOW, view.getUint16(l4 + 14));
}

/** What the packet's own bytes say. */
function writeFields(out: LineWriter, session: Session, report: PacketReport): void {
  if (!report.isIp) {
    out.piece(NOT_IP);
    return;
  }
  const { view, off } = session.arrived;
  const { family, proto, end } = report.where;
  const v4 = family === AF_INET;
  const src = off + (v4 ? 12 : 8);
  out.piece((v4 ? PROTOCOLS : PROTOCOLS6).of(proto));
  writeAddress(out, view, src, family);
  out.piece(DST);
  writeAddress(out, view, src + (v4 ? 4 : 16), family);
  out.field(LENGTH, end - off);
  writeTransport(out, view, report);
}

/** What tracking made of it, from the verdict to the timeout. */
function writeTracking(out: LineWriter, report: PacketReport): void {
  out.piece(VERDICTS.of(report.ctinfo * 16 + FATES.indexOf(report.fate)));
  out.piece(STATUSES.of(report.ctstatus));
  if (report.flow === 0) {
    out.piece(FLOW);
    out.piece(NULL);
  } else out.field(FLOW, report.flow);
  out.piece(statePiece(report));
  if (report.seconds < 0) out.piece(NULL);
  else out.uint(report.seconds);
}

/**
 * Writes a packet as one line of `trace --json`, with a newline.
 * @param out with LINE_ROOM and room for the file's name
 * @param record the packet in its capture
 * @param file from {@link jsonFile}, null if there is only one file
 * @param rules fields that rules add, each with a comma in front, '' without rules
 */
export function writeJsonPacket(
  out: LineWriter,
  session: Session,
  report: PacketReport,
  record: CaptureRecord,
  file: Piece | null,
  rules: string,
): void {
  report.locate(session);
  out.field(START, session.packets);
  out.piece(TIME);
  writeEpoch(out, record, 0);
  if (file !== null) out.piece(file);
  out.piece(SKIPPED);
  if (report.skipped) writeQuoted(out, session);
  else out.piece(NULL);
  writeTracking(out, report);
  if (report.reason === null) out.piece(NO_REASON);
  else {
    out.piece(REASON);
    writeQuoted(out, session);
    out.piece(REASON_ENDS.of(report.reason.id));
  }
  writeFields(out, session, report);
  if (rules !== '') out.text(rules);
  out.piece(END);
}
