import { AF_INET6, type FlowRecord, ips, statusNames } from '@keepstate/engine';
import { secondsLeft } from './tuple-text.ts';

/** Version of every JSON object that is printed; it changes when a field changes its meaning or goes. */
export const JSON_VERSION = 1;

/** The status bits by name, and UNREPLIED while no answer was seen. */
function flowStatus(status: number): string[] {
  const names = statusNames(status);
  return (status & ips.IPS_SEEN_REPLY) === 0 ? [...names, 'UNREPLIED'] : names;
}

/** `ipv4` or `ipv6`. */
export function familyName(family: number): 'ipv4' | 'ipv6' {
  return family === AF_INET6 ? 'ipv6' : 'ipv4';
}

/** The fields of a flow that `flows --json` and `events --json` share; docs/json.md explains them. */
export function flowFields(flow: FlowRecord): Record<string, unknown> {
  const { zoneOriginal, zoneReply } = flow;
  return {
    id: flow.flowId,
    family: familyName(flow.family),
    protocol: flow.protocol,
    protonum: flow.protonum,
    state: flow.state,
    timeout: secondsLeft(flow.timeout),
    original: flow.original,
    reply: flow.reply,
    status: flowStatus(flow.status),
    counters: flow.counters,
    mark: flow.mark,
    zone: zoneOriginal,
    ...(zoneOriginal === zoneReply ? {} : { zoneReply }),
    helper: flow.helper,
    master: flow.master,
    use: flow.uses,
    start: flow.start === null ? null : flow.start / 1000,
  };
}

/**
 * A flow as one line of `flows --json`, without a newline.
 * @param communityId its Community ID, null to leave that out
 */
export function jsonFlow(flow: FlowRecord, communityId: string | null): string {
  return JSON.stringify({
    v: JSON_VERSION,
    ...flowFields(flow),
    ...(communityId === null ? {} : { community_id: communityId }),
  });
}
