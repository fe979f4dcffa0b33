import {
  type CaptureRecord,
  F_ID,
  F_KIND,
  F_STATUS,
  F_TCP_STATE,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  ips,
  type LineWriter,
  NF_ACCEPT,
  NOT_PLAIN,
  type Piece,
  page,
  putMicros,
  putPlain,
  putSmallRight,
  putUintRight,
  ROW_WORDS,
} from '@keepstate/engine';
import type { LastGone, PacketReport } from '../report.ts';
import type { Session } from '../session.ts';
import { type TraceStyle, WIDTHS } from './trace-line.ts';

/** Ten days: times below (ms) are less than a million seconds, both since the first packet and left of a timer. */
const QUICK_MS = 864_000_000;
/** Where the table's states would be: those of protocols without. No TCP state has this number. */
const NO_STATE = 15;
const MARKS = ips.IPS_SEEN_REPLY | ips.IPS_ASSURED;
const SPACE = 0x20;
const TWO_SPACES = 0x2020;
const NEWLINE = 0x0a;

/**
 * Writes the lines of trace about packets that are nothing special: accepted without a word, of a flow that lives on
 * and plain to look at ({@link putPlain}). It does at once what PacketReport.fill and writeTraceLine do of any packet,
 * and reads only what such a line shows: a third of their time (docs/performance.md).
 */
export class QuickTrace {
  private readonly session: Session;
  private readonly style: TraceStyle;
  private readonly report: PacketReport;
  private readonly gone: LastGone;
  /**
   * The columns in the middle by ctinfo | status & MARKS << 2 | state << 5; undefined until such a packet has been
   * seen.
   */
  private readonly columns: (Piece | undefined)[] = new Array<Piece | undefined>(512).fill(undefined);

  /**
   * @param style how other lines are written
   * @param report, gone: for what they tell of the first packet of a kind
   */
  constructor(session: Session, style: TraceStyle, report: PacketReport, gone: LastGone) {
    this.session = session;
    this.style = style;
    this.report = report;
    this.gone = gone;
  }

  /**
   * Writes the line about the packet that was received last, with a newline.
   * @param out with LINE_ROOM
   * @returns false if the packet is not for it; then nothing was written
   */
  write(out: LineWriter, record: CaptureRecord, verdict: number): boolean {
    const { session } = this;
    const { pkt } = session;
    const row = pkt.flow;
    if (verdict !== NF_ACCEPT || pkt.reason !== 0 || row === 0 || out.view !== page()) return false;

    // The flow after the packet.
    const { conntrack } = session.firewall;
    const w = conntrack.table.words;
    const first = row * ROW_WORDS;
    if (w[first + F_ID] === 0) return false;
    const protocol = w[first + F_KIND]! & 255;
    if (protocol === IPPROTO_SCTP) return false;
    const state = protocol === IPPROTO_TCP ? w[first + F_TCP_STATE]! & NO_STATE : NO_STATE;
    const kind = pkt.ctinfo | ((w[first + F_STATUS]! & MARKS) << 2) | (state << 5);
    const columns = this.columns[kind] ?? this.makeColumns(kind, verdict);

    // The times, as fractions no longer than here: V8 makes an object of one that is handed on.
    const left = conntrack.left(row);
    const since = record.time - session.first;
    if (!(since >= 0 && since < QUICK_MS && left < QUICK_MS)) return false;
    let seconds = (since / 1000) | 0;
    let micros = Math.round((since - seconds * 1000) * 1000) | 0;
    if (micros === 1_000_000) {
      seconds++;
      micros = 0;
    }

    // The line.
    const view = page();
    let at = putUintRight(view, out.at, session.packets, WIDTHS.number);
    view.setUint8(at, SPACE);
    at = putMicros(view, putSmallRight(view, at + 1, seconds, WIDTHS.time - 7), micros);
    const { parts, length } = columns;
    // As many as there are without colour.
    view.setFloat64(at, parts[0]!, true);
    view.setFloat64(at + 8, parts[1]!, true);
    view.setFloat64(at + 16, parts[2]!, true);
    view.setFloat64(at + 24, parts[3]!, true);
    view.setFloat64(at + 32, parts[4]!, true);
    view.setFloat64(at + 40, parts[5]!, true);
    for (let i = 6; i < parts.length; i++) view.setFloat64(at + i * 8, parts[i]!, true);
    at = putSmallRight(view, at + length, left > 0 ? (left / 1000) | 0 : 0, WIDTHS.timeout);
    view.setInt16(at, TWO_SPACES, true);
    at = putPlain(at + 2, pkt);
    if (at === NOT_PLAIN) return false;
    view.setUint8(at, NEWLINE);
    out.at = at + 1;
    return true;
  }

  private makeColumns(kind: number, verdict: number): Piece {
    this.report.fill(this.session, verdict, this.gone);
    const made = this.style.columns(this.report);
    this.columns[kind] = made;
    return made;
  }
}
