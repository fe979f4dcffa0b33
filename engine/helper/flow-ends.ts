import { F_DST, F_PORTS, F_SRC, ROW_WORDS } from '../conntrack/flow-table.ts';
import type { HelpCall } from '../conntrack/helper.ts';

/** Of {@link portAt}: the source port. */
export const SOURCE = 0;
/** Of {@link portAt}: the destination port. */
export const DESTINATION = 1;

/** Words of the source address in a direction (0 original, 1 reply) of the call's flow. */
export function sourceOf({ conntrack, flow }: HelpCall, dir: number): readonly number[] {
  return conntrack.addressOf(flow, dir, F_SRC);
}

/** Words of the destination address in a direction of the call's flow. */
export function destinationOf({ conntrack, flow }: HelpCall, dir: number): readonly number[] {
  return conntrack.addressOf(flow, dir, F_DST);
}

/** A port of a direction of the call's flow. @param end SOURCE or DESTINATION */
export function portAt({ conntrack, flow }: HelpCall, dir: number, end: number): number {
  const ports = conntrack.table.words[flow * ROW_WORDS + F_PORTS + dir * 3]!;
  return end === SOURCE ? ports >>> 16 : ports & 0xffff;
}
