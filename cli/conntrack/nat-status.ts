import { type FlowRecord, ips, type TupleRecord } from '@keepstate/engine';
import { portWords } from './tuple.ts';

/** What of a flow is translated, as conntrack(8) finds out. */
export interface Translated {
  /** Source or destination address. */
  readonly src: boolean;
  readonly dst: boolean;
  /** Source or destination port. */
  readonly srcPort: boolean;
  readonly dstPort: boolean;
}

/**
 * Compares both tuples of a flow that went through translation. (The command compares the words behind the addresses
 * whatever they are, so that an ICMP flow which went through it seems to have its ports translated: measured.)
 */
export function translated(flow: FlowRecord): Translated {
  const { original, reply, status } = flow;
  const [osrc, odst] = portWords(original);
  const [rsrc, rdst] = portWords(reply);
  const source = (status & ips.IPS_SRC_NAT_DONE) !== 0;
  const destination = (status & ips.IPS_DST_NAT_DONE) !== 0;
  return {
    src: source && reply.dst !== original.src,
    dst: destination && reply.src !== original.dst,
    srcPort: source && rdst !== osrc,
    dstPort: destination && rsrc !== odst,
  };
}

/** The status bits of translation that two tuples suggest, for dumps, which do not show them. */
export function suggestedNat(original: TupleRecord, reply: TupleRecord): number {
  const icmp = original.type !== undefined;
  const [osrc, odst] = portWords(original);
  const [rsrc, rdst] = portWords(reply);
  const source = reply.dst !== original.src || (!icmp && rdst !== osrc);
  const destination = reply.src !== original.dst || (!icmp && rsrc !== odst);
  return (
    (source ? ips.IPS_SRC_NAT | ips.IPS_SRC_NAT_DONE : 0) |
    (destination ? ips.IPS_DST_NAT | ips.IPS_DST_NAT_DONE : 0)
  );
}
