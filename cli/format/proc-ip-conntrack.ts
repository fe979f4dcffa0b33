import type { FlowRecord } from '@keepstate/engine';
import { type GreTimeouts, procBody } from './proc-nf-conntrack.ts';
import { deltaTime } from './tuple-text.ts';

/**
 * A flow as a line of the classic /proc/net/ip_conntrack, without a newline: no network layer in front, no zone.
 * Linux 2.4 had no mark either (the notes on 2.4.17 list the fields, the last is the use count); later kernels
 * that still had the file printed it.
 * @param now the moment of the listing (ms)
 * @param marks whether to print the mark
 */
export function procIpConntrack(flow: FlowRecord, now: number, gre: GreTimeouts, marks: boolean): string {
  return (
    procBody({ ...flow, zoneOriginal: 0, zoneReply: 0 }, gre) +
    (marks ? `mark=${flow.mark} ` : '') +
    (flow.start === null ? '' : `delta-time=${deltaTime(flow.start, now)} `) +
    `use=${flow.uses}`
  );
}
