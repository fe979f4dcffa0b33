import { EXPECT_ADDED, EXPECT_BUSY, type ExpectSpec } from '../conntrack/expectation.ts';
import type { HelpCall } from '../conntrack/helper.ts';

/** How often another port is tried (measured: see tests/kernel/dialogue-expect.test.ts). */
const ATTEMPTS = 128;

/**
 * Expects a flow at a port that no other expectation has (nf_nat_exp_find_port): first at the one wanted, then at
 * random ones above it.
 * @param spec its destination port is left aside
 * @param port the port wanted
 * @returns the port that it is expected at, 0 if none was free
 */
export function expectFreePort(call: HelpCall, spec: ExpectSpec, port: number): number {
  const { conntrack } = call;
  const range = 0xffff - port;
  let destinationPort = port;
  for (let left = Math.min(range, ATTEMPTS); ; left--) {
    const verdict = conntrack.expect({ ...spec, destinationPort });
    if (verdict === EXPECT_ADDED) return destinationPort;
    if (verdict !== EXPECT_BUSY || left <= 0) return 0;
    destinationPort = port + conntrack.random.below(range);
  }
}
