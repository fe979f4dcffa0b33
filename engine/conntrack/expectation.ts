import type { Conntrack } from './conntrack.ts';
import type { Helper } from './helper.ts';
import type { Tuple } from './tuple.ts';

/** NF_CT_EXPECT_PERMANENT: stays when a flow has come. */
export const EXPECT_PERMANENT = 1;
/** NF_CT_EXPECT_INACTIVE: matches nothing yet. */
export const EXPECT_INACTIVE = 2;
/** NF_CT_EXPECT_USERSPACE: conntrack(8) made it. */
export const EXPECT_USERSPACE = 4;

/** What is done with an expected flow when it comes, before any rule sees it (the kernel's expectfn). */
export interface ExpectFn {
  /** @param flow not in the table yet */
  (flow: number, expected: Expectation): void;
  /** The name by which a snapshot keeps it; an expectation whose function has none is in no snapshot. */
  readonly fnName?: string;
}

/** Makes an {@link ExpectFn} anew for what a flow expects. @param master its row */
export type ExpectFnMaker = (ct: Conntrack, master: number) => ExpectFn;

/** Gives a function the name by which snapshots keep it. */
export function namedExpectFn(fnName: string, fn: ExpectFn): ExpectFn {
  return Object.assign((flow: number, expected: Expectation) => fn(flow, expected), { fnName });
}

/** A flow that is expected. Made by helpers with {@link expectation}. */
export interface Expectation {
  /** The flow that told of it: its row. */
  readonly master: number;
  /** Of the original direction: T_SRC … T_ZONE. IPv6 addresses are handles that the table holds. */
  readonly tuple: Tuple;
  /** Which bits of the source address must be equal: one word for IPv4, four for IPv6. The destination always must. */
  readonly sourceMask: readonly number[];
  /** Which bits of the source port (or of its like, the upper half of T_PORTS) must be equal; of the rest all must. */
  readonly portMask: number;
  /** Index of the helper's policies. */
  readonly class: number;
  /** EXPECT_*. */
  flags: number;
  /** Helper of the flow that comes, null for none. */
  readonly helper: Helper | null;
  /** When it is given up (ms). */
  expires: number;
  /** The id that users see. */
  id: number;
  /** Called when its flow comes: translation of expected flows. */
  onMatch: ExpectFn | null;
  /** Direction of the master in which the expected flow goes on; 0 unless translated. */
  dir: number;
  /** Port (upper half of a port word) before a helper chose another for translation. */
  savedPort: number;
  /** Destination before that: one word or four; empty for none. */
  savedAddress: readonly number[];
}

/** What a helper says of a flow to come. Addresses are one word (IPv4) or four (IPv6), in network order. */
export interface ExpectSpec {
  /** The flow that tells of it. */
  readonly master: number;
  /** Index of the helper's policies; 0 if left out. */
  readonly class?: number;
  /** AF_INET or AF_INET6. */
  readonly family: number;
  /** IPPROTO_*. */
  readonly proto: number;
  /** Who will open it; null for anybody. */
  readonly source: readonly number[] | null;
  /** Which bits of `source` count, as {@link Expectation.sourceMask}; all if left out. */
  readonly sourceMask?: readonly number[];
  /** Where it will go, as it stands in its first packet. */
  readonly destination: readonly number[];
  /** Null for any. */
  readonly sourcePort: number | null;
  /** Port that it will go to. */
  readonly destinationPort: number;
  /** How long it is waited for (ms), where the master has no helper that says so. */
  readonly timeout?: number;
  /** Helper of the flow that comes. */
  readonly helper?: Helper | null;
  /** EXPECT_*. */
  readonly flags?: number;
  /** What is done with the flow when it comes: `followMaster(conntrack)` translates it as the master is. */
  readonly onMatch?: Expectation['onMatch'];
  /** Direction of the master in which the flow goes on, for translation: 1 if it comes from the server's side. */
  readonly dir?: number;
  /** Port that the payload named, before another was chosen: where a translated flow goes. */
  readonly savedPort?: number;
  /** As {@link Expectation.savedAddress}, for functions of `onMatch` that mind it; `followMaster` does not. */
  readonly savedAddress?: readonly number[];
  /** Whether the same expectation of another master gives way too (NF_CT_EXP_F_SKIP_MASTER). */
  readonly skipsMaster?: boolean;
}

/** {@link RelatedFlows.expect}: it is expected. */
export const EXPECT_ADDED = 0;
/** Another expectation is in the way (EBUSY). */
export const EXPECT_BUSY = 1;
/** The helper's or the table's limit is reached (EMFILE, ENFILE). */
export const EXPECT_FULL = 2;
/** The same is expected by another class or master (EALREADY). */
export const EXPECT_ALREADY = 3;
