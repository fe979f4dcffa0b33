import { ips } from '@keepstate/engine';
import type { Colour } from '../colour.ts';
import type { States } from '../control/protocol.ts';
import { conntrackLine } from '../format/conntrack-line.ts';
import { printable } from '../printable.ts';
import { leftNow, listLines } from './columns.ts';
import type { TopModel } from './model.ts';
import type { Row } from './sampler.ts';
import { bar, cut, folded, grouped, short, shortOr } from './text.ts';

/** A piece of a line. */
export interface Span {
  readonly text: string;
  readonly colour?: Colour;
  readonly strong?: boolean;
}

/** A line of the screen. */
export interface Line {
  readonly spans: readonly Span[];
  /** The marked one: dark on light. */
  readonly inverse?: boolean;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** The smallest screen on which all is seen. */
export const LEAST: Size = { columns: 80, rows: 24 };

/** Lines above the list, its own head included. */
const ABOVE = 6;
/** Lines for all of the marked flow. */
const DETAIL = 4;
/** The lowest line. */
const BELOW = 1;
/** From here on the table counts as nearly full, and as full: early drop begins at 95 of 100 (nf_conntrack). */
const NEARLY = 0.75;
const FULL = 0.95;

/** Every key, for the help. */
const KEYS: readonly (readonly [string, string])[] = [
  ['up down, k j', 'the flow above, below'],
  ['PgUp PgDn', 'a screen up, down'],
  ['Home End, g G', 'the first, the last'],
  ['left right', 'see what does not fit'],
  ['< >, S s', 'another order'],
  ['r', 'turn the order round'],
  ['/ f', 'filter; the language is in: keepstate help filter'],
  ['Esc', 'no filter'],
  ['d Del', 'delete the marked flow, after a question'],
  ['space', 'hold everything still, go on'],
  ['? h', 'this help'],
  ['q Ctrl-C', 'end'],
];

const HELP_LINE = 'q quit  < > order  r reverse  / filter  d delete  space pause  arrows  ? help';

function plain(text: string): Line {
  return { spans: [{ text }] };
}

/** How full the table is, and what rules let pass: `flows 12,345 of 262,144 [###---] 4.7%  accepted 9/s refused 1/s`. */
function fillLine({ look, rates }: TopModel, width: number): Line {
  if (look === null) return plain('flows -');
  const { flows, max } = look;
  const packets = rates?.packets ?? null;
  const judged =
    packets === null ? '' : `  accepted ${short(packets.accepted)}/s refused ${short(packets.refused)}/s`;
  if (max <= 0) return plain(`flows ${grouped(flows)}, no limit${judged}`);
  const share = flows / max;
  const front = `flows ${grouped(flows)} of ${grouped(max)} [`;
  const back = `] ${(share * 100).toFixed(1)}%${judged}`;
  const text = bar(share, Math.max(10, Math.min(50, width - front.length - back.length)));
  const colour = share >= FULL ? 'bad' : share >= NEARLY ? 'notable' : 'good';
  return { spans: [{ text: front }, { text, colour }, { text: back }] };
}

/** What happens in a second. */
function ratesLine({ rates, look }: TopModel): Line {
  const sign = look?.isShort === true ? '>' : '';
  const spans: Span[] = [
    { text: `new ${sign}${shortOr(rates?.created ?? null)}/s` },
    { text: `  destroyed ${sign}${shortOr(rates?.destroyed ?? null)}/s` },
    alarm('invalid', rates?.invalid),
    alarm('dropped', rates?.dropped),
    alarm('early drop', rates?.earlyDropped),
  ];
  return { spans };
}

function alarm(word: string, rate: number | undefined): Span {
  const text = `  ${word} ${shortOr(rate ?? null)}/s`;
  return rate !== undefined && rate > 0 ? { text, colour: 'bad' } : { text };
}

/** Flows by protocol and state, the most first: `tcp 25: ESTABLISHED 20, TIME_WAIT 5; udp 3`. */
function statesText(states: States): string {
  const protocols = Object.entries(states).map(([name, counts]) => {
    const of = Object.entries(counts).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
    const sum = of.reduce((all, [, n]) => all + n, 0);
    const named = of.filter(([state]) => state !== '').map(([state, n]) => `${state} ${grouped(n)}`);
    const text = `${name} ${grouped(sum)}${named.length === 0 ? '' : `: ${named.join(', ')}`}`;
    return { sum, text };
  });
  return protocols
    .sort((a, b) => b.sum - a.sum)
    .map(({ text }) => text)
    .join('; ');
}

/** How the list is made: order, filter, and how much of it is seen. */
export function listText(model: TopModel): string {
  const { snapshot, order, isReversed, filterText, first, shown } = model;
  const { rows, total, matched, counts } = snapshot;
  const way = order.down === isReversed ? 'lowest first' : 'highest first';
  const range = rows.length === 0 ? 'none' : `${first + 1}-${first + shown.length}`;
  const all = filterText === '' ? '' : ` matched, ${grouped(total)} in all`;
  const kept = rows.length < matched ? ` (the first ${grouped(rows.length)} are listed)` : '';
  const rates = counts || total === 0 ? '' : '; no rates: nf_conntrack_acct is 0';
  const filter = filterText === '' ? '' : `; filter ${filterText}`;
  return `by ${order.label}, ${way}; ${range} of ${grouped(matched)}${all}${kept}${filter}${rates}`;
}

/** All of a flow, as conntrack -L -o id prints it now. */
function detailLines(row: Row | null, now: number, width: number): Line[] {
  const none = Array.from({ length: DETAIL }, () => plain(''));
  if (row === null) return none;
  const entry = { ...row.entry, timeout: leftNow(row, now) * 1000 };
  const text = printable(conntrackLine(entry, now, { id: true, ktimestamp: true })).replace(/ +/g, ' ');
  const lines = folded(text, width, DETAIL).map((one): Line => ({ spans: [{ text: one, colour: 'faint' }] }));
  return [...lines, ...none].slice(0, DETAIL);
}

function lowestLine(model: TopModel, width: number): Line {
  const { mode, draft, draftError, message, askedRow } = model;
  if (mode === 'filter') {
    const front = `filter: ${draft}_`;
    const error = draftError === null ? '' : `  ${draftError}`;
    // Of what is too long the end is seen, where typing goes on.
    const room = Math.max(20, width - error.length);
    const typed = front.length <= room ? front : `…${front.slice(front.length - room + 1)}`;
    return {
      spans: [
        { text: typed, strong: true },
        ...(error === '' ? [] : [{ text: error, colour: 'bad' } as const]),
      ],
    };
  }
  if (mode === 'delete' && askedRow !== null) {
    const { original, protocol } = askedRow.entry;
    const ports = original.sport === undefined ? '' : ` sport=${original.sport} dport=${original.dport ?? 0}`;
    const what = printable(`${protocol} src=${original.src} dst=${original.dst}${ports}`);
    return {
      spans: [{ text: `${cut(`delete ${what}`, width - 9)}? (y/N) `, strong: true, colour: 'notable' }],
    };
  }
  if (message !== null) return { spans: [{ text: printable(message), colour: 'notable' }] };
  return { spans: [{ text: HELP_LINE, colour: 'faint' }] };
}

function clockText(now: number): string {
  return new Date(now).toISOString().slice(11, 19);
}

function titleLine({ title, isPaused, passing, look }: TopModel, now: number, width: number): Line {
  // A pass that is over at once is not worth a word.
  const flows = look?.flows ?? 0;
  const read =
    passing === null || passing === 0 || flows === 0
      ? ''
      : `reading ${Math.min(99, Math.floor((passing * 100) / flows))}%  `;
  const back = `${isPaused ? 'PAUSED  ' : read}${clockText(now)} UTC`;
  const front = cut(`keepstate top: ${title}`, width - back.length - 1);
  return {
    spans: [
      { text: front, strong: true },
      { text: back.padStart(width - front.length), ...(isPaused ? { colour: 'notable' as const } : {}) },
    ],
  };
}

function rowLine(text: string, row: Row, isMarked: boolean): Line {
  const isFaint = row.isGone || (row.entry.status & ips.IPS_SEEN_REPLY) === 0;
  const span: Span = { text, ...(isFaint && !isMarked ? { colour: 'faint' as const } : {}) };
  return isMarked ? { spans: [span], inverse: true } : { spans: [span] };
}

/** The list, moved to the side as far as was asked for; the mark stays where it is. */
function flowLines(model: TopModel, now: number): Line[] {
  const { shown, snapshot, shift, first, marked, page } = model;
  // Widths are those of all rows, so that nothing jumps while one scrolls.
  const [head = '', ...texts] = listLines(snapshot.rows, now, snapshot.counts);
  const moved = (text: string): string => (shift === 0 ? text : text.slice(shift));
  const lines = shown.map((row, i) => {
    const isMarked = first + i === marked;
    return rowLine(`${isMarked ? '>' : ' '}${moved(texts[first + i]!)}`, row, isMarked);
  });
  const empty = Array.from({ length: page - shown.length }, () => plain(''));
  return [{ spans: [{ text: ` ${moved(head)}`, strong: true }] }, ...lines, ...empty];
}

function helpLines(rows: number): Line[] {
  const lines = [
    { spans: [{ text: 'Keys', strong: true }] },
    ...KEYS.map(([keys, text]) => plain(`  ${keys.padEnd(16)}${text}`)),
  ];
  return Array.from({ length: rows }, (_, i) => lines[i] ?? plain(''));
}

function clip({ spans, inverse }: Line, width: number): Line {
  let room = width;
  const cutSpans: Span[] = [];
  for (const span of spans) {
    if (room <= 0) break;
    const text = cut(span.text, room);
    cutSpans.push({ ...span, text });
    room -= text.length;
  }
  // The mark goes from edge to edge.
  if (inverse === true && room > 0) cutSpans.push({ text: ' '.repeat(room) });
  return inverse === true ? { spans: cutSpans, inverse } : { spans: cutSpans };
}

/**
 * The whole screen: exactly `size.rows` lines of at most `size.columns` characters.
 * @param now the moment (ms since the epoch) that flows are shown at
 */
export function screen(model: TopModel, now: number, size: Size): Line[] {
  const { columns, rows } = size;
  // On a small screen what describes the marked flow gives way first.
  const detail = rows >= ABOVE + DETAIL + BELOW + 3 ? DETAIL : 0;
  model.fit(rows - ABOVE - detail - BELOW);
  const states = model.look?.states ?? model.snapshot.states;
  const above = [
    titleLine(model, now, columns),
    fillLine(model, columns),
    ratesLine(model),
    plain(printable(statesText(states))),
    { spans: [{ text: printable(listText(model)), colour: 'related' as const }] },
  ];
  const list = model.mode === 'help' ? helpLines(model.page + 1) : flowLines(model, now);
  const details = detail === 0 ? [] : detailLines(model.row, now, columns);
  const lines = [...above, ...list, ...details, lowestLine(model, columns)];
  return lines.slice(0, rows).map((line) => clip(line, columns));
}

/** A line as text. */
export function lineText({ spans }: Line): string {
  return spans.map(({ text }) => text).join('');
}

/** What `--once` prints: the same as text, with each flow as conntrack -L has it. */
export function onceText(model: TopModel, lines: number): string {
  const { snapshot, title, look } = model;
  const rows = snapshot.rows.slice(0, lines);
  const rates = (row: Row): string =>
    snapshot.counts ? `${shortOr(row.byteRate).padStart(7)} ${shortOr(row.packetRate).padStart(6)} ` : '';
  return [
    title,
    lineText(fillLine(model, 80)),
    lineText(ratesLine(model)),
    printable(statesText(look?.states ?? snapshot.states)),
    printable(listText(model).replace(/\d+-\d+ of/, `${rows.length} of`)),
    '',
    ...(snapshot.counts ? ['bytes/s pkts/s flow'] : []),
    ...rows.map((row) => rates(row) + printable(conntrackLine(row.entry, row.at))),
    '',
  ].join('\n');
}
