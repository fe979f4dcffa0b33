import { R_NAT_GONE } from '../base/reason.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import { F_DST } from '../conntrack/flow-table.ts';

/**
 * Removes the flows that are masqueraded with what is gone: Linux does so when a device goes down, or loses the address
 * (measured; flows of `snat` stay, and so do those of the device's other addresses).
 * @param device number of the device
 * @param address the address that it lost, one word or four; null if the device went down
 * @returns how many
 */
export function forgetMasqueraded(ct: Conntrack, device: number, address: readonly number[] | null): number {
  let count = 0;
  ct.eachFlow((flow) => {
    if (ct.extension(flow)?.masqDevice !== device) return;
    if (address !== null && !isSame(ct.addressOf(flow, 1, F_DST), address)) return;
    ct.evict(flow, R_NAT_GONE);
    count++;
  });
  return count;
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((word, i) => (word | 0) === (b[i]! | 0));
}
