import { readExpectation } from '@keepstate/engine';
import { openCaptures, readTimeline, type Visit } from '../input.ts';
import { Given } from '../options.ts';
import { Session, sessionOptions } from '../session.ts';
import { Failure, UsageError } from '../trouble.ts';
import type { Contents } from './memory-table.ts';
import { rowEntry } from './row-entry.ts';
import type { Entry } from './table.ts';

/** A firewall that tracks as Linux 6.18 does with its default sysctls. */
export function newSession(): Session {
  return new Session(sessionOptions(new Given(new Map()), null));
}

/**
 * Plays a capture.
 * @param visit handed each packet; it gives it to the session
 * @throws UsageError if the file cannot be read or is damaged: the table is not what the capture says then; Failure if it
 *   has no packets
 */
export async function playCapture(name: string, session: Session, visit: Visit): Promise<void> {
  const sources = openCaptures([name]);
  await readTimeline(sources, visit);
  session.finish();
  const failure = sources[0]!.failure;
  if (failure !== null) throw new UsageError(failure.message, false);
  if (session.packets === 0) throw new Failure(`${name}: the capture has no packets`);
}

/** The table after the last packet of a capture. Throws as {@link playCapture} does. */
export async function captureContents(name: string): Promise<Contents> {
  const session = newSession();
  await playCapture(name, session, (record) => {
    session.receive(record);
  });
  const { conntrack } = session.firewall;
  const entries: Entry[] = [];
  conntrack.eachFlow((row) => entries.push(rowEntry(conntrack, row)));
  entries.sort((a, b) => a.flowId - b.flowId);
  const expectations = conntrack.expectations.all().map((one) => readExpectation(conntrack, one));
  return { now: conntrack.now, entries, expectations };
}
