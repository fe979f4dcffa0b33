/** Translation of the flows that a translated SIP flow told of. */

import type { Conntrack } from '../conntrack/conntrack.ts';
import { type Expectation, type ExpectFn, namedExpectFn } from '../conntrack/expectation.ts';
import { F_DST, F_KIND, F_PORTS, F_SRC, ROW_WORDS } from '../conntrack/flow-table.ts';
import { T_DST, T_KIND, T_PORTS } from '../conntrack/tuple.ts';
import {
  addressRange,
  type NatRange,
  NF_NAT_MANIP_DST,
  NF_NAT_MANIP_SRC,
  NF_NAT_RANGE_MAP_IPS,
  NF_NAT_RANGE_PROTO_SPECIFIED,
} from '../nat/range.ts';
import { setupNat } from '../nat/setup.ts';
import { AF_INET } from '../packet/packet.ts';
import { sameAddress } from './payload.ts';

function portRange(address: readonly number[], port: number): NatRange {
  return {
    ...addressRange(address),
    flags: NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED,
    minPort: port,
    maxPort: port,
  };
}

/**
 * The medium of the other end that belongs to a flow: what this flow sends from is where that one goes to, so its
 * source becomes what that one is known as outside.
 */
function pairOf(ct: Conntrack, flow: number, { master }: Expectation): NatRange | null {
  const w = ct.table.words;
  const at = flow * ROW_WORDS;
  const source = ct.addressOf(flow, 0, F_SRC);
  const port = w[at + F_PORTS]! >>> 16;
  const pair = ct
    .extension(master)
    ?.expectations.findLast(
      (e) =>
        e.tuple[T_KIND] === w[at + F_KIND] && e.savedPort === port && sameAddress(e.savedAddress, source),
    );
  if (pair === undefined) return null;
  const word = pair.tuple[T_DST]!;
  const isIpv4 = w[at + F_KIND]! >>> 8 === AF_INET;
  const address = isIpv4 ? [word] : [0, 1, 2, 3].map((i) => ct.pool.word(word, i));
  return portRange(address, pair.tuple[T_PORTS]! & 0xffff);
}

/**
 * What happens to such a flow when it comes: its destination is the one that the helper read; its source, if it is
 * the end that the master talks to, the one that the master's own is translated to.
 */
export function followSip(ct: Conntrack): ExpectFn {
  return namedExpectFn('sip', (flow, expected) => {
    const { master, dir, savedAddress, savedPort } = expected;
    setupNat(ct, flow, portRange(savedAddress, savedPort), NF_NAT_MANIP_DST);
    const pair = expected.class === 0 ? null : pairOf(ct, flow, expected);
    if (pair !== null) setupNat(ct, flow, pair, NF_NAT_MANIP_SRC);
    else if (sameAddress(ct.addressOf(flow, 0, F_SRC), ct.addressOf(master, dir, F_SRC)))
      setupNat(ct, flow, addressRange(ct.addressOf(master, 1 - dir, F_DST)), NF_NAT_MANIP_SRC);
  });
}
