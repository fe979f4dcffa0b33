import {
  type Conntrack,
  type EventSink,
  type Expectation,
  ipct,
  REASONS,
  readExpectation,
} from '@keepstate/engine';
import { rowEntry } from '../conntrack/row-entry.ts';
import type { ExpectNews, FlowNews } from '../control/protocol.ts';
import { type ControlServer, FOLLOW_BITS, FOLLOW_EXPECT } from '../control/server.ts';
import { eventKind } from '../format/event-line.ts';

const EXPIRED = REASONS.find((r) => r.name === 'expired')!.id;

/** Tells the events of a table to whoever follows them by the control socket; nobody is called while nobody does. */
export class EventFeed implements EventSink {
  /** Events that somebody follows. */
  flows = 0;
  expectations = 0;

  private readonly conntrack: Conntrack;
  private readonly server: ControlServer;
  private readonly clock: () => number;

  /** @param clock the time in fractions of milliseconds: the table's own has whole ones */
  constructor(conntrack: Conntrack, server: ControlServer, clock: () => number) {
    this.conntrack = conntrack;
    this.server = server;
    this.clock = clock;
    server.onFollowers = () => {
      conntrack.sink = server.broadcast.wanted === 0 ? null : this;
    };
  }

  event(row: number, events: number, now: number, reason: number): void {
    const { broadcast } = this.server;
    const kind = eventKind(events);
    const bit = FOLLOW_BITS[kind];
    if ((broadcast.wanted & bit) === 0) return;
    this.flows++;
    if (broadcast.isJammed) {
      broadcast.lose(bit);
      return;
    }
    // A timer runs out at its own moment; all else happens now.
    const time = reason === EXPIRED ? now : this.moment(now);
    const flow = rowEntry(this.conntrack, row);
    const news: FlowNews = { kind, time, events, reason, flow };
    broadcast.publish(bit, `{"event":${JSON.stringify(news)}}\n`);
  }

  expectation(expected: Expectation, event: number, now: number): void {
    const { broadcast } = this.server;
    if ((broadcast.wanted & FOLLOW_EXPECT) === 0) return;
    const kind = event === ipct.IPEXP_NEW ? 'NEW' : 'DESTROY';
    const time = kind === 'DESTROY' && expected.expires <= now ? now : this.moment(now);
    const news: ExpectNews = { kind, time, expectation: readExpectation(this.conntrack, expected) };
    this.expectations++;
    broadcast.publish(FOLLOW_EXPECT, `{"expect":${JSON.stringify(news)}}\n`);
  }

  /** Now, within the millisecond that the table is in, or later where it is behind. */
  private moment(now: number): number {
    return Math.max(now, this.clock());
  }
}
