import { CTINFO_INVALID, LINE_ROOM, type Piece } from '@keepstate/engine';
import type { Command, World } from '../command.ts';
import { compileFilter, type Filter } from '../filter.ts';
import { Subject } from '../filter-subject.ts';
import { jsonFile, writeJsonPacket } from '../format/json-packet.ts';
import { TraceStyle, traceFile, traceHead, writeTraceLine } from '../format/trace-line.ts';
import { QuickTrace } from '../format/trace-line-quick.ts';
import { type Given, listOf } from '../options.ts';
import { closePlay, colourOf, FINE, FOUND, playAll, preparePlay } from '../play.ts';
import { LastGone, PacketReport, subjectOfPacket } from '../report.ts';
import type { CaptureSource } from '../source.ts';

async function run(words: readonly string[], given: Given, world: World): Promise<number> {
  const json = given.has('json');
  const style = new TraceStyle(
    listOf('output', given, ['timestamp']).has('timestamp'),
    colourOf(given, world),
  );
  const expression = given.value('filter');
  const filter: Filter | null = expression === null ? null : compileFilter(expression, 'packet');
  const play = preparePlay(words, given);
  const { session, several } = play;
  const files = new Map<CaptureSource, Piece>();
  if (several) for (const s of play.sources) files.set(s, json ? jsonFile(s.name) : traceFile(s.name));
  const gone = new LastGone(session);
  const report = new PacketReport();
  const subject = new Subject();
  // Filters, JSON, names of files and the clock's time ask for more than it knows.
  const quick =
    json || several || style.epoch || filter !== null ? null : new QuickTrace(session, style, report, gone);
  let shown = 0;
  let found = false;
  // For eyes only: programs count lines and split columns.
  if (!json && world.outIsTTY) world.out.write(traceHead());
  await playAll(
    play,
    world,
    (record, source) => {
      const verdict = session.receive(record);
      if (quick?.write(world.out.line(), record, verdict)) {
        shown++;
        world.out.endLine();
        return;
      }
      report.fill(session, verdict, gone);
      if (filter !== null) {
        subjectOfPacket(session, report, subject);
        if (!filter(subject)) return;
      }
      shown++;
      if (report.ctinfo === CTINFO_INVALID || report.fate === 'drop') found = true;
      const file = several ? files.get(source)! : null;
      const out = world.out.line();
      if (file !== null) out.room(LINE_ROOM + file.length);
      if (json) writeJsonPacket(out, session, report, record, file);
      else writeTraceLine(out, session, report, record, style, file);
      world.out.endLine();
    },
    true,
  );
  const status = closePlay(play, world, `${shown} packets have been shown.`, true);
  return status === FINE && found && given.has('check') ? FOUND : status;
}

/** `keepstate trace`: what tracking makes of each packet. */
export const TRACE: Command = {
  name: 'trace',
  takes: 'FILE…',
  summary: 'what connection tracking makes of each packet, and why',
  about: [
    'Prints a line for each packet: its number and its time (seconds after the first), its ct state and direction, ' +
      'state and seconds left of its flow in the table after it, and what it is; behind -- the reason where it is ' +
      'INVALID, ignored, dropped, held as a fragment or not tracked at all.',
    'Several files are one timeline. A packet that rules never see (no IP, cut short, damaged IP header, part of a ' +
      'datagram that is not yet whole) has no ct state: the column shows a dash.',
  ],
  examples: [
    { command: 'keepstate trace capture.pcap', says: 'every packet' },
    {
      command: "keepstate trace --filter 'ctstate INVALID' capture.pcap",
      says: 'only INVALID packets, with the reason',
    },
    { command: 'tcpdump -U -w - -i eth0 | keepstate trace -', says: 'as it happens' },
    {
      command: 'keepstate trace --json outside.pcap inside.pcap',
      says: 'two captures as one timeline, for programs',
    },
    {
      command: 'keepstate trace --check --quiet capture.pcap >/dev/null',
      says: 'status 1 if something was INVALID',
    },
  ],
  run,
};
