import type { Conntrack } from '@keepstate/engine';

/** How long one slice of a long work may take before packets have their turn (ms). */
const SLICE_MS = 2;

/** Rows looked at between two looks at the clock. */
const STRIDE = 64;

/** Lets everything else that waits have its turn: packets, timers, sockets. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Visits every flow of a table that packets go on changing. A flow that comes or goes meanwhile may be visited or not.
 * @param visit may remove the flow it is given
 * @param goesOn asked between slices; false ends it
 * @returns when all rows were looked at
 */
export async function eachFlowInSlices(
  conntrack: Conntrack,
  visit: (row: number) => void,
  goesOn: () => boolean = () => true,
): Promise<void> {
  let since = performance.now();
  for (let row = 1; row < conntrack.table.limit; row++) {
    if (conntrack.isInTable(row)) visit(row);
    if (row % STRIDE !== 0 || performance.now() - since < SLICE_MS) continue;
    await turn();
    if (!goesOn()) return;
    since = performance.now();
  }
}
