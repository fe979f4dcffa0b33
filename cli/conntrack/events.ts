import {
  type CaptureRecord,
  type EventSink,
  type Expectation,
  ipct,
  isNewEvent,
  readExpectation,
  readFlow,
} from '@keepstate/engine';
import { type EventKind, eventLine, eventPrefix } from '../format/event-line.ts';
import { expectLine } from '../format/expect-line.ts';
import { jsonEvent } from '../format/json-event.ts';
import { jsonExpectEvent } from '../format/json-expect.ts';
import { XML_EXPECT_HEAD, xmlExpect } from '../format/xml-expect.ts';
import { epochText, secondsText } from '../moment.ts';
import type { Session } from '../session.ts';
import { entryOf, newSession, playCapture } from './capture-table.ts';
import type { ExecuteWorld, Outcome } from './execute.ts';
import { matches } from './match.ts';
import type { Request } from './request.ts';
import { saveLine } from './save-line.ts';
import type { EventWord } from './word-lists.ts';
import { XML_HEAD, xmlFlow } from './xml-flow.ts';

const WORDS: Readonly<Record<EventKind, EventWord>> = { NEW: 'NEW', UPDATE: 'UPDATES', DESTROY: 'DESTROY' };
const SAVED = { NEW: 'A', UPDATE: 'U', DESTROY: 'D' } as const;
const XML_TYPES = { NEW: 'new', UPDATE: 'update', DESTROY: 'destroy' } as const;

/** Prints the events of a capture as conntrack -E does. */
class Watcher implements EventSink {
  shown = 0;
  /** The packet that is being played, null between packets. */
  record: CaptureRecord | null = null;
  private readonly request: Request;
  private readonly session: Session;
  private readonly world: ExecuteWorld;

  constructor(request: Request, session: Session, world: ExecuteWorld) {
    this.request = request;
    this.session = session;
    this.world = world;
  }

  event(row: number, events: number, now: number, reason: number): void {
    const { request, session } = this;
    const kind = (events & ipct.IPCT_DESTROY) !== 0 ? 'DESTROY' : isNewEvent(events) ? 'NEW' : 'UPDATE';
    const entry = entryOf(readFlow(session.firewall.conntrack, row));
    if (request.table === 'expect' || !this.wanted(kind) || !matches(request, entry)) return;
    const { output } = request;
    const stamp = this.stamp(now);
    const state = kind !== 'UPDATE' || (events & ipct.IPCT_PROTOINFO) !== 0;
    const event = { kind, time: now, flow: entry, state } as const;
    if (output.has('save')) this.print(saveLine(entry, SAVED[kind]), '');
    else if (output.has('json')) this.print(jsonEvent(event, stamp, events, reason), '');
    else if (output.has('xml')) {
      const options = { type: XML_TYPES[kind], ktimestamp: output.has('ktimestamp') };
      this.print(xmlFlow(entry, now, options), XML_HEAD);
    } else {
      const has = (word: 'timestamp' | 'extended' | 'id' | 'ktimestamp'): boolean => output.has(word);
      this.print(
        eventLine(event, stamp, {
          timestamp: has('timestamp'),
          extended: has('extended'),
          id: has('id'),
          ktimestamp: has('ktimestamp'),
        }),
        '',
      );
    }
  }

  expectation(expected: Expectation, event: number, now: number): void {
    const { request, session } = this;
    if (request.table !== 'expect') return;
    const kind = event === ipct.IPEXP_NEW ? 'NEW' : 'DESTROY';
    const one = readExpectation(session.firewall.conntrack, expected);
    const stamp = this.stamp(now);
    if (request.output.has('json')) this.print(jsonExpectEvent(kind, one, stamp), '');
    else if (request.output.has('xml')) this.print(xmlExpect(one, XML_TYPES[kind]), XML_EXPECT_HEAD);
    else {
      const front = request.output.has('timestamp') ? `[${stamp}]\t` : '';
      this.print(`${front}${eventPrefix(kind)} ${expectLine(one)}`, '');
    }
  }

  private wanted(kind: EventKind): boolean {
    const { events } = this.request;
    return events.size === 0 || events.has('ALL') || events.has(WORDS[kind]);
  }

  private stamp(now: number): string {
    const { record } = this;
    if (record === null) return secondsText(now);
    return epochText(record.seconds, record.nanoseconds - (record.nanoseconds % 1000));
  }

  private print(text: string, head: string): void {
    if (this.shown++ === 0) this.world.write(head);
    this.world.write(`${text}\n`);
  }
}

/**
 * Carries out -E on a capture.
 * @throws UsageError, Failure
 */
export async function showEvents(request: Request, name: string, world: ExecuteWorld): Promise<Outcome> {
  const session = newSession();
  const watcher = new Watcher(request, session, world);
  session.listen(watcher);
  await playCapture(name, session, (record) => {
    watcher.record = record;
    session.receive(record);
    watcher.record = null;
  });
  const what = request.table === 'expect' ? 'expectation' : 'flow';
  return { status: 0, summary: `${watcher.shown} ${what} events have been shown.` };
}
