import { type FlowRecord, ips } from '@keepstate/engine';
import { countersText, ctimeText, secondsLeft, toolDeltaTime, toolPorts } from './tuple-text.ts';

/** What `conntrack -o` adds to a line. */
export interface LineOptions {
  /** The network layer in front: `ipv4     2 `. */
  readonly extended?: boolean;
  /** `id=` at the end. */
  readonly id?: boolean;
  /** `[start=…]` where the flow has a start time. */
  readonly ktimestamp?: boolean;
}

/** A flow as it is shown: those of the kernel may have a security context. */
export type ShownFlow = FlowRecord & { readonly secctx?: string | null };

/** `ipv4     2 ` or `ipv6     10 `. */
export function familyText(family: number): string {
  return family === 10 ? 'ipv6     10 ' : 'ipv4     2 ';
}

/** `zone-orig=` or `zone-reply=` inside a tuple, where the zone is of that direction only. */
export function directionZone(flow: FlowRecord, dir: 'orig' | 'reply'): string {
  if (flow.zoneOriginal === flow.zoneReply) return '';
  const zone = dir === 'orig' ? flow.zoneOriginal : flow.zoneReply;
  return zone === 0 ? '' : `zone-${dir}=${zone} `;
}

/** Both tuples with their counters and the flags between and behind them, as dumps and events have them. */
export function tuplesText(flow: FlowRecord, counters: FlowRecord['counters']): string {
  const { original, reply, status, protonum } = flow;
  return (
    `src=${original.src} dst=${original.dst} ${toolPorts(protonum, original)}` +
    directionZone(flow, 'orig') +
    countersText(counters?.original) +
    ((status & ips.IPS_SEEN_REPLY) === 0 ? '[UNREPLIED] ' : '') +
    `src=${reply.src} dst=${reply.dst} ${toolPorts(protonum, reply)}` +
    directionZone(flow, 'reply') +
    countersText(counters?.reply) +
    assuredText(status)
  );
}

/** `[ASSURED] `; where a flow is offloaded that is said instead. */
function assuredText(status: number): string {
  if ((status & ips.IPS_HW_OFFLOAD) !== 0) return '[HW_OFFLOAD] ';
  if ((status & ips.IPS_OFFLOAD) !== 0) return '[OFFLOAD] ';
  return (status & ips.IPS_ASSURED) !== 0 ? '[ASSURED] ' : '';
}

/** `zone=N ` of a flow whose zone is that of both directions, nothing for the default zone. */
export function zoneText(flow: FlowRecord): string {
  return flow.zoneOriginal === flow.zoneReply && flow.zoneOriginal !== 0 ? `zone=${flow.zoneOriginal} ` : '';
}

/** Whether a flow has a timeout to show: the kernel tells none of one that is offloaded. */
export function isTimed({ status }: FlowRecord): boolean {
  return (status & ips.IPS_OFFLOAD) === 0;
}

/** `secctx=NAME `, nothing where there is none. */
export function secctxText({ secctx }: ShownFlow): string {
  return secctx == null ? '' : `secctx=${secctx} `;
}

/**
 * A flow as `conntrack -L` prints it (conntrack-tools 1.4.7), without a newline.
 * @param now the moment of the listing (ms)
 */
export function conntrackLine(flow: ShownFlow, now: number, options: LineOptions = {}): string {
  const start = flow.start;
  return (
    (options.extended ? familyText(flow.family) : '') +
    `${flow.protocol.padEnd(8)} ${flow.protonum} ${isTimed(flow) ? `${secondsLeft(flow.timeout)} ` : ''}` +
    (flow.state === null ? '' : `${flow.state} `) +
    tuplesText(flow, flow.counters) +
    `mark=${flow.mark} ` +
    secctxText(flow) +
    zoneText(flow) +
    (start === null ? '' : `delta-time=${toolDeltaTime(start, now)} `) +
    (start === null || !options.ktimestamp ? '' : `[start=${ctimeText(start)}] `) +
    (flow.helper === null ? '' : `helper=${flow.helper} `) +
    `use=${flow.uses}` +
    (options.id ? ` id=${flow.flowId}` : '')
  );
}
