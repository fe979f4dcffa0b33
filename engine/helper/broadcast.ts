import { EXPECT_PERMANENT } from '../conntrack/expectation.ts';
import type { ExpectPolicy, HelpCall } from '../conntrack/helper.ts';
import { AF_INET } from '../packet/packet.ts';
import { IPPROTO_UDP } from '../packet/protocols.ts';
import { DESTINATION, destinationOf, portAt, sourceOf } from './flow-ends.ts';

/** A full mask of an address. */
const HOST_MASK = 0xffffffff | 0;

/**
 * This host asks all hosts of a network; each may answer (nf_conntrack_broadcast_help). Measured: only packets of the
 * host's own, to the broadcast address of an address of the device that they leave by; the flow that asks is kept no
 * longer than answers are waited for.
 * @param port the answers come from
 */
export function expectAnswers(call: HelpCall, port: number, { timeout }: ExpectPolicy): void {
  const { conntrack, pkt, dir, flow } = call;
  if (dir !== 0 || pkt.ifin !== 0 || conntrack.broadcastMask === null) return;
  const broadcast = pkt.view.getInt32(pkt.off + 16);
  const mask = conntrack.broadcastMask(pkt.ifout, broadcast) | 0;
  if (mask === 0 || mask === HOST_MASK) return;
  conntrack.expect({
    master: flow,
    family: AF_INET,
    proto: IPPROTO_UDP,
    source: sourceOf(call, 1),
    sourceMask: [mask],
    destination: destinationOf(call, 1),
    sourcePort: port,
    destinationPort: portAt(call, 1, DESTINATION),
    flags: EXPECT_PERMANENT,
  });
  conntrack.prolong(flow, timeout);
}
