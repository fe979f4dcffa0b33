/** A call that is passed on to somebody else: Facility with the reason callForwarded (H.225.0 7.3.8). */
import type { Conntrack } from '../conntrack/conntrack.ts';
import { EXPECT_ADDED, type ExpectFn, type ExpectSpec, namedExpectFn } from '../conntrack/expectation.ts';
import { F_SRC } from '../conntrack/flow-table.ts';
import type { HelpCall, Helper } from '../conntrack/helper.ts';
import { expectFreePort } from '../nat/expect-port.ts';
import {
  addressRange,
  NF_NAT_MANIP_DST,
  NF_NAT_MANIP_SRC,
  NF_NAT_RANGE_MAP_IPS,
  NF_NAT_RANGE_PROTO_SPECIFIED,
} from '../nat/range.ts';
import { setupNat } from '../nat/setup.ts';
import { IPPROTO_TCP } from '../packet/protocols.ts';
import { sourceOf } from './flow-ends.ts';
import { type H323Address, writeAddress } from './h323-address.ts';
import { isHidden, shownAddress } from './h323-expect.ts';
import { sameAddress } from './payload.ts';

/**
 * The other end will call the address it was given. Nothing is expected if it is on the same side as that address:
 * Linux asks its routes whether both are reached through the same neighbour (the module's option callforward_filter).
 * Helpers know no routes here, so that this holds for the caller's own address alone, as it does without gateways.
 * @returns false if the packet must be dropped
 */
export function expectForward(call: HelpCall, address: H323Address, helper: Helper): boolean {
  const { conntrack, dir, flow, pkt } = call;
  const source = sourceOf(call, 1 - dir);
  if (sameAddress(address.words, source)) return true;
  const spec: ExpectSpec = {
    master: flow,
    family: pkt.family,
    proto: IPPROTO_TCP,
    source,
    destination: address.words,
    sourcePort: null,
    destinationPort: address.port,
    helper,
  };
  if (!isHidden(call)) return conntrack.expect(spec) === EXPECT_ADDED;
  const nat: Partial<ExpectSpec> = {
    destination: shownAddress(call),
    onMatch: forwardTo(conntrack),
    dir: 1 - dir,
    savedAddress: address.words,
    savedPort: address.port,
  };
  const free = expectFreePort(call, { ...spec, ...nat }, address.port);
  if (free !== 0) writeAddress(call, address, shownAddress(call), free);
  return true;
}

/** The forwarded call keeps its source and goes on to where it was forwarded to. */
export function forwardTo(ct: Conntrack): ExpectFn {
  return namedExpectFn('callforwarding', (flow, { dir, savedAddress, savedPort }) => {
    setupNat(ct, flow, addressRange(ct.addressOf(flow, 1 - dir, F_SRC)), NF_NAT_MANIP_SRC);
    const range = {
      flags: NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED,
      minAddress: savedAddress,
      maxAddress: savedAddress,
      minPort: savedPort,
      maxPort: savedPort,
      basePort: 0,
    };
    setupNat(ct, flow, range, NF_NAT_MANIP_DST);
  });
}
