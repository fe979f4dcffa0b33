import { CTINFO_INVALID, LINE_ROOM, type Piece } from '@keepstate/engine';
import type { Command, World } from '../command.ts';
import { counted } from '../counted.ts';
import { sayDefaultHost } from '../default-host.ts';
import { compileFilter, type Filter } from '../filter.ts';
import { Subject } from '../filter-subject.ts';
import { JSON_VERSION } from '../format/json-flow.ts';
import { jsonFile, writeJsonPacket } from '../format/json-packet.ts';
import { TraceStyle, traceFile, traceHead, traceVerdict, writeTraceLine } from '../format/trace-line.ts';
import { QuickTrace } from '../format/trace-line-quick.ts';
import { type Given, listOf } from '../options.ts';
import { PacketFile } from '../packet-file.ts';
import {
  closePlay,
  colourOf,
  FINE,
  FOUND,
  type Play,
  playAll,
  preparePlay,
  TROUBLE,
  UNKNOWN,
} from '../play.ts';
import { LastGone, PacketReport, subjectOfPacket } from '../report.ts';
import type { RuleFiles } from '../rule-files.ts';
import { RuleView } from '../rule-view.ts';
import { isText, rulesGiven } from '../rules-given.ts';
import type { CaptureSource } from '../source.ts';
import { UsageError } from '../trouble.ts';

/** Options that mean nothing without rules. */
const OF_RULES = ['verbose', 'bytes', 'log', 'nft-trace', 'write', 'counters', 'strict'] as const;

async function run(words: readonly string[], given: Given, world: World): Promise<number> {
  const read = await rulesGiven(words, given, world);
  if (read === null) return TROUBLE;
  const { files, rules, captures } = read;
  const lone = OF_RULES.find((name) => given.has(name));
  if (files === null && lone !== undefined) throw new UsageError(`option '--${lone}' needs --rules`);
  const inputs = [...words, ...given.all('rules'), ...given.all('host')];
  const status = await play(preparePlay(captures, given, rules), files, inputs, given, world);
  const rulesets = status === TROUBLE && files === null ? words.filter(isText) : [];
  for (const name of rulesets) world.say(`keepstate: hint: if it holds rules, say so: --rules ${name}`);
  return status;
}

/** @param inputs files that are read, which --write must not write over */
async function play(
  play: Play,
  files: RuleFiles | null,
  inputs: readonly string[],
  given: Given,
  world: World,
): Promise<number> {
  const json = given.has('json');
  const colour = colourOf(given, world);
  const style = new TraceStyle(listOf('output', given, ['timestamp']).has('timestamp'), colour);
  const expression = given.value('filter');
  const filter: Filter | null = expression === null ? null : compileFilter(expression, 'packet');
  const { session, several } = play;
  const view = session.rules !== null ? new RuleView(session, given, json, colour) : null;
  const name = given.value('write');
  const file = name === null ? null : new PacketFile(name, session.firewall.host, inputs);
  const names = new Map<CaptureSource, Piece>();
  if (several) for (const s of play.sources) names.set(s, json ? jsonFile(s.name) : traceFile(s.name));
  const gone = new LastGone(session);
  const report = new PacketReport();
  const subject = new Subject();
  // Filters, JSON, names of files, the clock's time and rules ask for more than it knows.
  const plain = !json && !several && !style.epoch && filter === null && view === null;
  const quick = plain ? new QuickTrace(session, style, report, gone) : null;
  const found = new Found();
  let shown = 0;
  if (!play.quiet) sayDefaultHost(session, world);
  // For eyes only: programs count lines and split columns.
  if (!json && world.outIsTTY) world.out.write(traceHead(view !== null));
  await playAll(
    play,
    world,
    (record, source) => {
      view?.begin();
      const verdict = session.receive(record);
      if (quick?.write(world.out.line(), record, verdict)) {
        shown++;
        world.out.endLine();
        return;
      }
      file?.add(session.firewall.outcome, record.number, record.time);
      report.fill(session, verdict, gone);
      if (filter !== null) {
        subjectOfPacket(session, report, subject);
        if (!filter(subject)) return;
      }
      shown++;
      found.see(report);
      const piece = several ? names.get(source)! : null;
      const out = world.out.line();
      if (piece !== null) out.room(LINE_ROOM + piece.length);
      if (json) writeJsonPacket(out, session, report, record, piece, view?.json() ?? '');
      else {
        const word = view === null ? '' : traceVerdict(report.fate, colour);
        writeTraceLine(out, session, report, record, style, piece, word);
      }
      world.out.endLine();
      if (view !== null && !json) world.out.write(view.text());
    },
    true,
  );
  file?.close();
  if (files !== null && given.has('counters')) {
    const listing = files.ruleset.list(null, true, session.firewall.conntrack.now);
    world.out.write(json ? `${JSON.stringify({ v: JSON_VERSION, counters: listing })}\n` : listing);
  }
  const status = closePlay(play, world, `${counted(shown, 'packet has', 'packets have')} been shown.`, true);
  return status === FINE && given.has('check') ? found.status : status;
}

/** What --check asks for. */
class Found {
  private bad = false;
  private unknown = false;

  see({ ctinfo, fate }: PacketReport): void {
    if (ctinfo === CTINFO_INVALID || fate === 'drop' || fate === 'reject') this.bad = true;
    if (fate === 'unknown') this.unknown = true;
  }

  get status(): number {
    return this.unknown ? UNKNOWN : this.bad ? FOUND : FINE;
  }
}

/** `keepstate trace`: what tracking makes of each packet. */
export const TRACE: Command = {
  name: 'trace',
  takes: 'FILE…',
  summary: 'what connection tracking and rules make of each packet, and why',
  about: [
    'Prints a line for each packet: its number and its time (seconds after the first), its ct state and direction, ' +
      'state and seconds left of its flow in the table after it, and what it is; behind -- the reason where it is ' +
      'INVALID, ignored, dropped, held as a fragment or not tracked at all.',
    'Several files are one timeline. A packet that rules never see (no IP, cut short, damaged IP header, part of a ' +
      'datagram that is not yet whole) has no ct state: the column shows a dash.',
    'With --rules each packet has the verdict of the rules (accept, drop, reject, queue, stolen, unknown, none where ' +
      'it met no hook), and below it the hooks, rules and policies that it met, what a helper changed of its payload ' +
      'and sequence numbers, and what it becomes. Unknown means that something which keepstate cannot evaluate would ' +
      'have decided.',
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
      command:
        'keepstate trace --rules rules.nft --iface eth0=192.0.2.10/24 --route default:eth0 capture.pcap',
      says: 'what rules of that host do to each packet, and which one decides',
    },
    {
      command: 'keepstate trace --check --quiet capture.pcap >/dev/null',
      says: 'status 1 if something was INVALID',
    },
  ],
  run,
};
