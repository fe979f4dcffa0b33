import { secondsLeft, toolPorts } from '../format/tuple-text.ts';
import { printable } from '../printable.ts';
import type { Row } from './sampler.ts';
import { shortOr } from './text.ts';

/** A column of the list of flows: its width is that of the widest cell. */
interface Column {
  readonly head: string;
  readonly cell: (row: Row, now: number) => string;
  readonly right: boolean;
  /** Only where flows are counted. */
  readonly counted?: boolean;
}

/** Seconds that a flow has left now. */
export function leftNow({ entry, at }: Row, now: number): number {
  return secondsLeft(entry.timeout - (now - at));
}

/** Words and numbers are those of conntrack -L, in its order. */
const COLUMNS: readonly Column[] = [
  { head: 'bytes/s', cell: ({ byteRate }) => shortOr(byteRate), right: true, counted: true },
  { head: 'pkts/s', cell: ({ packetRate }) => shortOr(packetRate), right: true, counted: true },
  { head: 'proto', cell: ({ entry }) => entry.protocol, right: false },
  { head: 'left', cell: (row, now) => (row.isGone ? 'gone' : String(leftNow(row, now))), right: true },
  { head: 'state', cell: ({ entry }) => entry.state ?? '', right: false },
  {
    head: 'original direction',
    cell: ({ entry: { original, protonum } }) =>
      `src=${original.src} dst=${original.dst} ${toolPorts(protonum, original)}`.trimEnd(),
    right: false,
  },
];

/** A list of flows as lines of text, the head first. */
export function listLines(rows: readonly Row[], now: number, counts: boolean): string[] {
  const columns = COLUMNS.filter(({ counted }) => counted !== true || counts);
  const cells = rows.map((row) => columns.map(({ cell }) => printable(cell(row, now))));
  const widths = columns.map(({ head }, i) =>
    cells.reduce((widest, row) => Math.max(widest, row[i]!.length), head.length),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((text, i) => (columns[i]!.right ? text.padStart(widths[i]!) : text.padEnd(widths[i]!)))
      .join(' ')
      .trimEnd();
  return [line(columns.map(({ head }) => head)), ...cells.map(line)];
}
