import type { Expectation } from './expectation.ts';
import type { Helper } from './helper.ts';
import type { SeqAdjust } from './seq-adjust.ts';

/**
 * What few flows have, beside their row (the kernel's conntrack extensions): a flow that has one has the bit
 * IPS_EXTENDED in its status.
 */
export class FlowExtension {
  /** Reads the flow's payload, null if it has none. */
  helper: Helper | null = null;
  /** What the helper remembers of the flow ({@link Helper.start}). */
  data: unknown = null;
  /** Flows that the helper told of and that have not come yet, oldest first. */
  readonly expectations: Expectation[] = [];
  /** How far sequence numbers are shifted, null if payload never changed its length. */
  seq: SeqAdjust | null = null;
  /** Number of the device whose address the flow is masqueraded with, if it has no room in the row (MASQ_BITS); else 0. */
  masqDevice = 0;
  /** IPCT_* bits: only messages that have one of these are told. */
  events = -1;
  /** IPEXP_* bits: events of what it expects that are told. */
  expectEvents = -1;
  /** connlabels: four words in this machine's byte order, null if it has none. */
  labels: Int32Array | null = null;
  /** What a rule's timeout policy says (ms), by the protocol's own index; null without one. */
  timeouts: Float64Array | null = null;
  /** The name of that policy. */
  policy = '';
}
