import { R_NAT_GONE } from '../base/reason.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import { F_DST, F_EVENTS, MASQ_BITS, MASQ_SHIFT, ROW_WORDS } from '../conntrack/flow-table.ts';

/** The largest number of a device that a row has room for. */
const MOST: number = MASQ_BITS >> MASQ_SHIFT;

/** Notes that a flow is masqueraded with an address of a device. */
export function setMasqDevice(ct: Conntrack, flow: number, device: number): void {
  if (device <= MOST) ct.table.words[flow * ROW_WORDS + F_EVENTS]! |= device << MASQ_SHIFT;
  else ct.extend(flow).masqDevice = device;
}

/** The device whose address a flow is masqueraded with, 0 if it is not. */
export function masqDeviceOf(ct: Conntrack, flow: number): number {
  const device = (ct.table.words[flow * ROW_WORDS + F_EVENTS]! & MASQ_BITS) >> MASQ_SHIFT;
  return device !== 0 ? device : (ct.extension(flow)?.masqDevice ?? 0);
}

/**
 * Removes the flows that are masqueraded with what is gone: Linux does so when a device goes down, or loses the address
 * (measured; flows of `snat` stay, and so do those of the device's other addresses).
 * @param device number of the device; 0 for whichever, where flows leave by other devices than have the address
 * @param address the address that it lost, one word or four; null if the device went down
 * @returns how many
 */
export function forgetMasqueraded(ct: Conntrack, device: number, address: readonly number[] | null): number {
  let count = 0;
  ct.eachFlow((flow) => {
    const own = masqDeviceOf(ct, flow);
    if (own === 0 || (device !== 0 && own !== device)) return;
    if (address !== null && !isSame(ct.addressOf(flow, 1, F_DST), address)) return;
    ct.evict(flow, R_NAT_GONE);
    count++;
  });
  return count;
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((word, i) => (word | 0) === (b[i]! | 0));
}
