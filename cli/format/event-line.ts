import { type FlowRecord, ipct, isNewEvent } from '@keepstate/engine';
import {
  familyText,
  type LineOptions,
  type ShownFlow,
  secctxText,
  tuplesText,
  zoneText,
} from './conntrack-line.ts';
import { ctimeText, secondsLeft, toolDeltaTime } from './tuple-text.ts';

/** What happened to a flow, by conntrack's words. */
export type EventKind = 'NEW' | 'UPDATE' | 'DESTROY';

/** What happened, of IPCT_* bits. */
export function eventKind(events: number): EventKind {
  if ((events & ipct.IPCT_DESTROY) !== 0) return 'DESTROY';
  return isNewEvent(events) ? 'NEW' : 'UPDATE';
}

/** Whether an event with these IPCT_* bits says the protocol's state. Measured: an UPDATE does where that changed. */
export function saysState(kind: EventKind, events: number): boolean {
  return kind !== 'UPDATE' || (events & ipct.IPCT_PROTOINFO) !== 0;
}

/** An event as it is printed. */
export interface FlowEvent {
  readonly kind: EventKind;
  /** When (ms since the epoch). */
  readonly time: number;
  /** The flow as it was then. */
  readonly flow: ShownFlow;
  /** Whether the event says the protocol's state: see {@link saysState}. */
  readonly state: boolean;
  /** Which of these the kernel told; left out: as its own rules have it, which {@link eventBody} knows. */
  readonly tells?: EventTells;
}

/** What not every event of the kernel has. */
export interface EventTells {
  readonly timeout: boolean;
  readonly mark: boolean;
}

/** What an event of a flow has by the kernel's rules. @param events IPCT_* bits, 0 if they are not known */
export function eventTells(kind: EventKind, flow: FlowRecord, events = 0): EventTells {
  return {
    // Measured: a flow that leaves with less than a second left, as one whose timer ran out, shows no timeout.
    timeout: kind !== 'DESTROY' || secondsLeft(flow.timeout) > 0,
    // Measured: 0 is told where it is the change.
    mark: flow.mark !== 0 || (events & ipct.IPCT_MARK) !== 0,
  };
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

/** What follows the prefix. Counters and times only on DESTROY, a mark only if it is not 0 or was changed, no use count. */
export function eventBody(event: FlowEvent, options: EventLineOptions = {}): string {
  const { flow, kind, time } = event;
  const gone = kind === 'DESTROY';
  const tells = event.tells ?? eventTells(kind, flow);
  const start = gone ? flow.start : null;
  const text =
    (options.extended ? familyText(flow.family) : '') +
    `${flow.protocol.padEnd(8)} ${flow.protonum} ` +
    (tells.timeout ? `${secondsLeft(flow.timeout)} ` : '') +
    (flow.state === null || !event.state ? '' : `${flow.state} `) +
    tuplesText(flow, gone ? flow.counters : null) +
    (tells.mark ? `mark=${flow.mark} ` : '') +
    secctxText(flow) +
    zoneText(flow) +
    (start === null ? '' : `delta-time=${toolDeltaTime(start, time)} `) +
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
