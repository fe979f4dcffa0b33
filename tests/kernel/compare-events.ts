/** The events of a replay, as the kernel sent them over ctnetlink and as the engine gave them to its sink. */
import { isNewEvent } from '../../engine/conntrack/conntrack.ts';
import { IPCT_DESTROY, IPCT_PROTOINFO } from '../../engine/conntrack/events.ts';
import { compareVerdict, type Difference, EngineSide, kernelLine } from './compare.ts';
import { engineCounters, kernelCounters } from './compare-accounting.ts';
import type { KernelEvent, KernelPacket, KernelRun } from './oracle.ts';

/** An event as text, with the seconds that the flow has left, null where the kernel tells none. */
interface EventLine {
  readonly text: string;
  readonly timeout: number | null;
}

/** The engine, its events noted. */
export class RecordingSide extends EngineSide {
  /** Events since they were last taken. */
  private lines: EventLine[] = [];

  constructor(sysctls: Readonly<Record<string, string | number>>) {
    super(sysctls);
    const ct = this.firewall.conntrack;
    ct.sink = {
      event: (flow, events) => {
        const destroy = (events & IPCT_DESTROY) !== 0;
        const type = destroy ? 'DESTROY' : isNewEvent(events) ? 'NEW' : 'UPDATE';
        // Measured: UPDATE tells the protocol's state only when it changed, DESTROY nothing else of it.
        const protoinfo = destroy ? 'state' : (events & IPCT_PROTOINFO) !== 0 ? 'all' : 'none';
        const counters = destroy ? engineCounters(ct, flow) : '';
        this.lines.push({
          text: `${type} ${this.line(flow, protoinfo)}${counters}`,
          timeout: ct.left(flow) / 1000,
        });
      },
    };
  }

  /** The events since the last call. */
  take(): readonly EventLine[] {
    const { lines } = this;
    this.lines = [];
    return lines;
  }
}

function kernelEvent(event: KernelEvent): EventLine {
  const { type, entry } = event;
  return { text: `${type} ${kernelLine(entry)}${kernelCounters(entry)}`, timeout: entry.timeout };
}

function sameEvent(theirs: EventLine, ours: EventLine | undefined): boolean {
  if (ours === undefined || theirs.text !== ours.text) return false;
  if (theirs.timeout === null || ours.timeout === null) return true;
  return ours.timeout > theirs.timeout - 0.1 && ours.timeout < theirs.timeout + 1.2;
}

function text(lines: readonly EventLine[]): string {
  return lines.map((line) => `${line.text} timeout ${line.timeout}`).join('\n');
}

/** What a comparison of events gave. */
export interface EventComparison {
  readonly differences: readonly Difference[];
  /** Events of the kernel that were compared. */
  readonly events: number;
  /** The engine as the last packet left it. */
  readonly engine: RecordingSide;
}

/**
 * Compares the events of each packet: type, tuples, protocol state, status bits, timeout, in order; with
 * DESTROY also what was counted. The run must be too short for timers to run out.
 * @param run of a kernel opened with `events` and `stages`
 */
export function compareEvents(
  run: KernelRun,
  packets: readonly KernelPacket[],
  sysctls: Readonly<Record<string, string | number>> = {},
  most = 10,
): EventComparison {
  const engine = new RecordingSide(sysctls);
  const differences: Difference[] = [];
  let events = 0;
  for (const [i, packet] of packets.entries()) {
    const v = run.verdicts[i]!;
    const verdict = engine.receive(packet.bytes, 1_000_000 + run.times[i]!, v.stage !== 'forward');
    const difference = compareVerdict(i, v, verdict);
    if (difference !== null) differences.push(difference);
    const ours = engine.take();
    const theirs = run.events![i]!.map(kernelEvent);
    events += theirs.length;
    if (theirs.length !== ours.length || !theirs.every((event, n) => sameEvent(event, ours[n])))
      differences.push({ packet: i, kernel: text(theirs), engine: text(ours) });
    if (differences.length >= most) break;
  }
  return { differences, events, engine };
}
