import { ips, packetText } from '@keepstate/engine';
import { type Colour, coloured } from '../colour.ts';
import type { PacketReport } from '../report.ts';
import type { Session } from '../session.ts';

/** Widths of the columns: number, time, ct state, direction, state in the table, seconds left. */
const WIDTHS = { number: 6, time: 12, ctstate: 11, direction: 8, state: 23, timeout: 6 } as const;

const COLOURS: Readonly<Record<string, Colour | null>> = {
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

const MARKS = ips.IPS_SEEN_REPLY | ips.IPS_ASSURED;
const NO_STATE = '-'.padEnd(WIDTHS.state);
const REMOVED = 'removed'.padEnd(WIDTHS.state);
const ORIGINAL = 'original'.padEnd(WIDTHS.direction);
const REPLY = 'reply'.padEnd(WIDTHS.direction);
const NO_DIRECTION = '-'.padEnd(WIDTHS.direction);

/** Columns of states that were printed before, by state and the two marks: there are few. */
const stateColumns = new Map<string | null, string[]>();

function stateColumn(report: PacketReport): string {
  if (report.flow === 0) return NO_STATE;
  if (report.removed) return REMOVED;
  const marks = report.status & MARKS;
  let columns = stateColumns.get(report.state);
  if (columns === undefined) {
    columns = [];
    stateColumns.set(report.state, columns);
  }
  columns[marks] ??= stateText(report.state, marks).padEnd(WIDTHS.state);
  return columns[marks]!;
}

function directionColumn(report: PacketReport): string {
  if (report.direction === null) return NO_DIRECTION;
  return report.direction === 'original' ? ORIGINAL : REPLY;
}

/** A file name as it may stand on a line of a terminal. */
function printable(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not get through
  return name.replace(/[\x00-\x1f\x7f-\x9f]/g, '?');
}

/** The head of the columns, with a newline. */
export function traceHead(): string {
  const { number, time, ctstate, direction, state, timeout } = WIDTHS;
  const left = `${'packet'.padStart(number)} ${'time'.padStart(time)}  ${'ct state'.padEnd(ctstate)} `;
  return `${left}${'dir'.padEnd(direction)} ${'table'.padEnd(state)} ${'left'.padStart(timeout)}  what\n`;
}

/**
 * A packet on one line for people, with a newline: number, time, ct state, direction, the flow's state and the
 * seconds it has left, what the packet is, and why where there is something to say.
 * @param time the time as text
 * @param file name of its file, null if there is only one
 */
export function traceLine(
  session: Session,
  report: PacketReport,
  time: string,
  file: string | null,
  colour: boolean,
): string {
  const { number, ctstate, timeout } = WIDTHS;
  const word = report.ctstate ?? '-';
  const left = report.timeout < 0 ? '-' : String(Math.floor(report.timeout / 1000));
  const why = report.reasonText === null ? '' : ` -- ${report.reasonText}`;
  return (
    `${String(session.packets).padStart(number)} ${time.padStart(WIDTHS.time)}  ` +
    `${coloured(word.padEnd(ctstate), COLOURS[word] ?? null, colour)} ` +
    `${directionColumn(report)} ${stateColumn(report)} ${left.padStart(timeout)}  ` +
    `${packetText(session.pkt)}${coloured(why, 'notable', colour && why !== '')}` +
    `${file === null ? '' : `  (${printable(file)})`}\n`
  );
}
