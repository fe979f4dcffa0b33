import {
  type CaptureRecord,
  type EventSink,
  type Expectation,
  type ExpectRecord,
  ipct,
  REASONS,
  readExpectation,
  readFlow,
} from '@keepstate/engine';
import { type Colour, coloured } from '../colour.ts';
import type { Command, World } from '../command.ts';
import { counted } from '../counted.ts';
import { sayDefaultHost } from '../default-host.ts';
import { compileFilter, type Filter } from '../filter.ts';
import { Subject, subjectOfFlow } from '../filter-subject.ts';
import {
  type EventKind,
  eventBody,
  eventKind,
  eventLine,
  eventPrefix,
  eventTells,
  type FlowEvent,
  saysState,
} from '../format/event-line.ts';
import { expectLine } from '../format/expect-line.ts';
import { jsonEvent } from '../format/json-event.ts';
import { jsonExpectEvent } from '../format/json-expect.ts';
import { epochText, secondsText } from '../moment.ts';
import { type Given, listOf } from '../options.ts';
import { closePlay, colourOf, playAll, preparePlay, TROUBLE } from '../play.ts';
import { rulesGiven } from '../rules-given.ts';
import type { Session } from '../session.ts';

const EXPIRED = REASONS.find((r) => r.name === 'expired')!.id;
const COLOURS: Readonly<Record<EventKind, Colour | null>> = { NEW: 'good', UPDATE: null, DESTROY: 'bad' };

/** Prints events as they come. */
class EventPrinter implements EventSink {
  shown = 0;
  /** Events of expectations. */
  expectations = 0;
  /** The packet that is being played: events that it causes have its exact time. Null between packets. */
  record: CaptureRecord | null = null;

  private readonly world: World;
  private readonly json: boolean;
  private readonly colour: boolean;
  private readonly filter: Filter | null;
  private readonly words: ReadonlySet<string>;
  private readonly subject: Subject = new Subject();
  private readonly session: Session;

  constructor(session: Session, given: Given, world: World) {
    this.session = session;
    this.world = world;
    this.json = given.has('json');
    this.words = listOf('output', given, ['timestamp', 'extended', 'id', 'ktimestamp']);
    this.colour = colourOf(given, world);
    const expression = given.value('filter');
    this.filter = expression === null ? null : compileFilter(expression, 'flow');
    session.listen(this);
  }

  event(row: number, events: number, now: number, reason: number): void {
    const flow = readFlow(this.session.firewall.conntrack, row);
    if (this.filter !== null) {
      subjectOfFlow(flow, this.subject);
      if (!this.filter(this.subject)) return;
    }
    const kind = eventKind(events);
    const expired = kind === 'DESTROY' && reason === EXPIRED;
    // A timer runs out at its own moment; all else happens when a packet comes.
    const stamp = expired || this.record === null ? secondsText(now) : this.stampOf(this.record);
    this.shown++;
    const state = saysState(kind, events);
    this.world.out.write(`${this.line({ kind, time: now, flow, state }, stamp, events, reason)}\n`);
  }

  expectation(expected: Expectation, event: number, now: number): void {
    const { conntrack } = this.session.firewall;
    if (this.filter !== null) {
      subjectOfFlow(readFlow(conntrack, expected.master), this.subject);
      if (!this.filter(this.subject)) return;
    }
    const kind = event === ipct.IPEXP_NEW ? 'NEW' : 'DESTROY';
    const expired = kind === 'DESTROY' && expected.expires <= now;
    const stamp = expired || this.record === null ? secondsText(now) : this.stampOf(this.record);
    const record = readExpectation(conntrack, expected);
    this.expectations++;
    this.world.out.write(`${this.expectText(kind, record, stamp)}\n`);
  }

  private expectText(kind: 'NEW' | 'DESTROY', record: ExpectRecord, stamp: string): string {
    if (this.json) return jsonExpectEvent(kind, record, stamp);
    const front = this.words.has('timestamp') ? `[${stamp}]\t` : '';
    const prefix = coloured(eventPrefix(kind), COLOURS[kind]!, this.colour);
    return `${front}${prefix} ${expectLine(record)}`;
  }

  /** conntrack -E has six digits, whatever the clock; those of nanoseconds are for JSON. */
  private stampOf({ seconds, nanoseconds }: CaptureRecord): string {
    return epochText(seconds, this.json ? nanoseconds : nanoseconds - (nanoseconds % 1000));
  }

  private line(event: FlowEvent, stamp: string, events: number, reason: number): string {
    if (this.json) return jsonEvent(event, stamp, events, reason);
    const options = {
      timestamp: this.words.has('timestamp'),
      extended: this.words.has('extended'),
      id: this.words.has('id'),
      ktimestamp: this.words.has('ktimestamp'),
    };
    const colour = COLOURS[event.kind];
    const told = { ...event, tells: eventTells(event.kind, event.flow, events) };
    if (!this.colour || colour === null) return eventLine(told, stamp, options);
    const front = options.timestamp ? `[${stamp}]\t` : '';
    return `${front}${coloured(eventPrefix(event.kind), colour, true)} ${eventBody(told, options)}`;
  }
}

async function run(words: readonly string[], given: Given, world: World): Promise<number> {
  const read = await rulesGiven(words, given, world);
  if (read === null) return TROUBLE;
  const play = preparePlay(read.captures, given, read.rules);
  const { session } = play;
  if (!play.quiet) sayDefaultHost(session, world);
  const printer = new EventPrinter(session, given, world);
  const held = given.has('no-time');
  await playAll(
    play,
    world,
    (record) => {
      printer.record = held ? null : record;
      session.receive(record);
      printer.record = null;
    },
    true,
  );
  const also = printer.expectations === 0 ? '' : ` and ${counted(printer.expectations, 'expectation event')}`;
  return closePlay(play, world, `${printer.shown} flow events${also} have been shown.`, false);
}

/** `keepstate events`: what happens in the table. */
export const EVENTS: Command = {
  name: 'events',
  takes: 'FILE…',
  summary: 'what happens in the flow table, as conntrack -E shows it',
  about: [
    'Prints NEW, UPDATE and DESTROY as they happen. A flow that expires between two packets is destroyed at that ' +
      'moment; what would happen after the last packet is not shown unless --at lets time pass.',
    'Where a helper tells of a flow to come, NEW and DESTROY of what it expects stand among them, as conntrack -E ' +
      'expect shows them.',
    'As in conntrack -E, an UPDATE shows the state only if it changed, and a DESTROY no timeout if the timer ran out.',
  ],
  examples: [
    { command: 'keepstate events -o timestamp,id capture.pcap', says: 'with times and ids' },
    { command: 'keepstate events --at +3600 capture.pcap', says: 'until an hour after the first packet' },
    { command: "keepstate events --json --filter 'udp and port 53' capture.pcap", says: 'DNS, for programs' },
  ],
  run,
};
