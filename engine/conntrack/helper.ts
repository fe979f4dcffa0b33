import type { Packet } from '../packet/packet.ts';
import type { Conntrack } from './conntrack.ts';
import type { ExpectFnMaker } from './expectation.ts';
import type { FlowExtension } from './extension.ts';

/** {@link Helper.help}: the packet goes on. */
export const HELP_ACCEPT = 1;
/** {@link Helper.help}: the packet is dropped (NF_DROP). */
export const HELP_DROP = 0;

/** How many flows of a kind a helper may expect of one flow, and for how long (nf_conntrack_expect_policy). */
export interface ExpectPolicy {
  /** Name of the class: `ftp`, `sip-signalling` … */
  readonly name: string;
  /** At most this many at a time for one master; the oldest goes first. 0 for no limit. */
  readonly maxExpected: number;
  /** How long one is waited for (ms). */
  readonly timeout: number;
}

/** One packet of a flow that has a helper, at the end of its way (NF_IP_PRI_CONNTRACK_CONFIRM). Used again for each. */
export interface HelpCall {
  /** The table: `conntrack.expect(spec)` tells it of a flow to come. */
  readonly conntrack: Conntrack;
  /** As it leaves: addresses and ports are translated already. A helper that changes its payload uses nat/mangle.ts. */
  readonly pkt: Packet;
  /** The packet's flow: its row. */
  readonly flow: number;
  /** 0 original, 1 reply. */
  readonly dir: number;
  /** What the flow has beside its row; `ext.data` is what {@link Helper.start} made. */
  readonly ext: FlowExtension;
  /** Whether the checksum of the segment was made anew; set by nat/mangle.ts. */
  isSummed: boolean;
}

/**
 * Reads the payload of one application protocol and tells conntrack which flows to expect. Each is one file of
 * `helper/`; users write their own (docs/helpers.md).
 */
export interface Helper {
  /** As rules and conntrack(8) name it. */
  readonly name: string;
  /** IPPROTO_* of the flows it reads. */
  readonly proto: number;
  /** AF_* of the flows it reads. */
  readonly families: readonly number[];
  /** Destination ports that get it by themselves, where nf_conntrack_helper is on. */
  readonly ports: readonly number[];
  /** Classes of expectations; {@link Expectation.class} is an index. */
  readonly policies: readonly ExpectPolicy[];
  /** Makes what it remembers of a flow; left out if nothing. */
  start?(): unknown;
  /**
   * Reads a packet. Hostile payload must not make it throw.
   * @returns HELP_ACCEPT or HELP_DROP, with a reason in the packet
   */
  help(call: HelpCall): number;
  /** The flow is gone: forgets what it holds because of it elsewhere. May be called twice. @param data of {@link start} */
  end?(data: unknown): void;
  /** A flow that came because of it is gone, or never got into the table. @param data of {@link start}, of its master */
  childGone?(data: unknown): void;
  /** What a snapshot keeps of that data, as JSON has it; left out, a restored flow begins with {@link start} anew. */
  save?(data: unknown): unknown;
  /** The data that {@link save} gave this for. Changes nothing else. @returns undefined if it gave no such thing */
  restore?(saved: unknown): unknown;
  /** A restored flow is in the table: the helper notes elsewhere what it holds because of it. */
  resume?(ct: Conntrack, data: unknown): void;
  /** Functions of expectations ({@link ExpectFn}) by the names that they have in snapshots, beside keepstate's own. */
  readonly expectFns?: ReadonlyMap<string, ExpectFnMaker>;
}

/** {@link Template} of a packet of which a rule said only its zone. */
export const BARE_TEMPLATE: Template = {
  helper: null,
  timeouts: null,
  policy: '',
  events: -1,
  expectEvents: -1,
};

/** What a rule said of a packet before it is tracked: a flow that it opens begins with it (`-j CT`). */
export interface Template {
  readonly helper: Helper | null;
  /** Timeout policy (ms) and its name. */
  readonly timeouts: Float64Array | null;
  readonly policy: string;
  /** IPCT_* bits of the events that its flow is told of, -1 for all; a message with others comes if one of them is in it. */
  readonly events: number;
  /** IPEXP_* bits of the events of what its flow expects that are told, -1 for all. */
  readonly expectEvents: number;
}
