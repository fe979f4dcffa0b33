import { ipct, reasonOf, reasonText } from '@keepstate/engine';
import type { FlowEvent } from './event-line.ts';
import { flowFields, JSON_VERSION } from './json-flow.ts';

const CHANGES: readonly (readonly [number, string])[] = [
  [ipct.IPCT_NEW, 'new'],
  [ipct.IPCT_RELATED, 'related'],
  [ipct.IPCT_DESTROY, 'destroy'],
  [ipct.IPCT_REPLY, 'reply'],
  [ipct.IPCT_ASSURED, 'assured'],
  [ipct.IPCT_PROTOINFO, 'protoinfo'],
  [ipct.IPCT_HELPER, 'helper'],
  [ipct.IPCT_MARK, 'mark'],
];

/**
 * An event as one line of `events --json`, without a newline.
 * @param stamp its time as text, in seconds since the epoch
 * @param events IPCT_* bits
 * @param reason why the flow left (a reason number), 0 for other events
 */
export function jsonEvent(event: FlowEvent, stamp: string, events: number, reason: number): string {
  const { timeout, ...flow } = flowFields(event.flow);
  const why = reason === 0 ? null : reasonOf(reason);
  const rest = JSON.stringify({
    changes: CHANGES.filter(([bit]) => (events & bit) !== 0).map(([, name]) => name),
    reason: why === null ? null : reasonText(reason, []),
    reasonCode: why === null ? null : reason,
    reasonName: why === null ? null : why.name,
    timeout: why?.name === 'expired' || event.tells?.timeout === false ? null : timeout,
    ...flow,
  });
  // The time goes in as text: nine digits behind ten are more than a double holds.
  return `{"v":${JSON_VERSION},"event":"${event.kind}","time":${stamp},${rest.slice(1)}`;
}
