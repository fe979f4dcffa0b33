/** The events of a replay, as the kernel sent them over ctnetlink and as the engine gave them to its sink. */
import { R_EXPIRED } from '../../engine/base/reason.ts';
import { isNewEvent } from '../../engine/conntrack/conntrack.ts';
import { IPCT_DESTROY, IPCT_PROTOINFO } from '../../engine/conntrack/events.ts';
import { destinationOf } from '../traffic/look.ts';
import { compareVerdict, type Difference, EngineSide, kernelLine } from './compare.ts';
import { engineCounters, kernelCounters } from './compare-accounting.ts';
import type { KernelEvent, KernelPacket, KernelRun, KernelVerdict } from './oracle.ts';

/** An event of either side. */
export interface EventLine {
  /** Type, protocol state, status, tuples; with DESTROY what was counted. */
  readonly text: string;
  /** Seconds that the flow has left. */
  readonly timeout: number;
  /** DESTROY because the timer ran out; of the kernel: or with less than a second left. */
  readonly expired: boolean;
  /** The engine's time (ms); 0 for events of the kernel. */
  readonly at: number;
}

/** The engine, its events noted. */
export class RecordingSide extends EngineSide {
  /** Events since they were last taken. */
  private lines: EventLine[] = [];

  constructor(sysctls: Readonly<Record<string, string | number>>) {
    super(sysctls);
    const ct = this.firewall.conntrack;
    ct.sink = {
      event: (flow, events, at, reason) => {
        const destroy = (events & IPCT_DESTROY) !== 0;
        const type = destroy ? 'DESTROY' : isNewEvent(events) ? 'NEW' : 'UPDATE';
        // Measured: UPDATE tells the protocol's state only when it changed, DESTROY nothing else of it.
        const protoinfo = destroy ? 'state' : (events & IPCT_PROTOINFO) !== 0 ? 'all' : 'none';
        const text = `${type} ${this.line(flow, protoinfo)}${destroy ? engineCounters(ct, flow) : ''}`;
        this.lines.push({ text, timeout: ct.left(flow) / 1000, expired: reason === R_EXPIRED, at });
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

/** An event of the kernel, to be compared with one of the engine. */
export function kernelEvent({ type, entry }: KernelEvent): EventLine {
  const { timeout } = entry;
  const text = `${type} ${kernelLine(entry)}${kernelCounters(entry)}`;
  // Measured: DESTROY tells no timeout of less than a second. Of those the caller must find out which ran out.
  return { text, timeout: timeout ?? 0, expired: type === 'DESTROY' && timeout === null, at: 0 };
}

/** Whether both sides told the same, the kernel's timeout being rounded down. */
export function sameEvents(theirs: readonly EventLine[], ours: readonly EventLine[]): boolean {
  return (
    theirs.length === ours.length &&
    theirs.every(({ text, timeout }, n) => {
      const own = ours[n]!;
      return text === own.text && own.timeout > timeout - 0.1 && own.timeout < timeout + 1.2;
    })
  );
}

/** Events as text, one a line. */
export function eventText(lines: readonly EventLine[]): string {
  return lines.map((line) => `${line.text} timeout ${line.timeout}`).join('\n');
}

/** Delivered to the router itself, hence confirmed, although nothing leaves (README.md). */
const FOR_ALL: readonly string[] = ['224.0.0.1', '255.255.255.255', 'ff02::1', 'ff02::2'];

/** Whether a packet came to its end, where it is confirmed. */
function reachesEnd(packet: Uint8Array, { stage }: KernelVerdict): boolean {
  return stage !== 'forward' || FOR_ALL.includes(destinationOf(packet) ?? '');
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
    const verdict = engine.receive(packet.bytes, 1_000_000 + run.times[i]!, reachesEnd(packet.bytes, v));
    const difference = compareVerdict(i, v, verdict);
    if (difference !== null) differences.push(difference);
    const ours = engine.take();
    const theirs = run.events![i]!.map(kernelEvent);
    events += theirs.length;
    if (!sameEvents(theirs, ours))
      differences.push({ packet: i, kernel: eventText(theirs), engine: eventText(ours) });
    if (differences.length >= most) break;
  }
  return { differences, events, engine };
}
