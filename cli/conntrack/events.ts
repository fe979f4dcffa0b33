import {
  type CaptureRecord,
  type EventSink,
  type Expectation,
  ipct,
  readExpectation,
} from '@keepstate/engine';
import { eventKind, saysState } from '../format/event-line.ts';
import { epochText, secondsText } from '../moment.ts';
import type { Session } from '../session.ts';
import { newSession, playCapture } from './capture-table.ts';
import { EventPrinter } from './event-printer.ts';
import type { ExecuteWorld, Outcome } from './execute.ts';
import type { Request } from './request.ts';
import { rowEntry } from './row-entry.ts';

/** Hands the events of a capture to a printer. */
class Watcher implements EventSink {
  /** The packet that is being played, null between packets. */
  record: CaptureRecord | null = null;
  private readonly printer: EventPrinter;
  private readonly session: Session;

  constructor(printer: EventPrinter, session: Session) {
    this.printer = printer;
    this.session = session;
  }

  event(row: number, events: number, now: number, reason: number): void {
    const kind = eventKind(events);
    if (!this.printer.wants(kind)) return;
    const entry = rowEntry(this.session.firewall.conntrack, row);
    const state = saysState(kind, events);
    this.printer.flow({ kind, time: now, stamp: this.stamp(now), entry, state, events, reason });
  }

  expectation(expected: Expectation, event: number, now: number): void {
    const kind = event === ipct.IPEXP_NEW ? 'NEW' : 'DESTROY';
    const one = readExpectation(this.session.firewall.conntrack, expected);
    this.printer.expectation(kind, one, this.stamp(now));
  }

  private stamp(now: number): string {
    const { record } = this;
    if (record === null) return secondsText(now);
    return epochText(record.seconds, record.nanoseconds - (record.nanoseconds % 1000));
  }
}

/**
 * Carries out -E on a capture.
 * @throws UsageError, Failure
 */
export async function showEvents(request: Request, name: string, world: ExecuteWorld): Promise<Outcome> {
  const session = newSession();
  const printer = new EventPrinter(request, world);
  const watcher = new Watcher(printer, session);
  session.listen(watcher);
  await playCapture(name, session, (record) => {
    watcher.record = record;
    session.receive(record);
    watcher.record = null;
  });
  printer.end();
  return { status: 0, summary: printer.summary };
}
