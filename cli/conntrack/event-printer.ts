import { type ExpectRecord, ipct } from '@keepstate/engine';
import { type EventKind, eventLine, eventPrefix } from '../format/event-line.ts';
import { expectLine } from '../format/expect-line.ts';
import { jsonEvent } from '../format/json-event.ts';
import { jsonExpectEvent } from '../format/json-expect.ts';
import { XML_EXPECT_HEAD, xmlExpect } from '../format/xml-expect.ts';
import { SAVED, WORDS, XML_TYPES } from './event-words.ts';
import type { ExecuteWorld } from './execute.ts';
import { matches } from './match.ts';
import type { Request } from './request.ts';
import { saveLine } from './save-line.ts';
import type { Entry } from './table.ts';
import { XML_HEAD, xmlFlow } from './xml-flow.ts';

/** What happened to a flow of keepstate's. */
export interface FlowHappening {
  readonly kind: EventKind;
  /** When (ms since the epoch), and the same as it is printed. */
  readonly time: number;
  readonly stamp: string;
  readonly entry: Entry;
  /** IPCT_* bits. */
  readonly events: number;
  /** Why it left the table, 0 for other events. */
  readonly reason: number;
}

/** Prints events of keepstate's tables as conntrack -E does. */
export class EventPrinter {
  /** How many were printed. */
  shown = 0;
  private readonly request: Request;
  private readonly world: ExecuteWorld;

  constructor(request: Request, world: ExecuteWorld) {
    this.request = request;
    this.world = world;
  }

  /** Whether -e asks for events of a kind. */
  wants(kind: EventKind): boolean {
    const { events, table } = this.request;
    return table !== 'expect' && (events.size === 0 || events.has('ALL') || events.has(WORDS[kind]));
  }

  flow({ kind, time, stamp, entry, events, reason }: FlowHappening): void {
    const { request } = this;
    if (!this.wants(kind) || !matches(request, entry)) return;
    const { output } = request;
    const state = kind !== 'UPDATE' || (events & ipct.IPCT_PROTOINFO) !== 0;
    const event = { kind, time, flow: entry, state } as const;
    if (output.has('save')) this.print(saveLine(entry, SAVED[kind]), '');
    else if (output.has('json')) this.print(jsonEvent(event, stamp, events, reason), '');
    else if (output.has('xml')) {
      const options = { type: XML_TYPES[kind], ktimestamp: output.has('ktimestamp') };
      this.print(xmlFlow(entry, time, options), XML_HEAD);
    } else {
      const has = (word: 'timestamp' | 'extended' | 'id' | 'ktimestamp'): boolean => output.has(word);
      const options = {
        timestamp: has('timestamp'),
        extended: has('extended'),
        id: has('id'),
        ktimestamp: has('ktimestamp'),
      };
      this.print(eventLine(event, stamp, options), '');
    }
  }

  expectation(kind: 'NEW' | 'DESTROY', one: ExpectRecord, stamp: string): void {
    const { table, output } = this.request;
    if (table !== 'expect') return;
    if (output.has('json')) this.print(jsonExpectEvent(kind, one, stamp), '');
    else if (output.has('xml')) {
      this.print(xmlExpect(one, kind === 'NEW' ? 'new' : 'destroy'), XML_EXPECT_HEAD);
    } else {
      const front = output.has('timestamp') ? `[${stamp}]\t` : '';
      this.print(`${front}${eventPrefix(kind)} ${expectLine(one)}`, '');
    }
  }

  /** The line that sums it up. */
  get summary(): string {
    const what = this.request.table === 'expect' ? 'expectation' : 'flow';
    return `${this.shown} ${what} events have been shown.`;
  }

  private print(text: string, head: string): void {
    if (this.shown++ === 0) this.world.write(head);
    this.world.write(`${text}\n`);
  }
}
