import {
  type ExpectRecord,
  F_ID,
  type FlowRecord,
  ROW_WORDS,
  readExpectation,
  readFlow,
} from '@keepstate/engine';
import type { Command, World } from '../command.ts';
import { sayDefaultHost } from '../default-host.ts';
import { compileFilter, type Filter } from '../filter.ts';
import { Subject, subjectOfFlow } from '../filter-subject.ts';
import { flowCommunityId } from '../format/community-id.ts';
import { conntrackLine } from '../format/conntrack-line.ts';
import { countLines, FlowCounts } from '../format/counts.ts';
import { expectLine, procExpect } from '../format/expect-line.ts';
import { jsonExpect } from '../format/json-expect.ts';
import { JSON_VERSION, jsonFlow } from '../format/json-flow.ts';
import { procIpConntrack } from '../format/proc-ip-conntrack.ts';
import { procNfConntrack } from '../format/proc-nf-conntrack.ts';
import { XML_EXPECT_HEAD, XML_EXPECT_TAIL, xmlExpect } from '../format/xml-expect.ts';
import { zeekHead, zeekLine, zeekTail, zeekUid } from '../format/zeek.ts';
import { type Given, listOf, oneOf, wholeNumber } from '../options.ts';
import { closePlay, colourOf, type Play, playAll, preparePlay, TROUBLE } from '../play.ts';
import { rulesGiven } from '../rules-given.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../trouble.ts';
import { ZeekLog } from '../zeek-log.ts';

const FORMATS = ['conntrack', 'extended', 'proc', 'proc-classic', 'json', 'xml', 'zeek'] as const;
type Format = (typeof FORMATS)[number];
const OUTPUT_WORDS = ['extended', 'id', 'ktimestamp'] as const;

/** Formats of --expect. */
const EXPECT_FORMATS: readonly Format[] = ['conntrack', 'proc', 'json', 'xml'];

/** A flow as a line with its newline. */
type Printer = (flow: FlowRecord) => string;

function formatOf(given: Given): Format | null {
  const name = given.value('format');
  const format = name === null ? null : oneOf('format', name, FORMATS);
  if (!given.has('json')) return format;
  if (format !== null && format !== 'json')
    throw new UsageError(`--json and --format ${format} contradict each other`);
  return 'json';
}

/** Refuses what would change nothing: whoever wrote it expects something of it. */
function checkCombination(given: Given, format: Format): void {
  const words = [...listOf('output', given, OUTPUT_WORDS)].join(',');
  if (given.has('expect')) {
    if (!EXPECT_FORMATS.includes(format))
      throw new UsageError(`--expect and --format ${format} contradict each other`);
    for (const name of ['filter', 'community-id'] as const)
      if (given.has(name)) throw new UsageError(`--expect and --${name} contradict each other`);
    if (words !== '') throw new UsageError(`--expect and -o ${words} contradict each other`);
  } else if (format === 'xml') throw new UsageError('--format xml is of --expect');
  if (given.has('count')) {
    if (format === 'zeek') throw new UsageError('--count and --format zeek contradict each other');
    if (words !== '') throw new UsageError(`--count and -o ${words} contradict each other`);
    if (given.has('community-id')) throw new UsageError('--count and --community-id contradict each other');
  }
  if (words !== '' && (format === 'proc' || format === 'proc-classic' || format === 'zeek')) {
    throw new UsageError(`-o ${words} is of --format conntrack and extended, not of ${format}`);
  }
}

function printerOf(given: Given, format: Exclude<Format, 'zeek' | 'xml'>, session: Session): Printer {
  const words = listOf('output', given, OUTPUT_WORDS);
  const { settings, conntrack } = session.firewall;
  const gre = {
    timeout: settings.get('nf_conntrack_gre_timeout'),
    stream: settings.get('nf_conntrack_gre_timeout_stream'),
  };
  const options = {
    extended: format === 'extended' || words.has('extended'),
    id: words.has('id'),
    ktimestamp: words.has('ktimestamp'),
  };
  const id = given.has('community-id');
  const { now } = conntrack;
  if (format === 'json') return (flow) => `${jsonFlow(flow, id ? flowCommunityId(flow) : null)}\n`;
  const tail = (flow: FlowRecord): string => (id ? ` community_id=${flowCommunityId(flow)}\n` : '\n');
  if (format === 'proc') return (flow) => procNfConntrack(flow, now, gre) + tail(flow);
  if (format === 'proc-classic') {
    const marks = !settings.profile.classicProc;
    return (flow) => procIpConntrack(flow, now, gre, marks) + tail(flow);
  }
  return (flow) => conntrackLine(flow, now, options) + tail(flow);
}

/** Rows of the table in the order in which their flows began. */
function rowsInOrder(session: Session): number[] {
  const { conntrack } = session.firewall;
  const rows: number[] = [];
  conntrack.eachFlow((row) => rows.push(row));
  const { words } = conntrack.table;
  return rows.sort((a, b) => (words[a * ROW_WORDS + F_ID]! >>> 0) - (words[b * ROW_WORDS + F_ID]! >>> 0));
}

function eachShown(session: Session, filter: Filter | null, show: (flow: FlowRecord) => void): void {
  const subject = new Subject();
  for (const row of rowsInOrder(session)) {
    const flow = readFlow(session.firewall.conntrack, row);
    if (filter !== null) {
      subjectOfFlow(flow, subject);
      if (!filter(subject)) continue;
    }
    show(flow);
  }
}

/** Prints what is expected, oldest first. @returns what was shown, in words */
function runExpect(given: Given, world: World, session: Session, format: Format): string | null {
  const { conntrack } = session.firewall;
  const all = conntrack.expectations.all().map((one) => readExpectation(conntrack, one));
  if (given.has('count')) {
    world.out.write(
      format === 'json' ? `${JSON.stringify({ v: JSON_VERSION, total: all.length })}\n` : `${all.length}\n`,
    );
    return null;
  }
  if (format === 'xml') world.out.write(XML_EXPECT_HEAD);
  for (const one of all) world.out.write(`${EXPECT_PRINTERS[format]?.(one) ?? expectLine(one)}\n`);
  if (format === 'xml') world.out.write(XML_EXPECT_TAIL);
  return `${all.length} expectations have been shown.`;
}

/** An expectation by format, without a newline. */
const EXPECT_PRINTERS: Partial<Readonly<Record<Format, (one: ExpectRecord) => string>>> = {
  json: jsonExpect,
  proc: procExpect,
  xml: (one) => xmlExpect(one),
};

async function runZeek(play: Play, given: Given, world: World, filter: Filter | null): Promise<number> {
  const { session } = play;
  const withId = given.has('community-id');
  const seed = wholeNumber('seed', given.value('seed') ?? '1');
  const subject = new Subject();
  let shown = 0;
  const log = new ZeekLog(session, (conn, flow) => {
    subjectOfFlow(flow, subject);
    if (filter !== null && !filter(subject)) return;
    if (shown++ === 0) world.out.write(zeekHead(session.first, withId));
    const id = withId ? flowCommunityId(flow) : null;
    world.out.write(zeekLine(conn, flow, zeekUid(seed, conn.id, conn.first), id));
  });
  await playAll(
    play,
    world,
    (record) => {
      if (session.receive(record) >= 0) log.packet(record.time);
    },
    true,
  );
  log.finish();
  if (shown === 0) world.out.write(zeekHead(session.packets > 0 ? session.first : 0, withId));
  world.out.write(zeekTail(session.last));
  return closePlay(play, world, `${shown} flow entries have been shown.`, true);
}

async function run(words: readonly string[], given: Given, world: World): Promise<number> {
  const asked = formatOf(given);
  listOf('output', given, OUTPUT_WORDS);
  colourOf(given, world);
  const expression = given.value('filter');
  const filter = expression === null ? null : compileFilter(expression, 'flow');
  const count = given.has('count');
  const read = await rulesGiven(words, given, world);
  if (read === null) return TROUBLE;
  const play = preparePlay(read.captures, given, read.rules);
  const { session } = play;
  if (!play.quiet) sayDefaultHost(session, world);
  const classic = session.firewall.settings.profile.classicProc;
  const isOfExpect = given.has('expect');
  const format = asked ?? (classic && !count && !isOfExpect ? 'proc-classic' : 'conntrack');
  checkCombination(given, format);
  if (format === 'zeek') return runZeek(play, given, world, filter);
  await playAll(
    play,
    world,
    (record) => {
      session.receive(record);
    },
    false,
  );
  if (isOfExpect) return closePlay(play, world, runExpect(given, world, session, format), true);
  const counts = new FlowCounts();
  const print = printerOf(given, format as Exclude<Format, 'zeek' | 'xml'>, session);
  let shown = 0;
  eachShown(session, filter, (flow) => {
    shown++;
    if (count) counts.add(flow);
    else world.out.write(print(flow));
  });
  if (count) world.out.write(countLines(counts, format === 'json'));
  return closePlay(play, world, count ? null : `${shown} flow entries have been shown.`, true);
}

/** `keepstate flows`: the table. */
export const FLOWS: Command = {
  name: 'flows',
  takes: 'FILE…',
  summary: 'the flow table after the last packet, or at some moment',
  about: [
    'Prints the flows that are in the table after the last packet (or at --at), in the order in which they began, ' +
      'as conntrack -L does. Timeouts are whole seconds, rounded down.',
    'packets= and bytes= are there with --sysctl nf_conntrack_acct=1, delta-time= with --sysctl ' +
      'nf_conntrack_timestamp=1, as on Linux.',
    '--format zeek is a log, not a table: a line for each flow of the capture in the order in which they ended, ' +
      'then those that had not ended.',
  ],
  examples: [
    { command: 'keepstate flows capture.pcap', says: 'the table at the end' },
    { command: 'keepstate flows --at +30 capture.pcap', says: 'half a minute after the first packet' },
    { command: 'keepstate flows --count capture.pcap', says: 'how many, by protocol and state' },
    {
      command:
        "keepstate flows --filter 'tcp and status UNREPLIED' --sysctl nf_conntrack_acct=1 capture.pcap",
      says: 'unanswered TCP, with counters',
    },
    {
      command: 'keepstate flows --expect --rules rules.nft capture.pcap',
      says: 'what helpers still wait for at the end',
    },
    { command: 'keepstate flows --profile linux-2.4 capture.pcap', says: 'as the classic system had it' },
    {
      command: 'keepstate flows --format zeek --community-id capture.pcap >conn.log',
      says: "for Zeek's friends",
    },
  ],
  run,
};
