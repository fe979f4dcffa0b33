import type { ExpectRecord } from '@keepstate/engine';
import {
  type EventKind,
  type EventTells,
  eventLine,
  eventPrefix,
  eventTells,
  type FlowEvent,
} from '../format/event-line.ts';
import { expectLine } from '../format/expect-line.ts';
import { jsonEvent } from '../format/json-event.ts';
import { jsonExpectEvent } from '../format/json-expect.ts';
import { XML_EXPECT_HEAD, XML_EXPECT_TAIL, xmlExpect } from '../format/xml-expect.ts';
import { SAVED, WORDS, XML_TYPES } from './event-words.ts';
import type { ExecuteWorld } from './execute.ts';
import { matches } from './match.ts';
import type { Request } from './request.ts';
import { saveLine } from './save-line.ts';
import type { Entry } from './table.ts';
import { XML_HEAD, XML_TAIL, xmlFlow } from './xml-flow.ts';

/** A program that did something to a table. */
export interface Doer {
  /** Of its netlink socket. */
  readonly portid: number;
  /** Its name, null if it is gone already. */
  readonly name: string | null;
}

/** What happened to a flow. */
export interface FlowHappening {
  readonly kind: EventKind;
  /** When (ms since the epoch), and the same as it is printed. */
  readonly time: number;
  readonly stamp: string;
  readonly entry: Entry;
  /** Whether it says the protocol's state. */
  readonly state: boolean;
  /** IPCT_* bits, 0 where they are not known. */
  readonly events: number;
  /** Why it left the table, 0 for other events. */
  readonly reason: number;
  /** As in {@link FlowEvent}. */
  readonly tells?: EventTells;
  /** Finds who did it, if it was a program and neither a packet nor time. */
  readonly by?: (() => Doer) | null;
}

/** What an event of text or XML has behind it. */
function programText(by: FlowHappening['by']): string {
  if (by == null) return '';
  const { portid, name } = by();
  return ` [USERSPACE] portid=${portid}${name === null ? '' : ` progname=${name}`}`;
}

/** The same in JSON. */
function withProgram(json: string, by: FlowHappening['by']): string {
  if (by == null) return json;
  const { portid, name } = by();
  return `${json.slice(0, -1)},"portid":${portid},"program":${JSON.stringify(name)}}`;
}

/** Prints events as conntrack -E does. */
export class EventPrinter {
  /** How many were printed. */
  shown = 0;
  private readonly request: Request;
  private readonly world: ExecuteWorld;

  constructor(request: Request, world: ExecuteWorld) {
    this.request = request;
    this.world = world;
    // Measured: whether there are names is known, and said, before there is anything to be shown.
    if (request.output.has('labels')) world.labels.load();
  }

  /** Whether -e asks for events of flows of a kind. */
  wants(kind: EventKind): boolean {
    const { events, table } = this.request;
    return table !== 'expect' && (events.size === 0 || events.has('ALL') || events.has(WORDS[kind]));
  }

  flow(happening: FlowHappening): void {
    const { request } = this;
    const { kind, time, stamp, entry, state, by } = happening;
    if (!this.wants(kind) || !matches(request, entry)) return;
    const tells = happening.tells ?? eventTells(kind, entry, happening.events);
    // A mark that was not told is none, not even 0 (measured).
    if (request.mark !== null && !tells.mark) return;
    const event: FlowEvent = { kind, time, flow: entry, state, tells };
    const { output } = request;
    if (output.has('json')) {
      this.print(withProgram(jsonEvent(event, stamp, happening.events, happening.reason), by), '');
      return;
    }
    const told = state ? entry : { ...entry, state: null, vtags: null };
    if (output.has('save')) this.print(saveLine(told, SAVED[kind], tells) + programText(by), '');
    else if (output.has('xml')) {
      const labels = this.labelsOf(entry);
      const options = { type: XML_TYPES[kind], ktimestamp: output.has('ktimestamp'), labels, tells };
      this.print(xmlFlow(told, time, options) + programText(by), XML_HEAD);
    } else this.print(this.line(event, stamp, this.labelsOf(entry)) + programText(by), '');
  }

  /** An event of an expectation. Only JSON says who did it (measured). */
  expectation(kind: EventKind, one: ExpectRecord, stamp: string, by: FlowHappening['by'] = null): void {
    const { table, output } = this.request;
    if (table !== 'expect') return;
    const isGone = kind === 'DESTROY';
    if (output.has('json')) {
      this.print(withProgram(jsonExpectEvent(isGone ? 'DESTROY' : 'NEW', one, stamp), by), '');
    } else if (output.has('xml')) this.print(xmlExpect(one, isGone ? 'destroy' : 'new'), XML_EXPECT_HEAD);
    else {
      const front = output.has('timestamp') ? `[${stamp}]\t` : '';
      this.print(`${front}${eventPrefix(kind)} ${expectLine(one)}`, '');
    }
  }

  /** What follows the last event. */
  end(): void {
    const { table, output } = this.request;
    if (this.shown > 0 && output.has('xml')) {
      this.world.write(table === 'expect' ? XML_EXPECT_TAIL : XML_TAIL);
    }
    this.world.flush?.();
  }

  /** The line that sums it up. */
  get summary(): string {
    const what = this.request.table === 'expect' ? 'expectation' : 'flow';
    return `${this.shown} ${what} events have been shown.`;
  }

  private line(event: FlowEvent, stamp: string, labels: readonly string[]): string {
    const { output } = this.request;
    const options = {
      timestamp: output.has('timestamp'),
      extended: output.has('extended'),
      id: output.has('id'),
      ktimestamp: output.has('ktimestamp'),
    };
    const shown = labels.length === 0 ? '' : ` labels=${labels.join(',')}`;
    return eventLine(event, stamp, options) + shown;
  }

  /** The names of a flow's labels, if they are to be shown: -l, too, has them read (measured). */
  private labelsOf({ labels }: Entry): readonly string[] {
    return this.world.labels.loaded?.namesOf(labels) ?? [];
  }

  private print(text: string, head: string): void {
    if (this.shown++ === 0) this.world.write(head);
    this.world.write(`${text}\n`);
  }
}
