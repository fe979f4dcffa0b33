import type { Conntrack } from '../conntrack/conntrack.ts';
import type { NatSetup } from '../conntrack/edit-flows.ts';
import { F_DST, F_SRC } from '../conntrack/flow-table.ts';
import { addressRange, type NatRange, NF_NAT_MANIP_SRC, NF_NAT_RANGE_PROTO_SPECIFIED } from './range.ts';
import { setupNat } from './setup.ts';

/** Translates one end of a new flow as a command asks, or, if it asks nothing of this end, only so far as has to be. */
export function natSetup(ct: Conntrack): NatSetup {
  return (flow, to, manip) => {
    if (to === null) {
      const own = ct.addressOf(flow, 1, manip === NF_NAT_MANIP_SRC ? F_DST : F_SRC);
      setupNat(ct, flow, addressRange(own), manip);
      return;
    }
    const range: NatRange = addressRange(to.address);
    if (to.port !== null) {
      range.flags |= NF_NAT_RANGE_PROTO_SPECIFIED;
      range.minPort = range.maxPort = to.port;
    }
    setupNat(ct, flow, range, manip);
  };
}
