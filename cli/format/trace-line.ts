import {
  type CaptureRecord,
  type CtState,
  ctDirectionOf,
  ctStateOf,
  ips,
  type LineWriter,
  type Piece,
  PieceTable,
  piece,
  writePacket,
  writeReason,
} from '@keepstate/engine';
import { type Colour, coloured } from '../colour.ts';
import { writeElapsed, writeEpoch } from '../moment.ts';
import { printable } from '../printable.ts';
import type { Fate, PacketReport } from '../report.ts';
import type { Session } from '../session.ts';

/** Widths of the columns: number, time, ct state, direction, state in the table, seconds left. */
export const WIDTHS = {
  number: 6,
  time: 12,
  ctstate: 11,
  direction: 8,
  state: 23,
  timeout: 6,
  verdict: 7,
} as const;

const COLOURS: Readonly<Record<CtState | '-', Colour | null>> = {
  NEW: 'good',
  ESTABLISHED: null,
  RELATED: 'related',
  INVALID: 'bad',
  UNTRACKED: 'faint',
  '-': 'faint',
};

/** The flow after the packet: `ESTABLISHED [ASSURED]`, `[UNREPLIED]` where the protocol has no state. */
function stateText(state: string | null, status: number): string {
  const marks: string[] = state === null ? [] : [state];
  if ((status & ips.IPS_SEEN_REPLY) === 0) marks.push('[UNREPLIED]');
  if ((status & ips.IPS_ASSURED) !== 0) marks.push('[ASSURED]');
  return marks.length === 0 ? '-' : marks.join(' ');
}

/** Ct state and direction, with the spaces before and behind. */
function ctText(ctinfo: number, colour: boolean): string {
  const word = ctStateOf(ctinfo) ?? '-';
  const direction = (ctDirectionOf(ctinfo) ?? '-').padEnd(WIDTHS.direction);
  return `  ${coloured(word.padEnd(WIDTHS.ctstate), COLOURS[word], colour)} ${direction} `;
}

const MARKS = ips.IPS_SEEN_REPLY | ips.IPS_ASSURED;
/** In place of the marks: no flow, a flow that this packet removed. */
const NO_FLOW = 8;
const REMOVED = 16;

/** The three columns in the middle, of one state, by ctinfo | marks << 4: made when they are written first. */
function columnsOfState(state: string | null, colour: boolean): PieceTable {
  return new PieceTable((n) => {
    const marks = n >> 4;
    const table = marks === NO_FLOW ? '-' : marks === REMOVED ? 'removed' : stateText(state, marks);
    return `${ctText(n & 15, colour)}${table.padEnd(WIDTHS.state)} `;
  });
}

/** How a line is to be written. */
export class TraceStyle {
  /** Whether its time is that of the clock (seconds since the epoch) instead of that since the first packet. */
  readonly epoch: boolean;
  /** What stands before and behind the reason. */
  readonly why: Piece;
  readonly whyEnd: Piece;
  private readonly colour: boolean;
  private readonly stateless: PieceTable;
  private readonly states: Map<string, PieceTable> = new Map();
  private lastState: string | null = null;
  private lastTable: PieceTable;

  constructor(epoch: boolean, colour: boolean) {
    this.epoch = epoch;
    const [before, behind] = coloured(' -- \n', 'notable', colour).split('\n');
    this.why = piece(before!);
    this.whyEnd = piece(behind!);
    this.colour = colour;
    this.stateless = columnsOfState(null, colour);
    this.lastTable = this.stateless;
  }

  /** Ct state, direction, and state in the table, with the spaces before and behind. */
  columns(report: PacketReport): Piece {
    const { state, ctinfo } = report;
    const marks = report.flow === 0 ? NO_FLOW : report.removed ? REMOVED : report.status & MARKS;
    // Most packets find the state of the packet before.
    if (state !== this.lastState) {
      this.lastState = state;
      this.lastTable = state === null ? this.stateless : (this.states.get(state) ?? this.addState(state));
    }
    return this.lastTable.of(ctinfo | (marks << 4));
  }

  private addState(state: string): PieceTable {
    const table = columnsOfState(state, this.colour);
    this.states.set(state, table);
    return table;
  }
}

/** The verdict of the rules as a column of its own, with the spaces behind it, for {@link writeTraceLine}. */
export function traceVerdict(fate: Fate, colour: boolean): string {
  const word = (fate ?? '-').padEnd(WIDTHS.verdict);
  const kind = fate === 'accept' ? 'good' : fate === 'drop' || fate === 'reject' ? 'bad' : 'notable';
  return `${coloured(word, kind, colour)}  `;
}

/** The head of the columns, with a newline. @param rules whether there is a column for the verdict of rules */
export function traceHead(rules = false): string {
  const { number, time, ctstate, direction, state, timeout } = WIDTHS;
  const verdict = rules ? `${'verdict'.padEnd(WIDTHS.verdict)}  ` : '';
  const left = `${'packet'.padStart(number)} ${'time'.padStart(time)}  ${'ct state'.padEnd(ctstate)} `;
  return `${left}${'dir'.padEnd(direction)} ${'table'.padEnd(state)} ${'left'.padStart(timeout)}  ${verdict}what\n`;
}

/** A file's name as it stands at the end of a line: nothing gets through that could move a terminal's cursor. */
export function traceFile(name: string): Piece {
  return piece(`  (${printable(name)})`);
}

const SPACE = 0x20;
const NEWLINE = 0x0a;
const TWO_SPACES = piece('  ');
const NO_TIMEOUT = piece(`${'-'.padStart(WIDTHS.timeout)}  `);

/**
 * Writes a packet on one line for people, with a newline: number, time, ct state, direction, the flow's state and
 * the seconds it has left, what the packet is, and why where there is something to say.
 * @param out with LINE_ROOM and room for the file's name
 * @param record the packet in its capture
 * @param file from {@link traceFile}, null if there is only one file
 * @param verdict from {@link traceVerdict}, '' without rules
 */
export function writeTraceLine(
  out: LineWriter,
  session: Session,
  report: PacketReport,
  record: CaptureRecord,
  style: TraceStyle,
  file: Piece | null,
  verdict: string,
): void {
  const { pkt } = session;
  out.uintRight(session.packets, WIDTHS.number);
  out.byte(SPACE);
  if (style.epoch) writeEpoch(out, record, WIDTHS.time);
  else writeElapsed(out, session, record, WIDTHS.time);
  out.piece(style.columns(report));
  if (report.seconds < 0) out.piece(NO_TIMEOUT);
  else {
    out.uintRight(report.seconds, WIDTHS.timeout);
    out.piece(TWO_SPACES);
  }
  if (verdict !== '') out.text(verdict);
  writePacket(out, session.arrived);
  if (report.reason !== null) {
    out.piece(style.why);
    writeReason(out, pkt.reason, pkt.operands);
    out.piece(style.whyEnd);
  }
  if (file !== null) out.piece(file);
  out.byte(NEWLINE);
}
