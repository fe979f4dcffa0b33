import type { FlowRecord } from '@keepstate/engine';
import { familyText, type LineOptions, tuplesText, zoneText } from './conntrack-line.ts';
import { ctimeText, deltaTime, secondsLeft } from './tuple-text.ts';

/** What happened to a flow, by conntrack's words. */
export type EventKind = 'NEW' | 'UPDATE' | 'DESTROY';

/** An event as it is printed. */
export interface FlowEvent {
  readonly kind: EventKind;
  /** When (ms since the epoch). */
  readonly time: number;
  /** The flow as it was then. */
  readonly flow: FlowRecord;
  /** A DESTROY because the timer ran out: it shows no timeout (measured: the state stays). */
  readonly expired: boolean;
}

/** What `conntrack -E -o` adds to a line. */
export interface EventLineOptions extends LineOptions {
  /** `[seconds.micros]` and a tab in front. */
  readonly timestamp?: boolean;
}

/** `%9s`: the kinds end in one column. */
export function eventPrefix(kind: EventKind): string {
  return `[${kind}]`.padStart(9);
}

/** What follows the prefix. Counters and times only on DESTROY, a mark only if it is not 0, no use count. */
export function eventBody(event: FlowEvent, options: EventLineOptions = {}): string {
  const { flow, kind, time, expired } = event;
  const gone = kind === 'DESTROY';
  const start = gone ? flow.start : null;
  const text =
    (options.extended ? familyText(flow.family) : '') +
    `${flow.protocol.padEnd(8)} ${flow.protonum} ` +
    (expired ? '' : `${secondsLeft(flow.timeout)} `) +
    (flow.state === null ? '' : `${flow.state} `) +
    tuplesText(flow, gone ? flow.counters : null) +
    (flow.mark === 0 ? '' : `mark=${flow.mark} `) +
    zoneText(flow) +
    (start === null ? '' : `delta-time=${deltaTime(start, time)} `) +
    (start === null || !options.ktimestamp ? '' : `[start=${ctimeText(start)}] [stop=${ctimeText(time)}] `) +
    (flow.helper === null ? '' : `helper=${flow.helper} `) +
    (options.id ? `id=${flow.flowId} ` : '');
  return text.trimEnd();
}

/** An event as `conntrack -E` prints it, without a newline. `stamp` is its time as text, for -o timestamp. */
export function eventLine(event: FlowEvent, stamp: string, options: EventLineOptions = {}): string {
  const front = options.timestamp ? `[${stamp}]\t` : '';
  return `${front}${eventPrefix(event.kind)} ${eventBody(event, options)}`;
}
