import type { Conntrack } from '../conntrack/conntrack.ts';
import { type ExpectFn, namedExpectFn } from '../conntrack/expectation.ts';
import { F_DST, F_SRC } from '../conntrack/flow-table.ts';
import {
  addressRange,
  NF_NAT_MANIP_DST,
  NF_NAT_MANIP_SRC,
  NF_NAT_RANGE_MAP_IPS,
  NF_NAT_RANGE_PROTO_SPECIFIED,
} from './range.ts';
import { setupNat } from './setup.ts';

/**
 * What happens to a flow that a helper of a translated flow told of (nf_nat_follow_master): its source becomes the
 * address that the master sends to, its destination the one that the master comes from, at the port that the helper
 * read before it chose another.
 */
export function followMaster(ct: Conntrack): ExpectFn {
  return namedExpectFn('nat-follow-master', (flow, { master, dir, savedPort }) => {
    setupNat(ct, flow, addressRange(ct.addressOf(master, 1 - dir, F_DST)), NF_NAT_MANIP_SRC);
    const to = ct.addressOf(master, 1 - dir, F_SRC);
    const range = {
      flags: NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED,
      minAddress: to,
      maxAddress: to,
      minPort: savedPort,
      maxPort: savedPort,
      basePort: 0,
    };
    setupNat(ct, flow, range, NF_NAT_MANIP_DST);
  });
}
