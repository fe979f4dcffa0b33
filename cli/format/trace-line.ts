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
function stateText(report: PacketReport): string {
  if (report.flow === 0) return '-';
  if (report.removed) return 'removed';
  const { state, status } = report;
  const marks: string[] = state === null ? [] : [state];
  if ((status & ips.IPS_SEEN_REPLY) === 0) marks.push('[UNREPLIED]');
  if ((status & ips.IPS_ASSURED) !== 0) marks.push('[ASSURED]');
  return marks.length === 0 ? '-' : marks.join(' ');
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
  const { number, ctstate, direction, state, timeout } = WIDTHS;
  const word = report.ctstate ?? '-';
  const left = report.timeout < 0 ? '-' : String(Math.floor(report.timeout / 1000));
  const why = report.reasonText === null ? '' : ` -- ${report.reasonText}`;
  return (
    `${String(session.packets).padStart(number)} ${time.padStart(WIDTHS.time)}  ` +
    `${coloured(word.padEnd(ctstate), COLOURS[word] ?? null, colour)} ` +
    `${(report.direction ?? '-').padEnd(direction)} ${stateText(report).padEnd(state)} ${left.padStart(timeout)}  ` +
    `${packetText(session.pkt)}${coloured(why, 'notable', colour && why !== '')}` +
    `${file === null ? '' : `  (${file})`}\n`
  );
}
