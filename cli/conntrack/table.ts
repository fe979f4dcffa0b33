import type { ExpectRecord, FlowRecord, TupleRecord } from '@keepstate/engine';
import type { Errno } from './words.ts';

/** The longest timeout (ms): 2^31 - 1 of the kernel's jiffies of 4 ms. Measured: -t 4294967295 shows as 8589934. */
export const TIMEOUT_MOST: number = (2 ** 31 - 1) * 4;

/** A flow of a table with what the engine's record leaves out. */
export interface Entry extends FlowRecord {
  /** Bits of its connlabel, in order. */
  readonly labels: readonly number[];
  /** SCTP's verification tags where they are known. */
  readonly vtags: { readonly original: number; readonly reply: number } | null;
  /** Security context (SELinux's), of the kernel's flows. */
  readonly secctx?: string | null;
  /** When it began and, of one that is gone, ended: nanoseconds since the epoch, where the table has them. */
  readonly stamps?: { readonly start: bigint; readonly stop: bigint | null };
}

/** A translation asked for with a new flow: the port is null where none was. */
export interface NatTo {
  readonly address: string;
  readonly port: number | null;
}

/** A flow to be made, as far as the command says: the table fills in the rest or refuses it. */
export interface NewEntry {
  readonly family: number;
  readonly protonum: number;
  /** Null if only the other direction is given: it is turned around. */
  readonly original: TupleRecord | null;
  readonly reply: TupleRecord | null;
  /** Seconds. */
  readonly timeout: number;
  /** IPS_* bits asked for. */
  readonly status: number;
  readonly mark: number;
  readonly zone: number | null;
  readonly zoneOriginal: number | null;
  readonly zoneReply: number | null;
  /** Number of the protocol's state. */
  readonly state: number | null;
  readonly vtags: Entry['vtags'];
  readonly labels: readonly number[];
  readonly srcNat: NatTo | null;
  readonly dstNat: NatTo | null;
  /** Whether an address of the reply is that of a translation, since none was given for itself. */
  readonly fromNat?: { readonly src: boolean; readonly dst: boolean };
}

/** What is to change in a flow; what is left out stays. */
export interface Change {
  /** Seconds. */
  readonly timeout?: number;
  /** IPS_* bits to set besides those that are. */
  readonly status?: number;
  readonly mark?: number;
  readonly state?: number;
  readonly labels?: readonly number[];
  readonly vtags?: { readonly original: number | null; readonly reply: number | null };
}

/** An expectation to be made. */
export interface NewExpectation {
  readonly family: number;
  readonly protonum: number;
  readonly tuple: TupleRecord;
  readonly mask: TupleRecord;
  /** Original tuple of the flow that it belongs to. */
  readonly master: TupleRecord;
  /** Seconds. */
  readonly timeout: number;
}

/** What one CPU counted: names as `conntrack -S` has them. */
export interface CpuStats {
  readonly cpu: number;
  readonly counts: readonly (readonly [name: string, count: number])[];
}

/** Counts of /proc/net/stat/nf_conntrack that a table of its own can have. */
export interface TableStats {
  insert: number;
  expectNew: number;
  expectCreate: number;
  expectDelete: number;
  /** Of a table that counts on each CPU: all that it counts, of flows and of expectations. */
  cpus?: { readonly flows: readonly CpuStats[]; readonly expectations: readonly CpuStats[] };
}

/** What a listing is about. A table may leave out what does not fit, and need not: whoever asks looks at each. */
export interface Wanted {
  readonly family: number | null;
  readonly mark: { readonly value: number; readonly mask: number } | null;
  readonly status: { readonly value: number; readonly mask: number } | null;
}

/** At once, or when whoever holds the table has answered. */
export type Awaitable<T> = T | Promise<T>;

/**
 * Where the command looks: a table in memory or a file, one of a running keepstate or of the kernel. Records are
 * copies as of the call.
 */
export interface ConntrackTable {
  /** The moment that the records are of (ms since the epoch). */
  readonly now: number;
  /** Whether it may be changed; null, or why not in a sentence. */
  readonly readOnly: string | null;
  /**
   * The flows, in any order, to be gone through once: a large table may read them meanwhile. `dying` and `unconfirmed`
   * are empty where a table has none such.
   */
  list(which: 'conntrack' | 'dying' | 'unconfirmed', wanted?: Wanted): Awaitable<Iterable<Entry>>;
  /** The flows, and each one's counters are 0 from when it is read: where a table can do both at once. */
  listAndZero?(wanted: Wanted): Awaitable<Iterable<Entry>>;
  /** The flow that has a tuple in either direction, in the default zone. */
  get(family: number, protonum: number, tuple: TupleRecord): Awaitable<Entry | null>;
  /** Makes a flow. @returns the error, null if it is there now */
  create(flow: NewEntry): Awaitable<Errno | null>;
  /**
   * Changes a flow that {@link list} or {@link get} gave.
   * @returns the flow as it is then, null if it is gone by that (a timeout of 0), or the error
   */
  update(flow: Entry, change: Change): Awaitable<Entry | Errno | null>;
  delete(flow: Entry): Awaitable<void>;
  flush(): Awaitable<void>;
  /** Sets every flow's counters to 0. */
  zero(): Awaitable<void>;
  /** How many flows there are. */
  count(): Awaitable<number>;
  expectations(): Awaitable<readonly ExpectRecord[]>;
  /** The expectation that a flow of this original tuple fulfils, where a table has a way of its own to find it. */
  getExpectation?(family: number, protonum: number, tuple: TupleRecord): Awaitable<ExpectRecord | null>;
  createExpectation(expectation: NewExpectation): Awaitable<Errno | null>;
  deleteExpectation(expectation: ExpectRecord): Awaitable<void>;
  flushExpectations(): Awaitable<void>;
  stats(): Awaitable<TableStats>;
  /** Keeps what was changed. @throws Failure if that fails */
  close(): Awaitable<void>;
}
