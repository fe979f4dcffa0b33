import type { ExpectRecord, Stats, TupleRecord } from '@keepstate/engine';
import type { Change, Entry, NewEntry, NewExpectation, TableStats } from '../conntrack/table.ts';
import type { Errno } from '../conntrack/words.ts';
import type { EventKind } from '../format/event-line.ts';

/**
 * The protocol of the control socket: lines of JSON in UTF-8, both ways.
 *
 * A client asks `{"id":1,"op":"get",…}` with arguments of {@link Ops} beside. The answer is one of
 * - `{"id":1,"ok":…}`
 * - `{"id":1,"error":"a sentence"}`
 * - of an op of {@link Lists} any number of `{"id":1,"items":[…]}`, then `{"id":1,"end":true}`.
 *
 * Answers come in the order of questions, but for lists, which go out in slices so that packets do not wait for them;
 * what is asked meanwhile is answered in between.
 *
 * After the op `events` there are lines without an id: `{"event":{…}}` ({@link FlowNews}), `{"expect":{…}}`
 * ({@link ExpectNews}), and `{"lost":N}` where a client read so slowly that so many of them were left out.
 *
 * A line that is no such request gets `{"id":null,"error":…}`, and the connection ends.
 */
export const PROTOCOL_VERSION = 1;

/** Longest line that a server takes (bytes). Its own lines may be longer: see {@link SLICE}. */
export const LINE_MOST: number = 64 * 1024;
/** Longest line that a client takes (bytes): what `metrics` and `reload` answer is bounded, a slice is, too. */
export const ANSWER_MOST: number = 16 * 1024 * 1024;
/** How many clients there may be at once. */
export const CLIENTS_MOST = 2048;
/** How many questions of one client may wait for their answers. */
export const WAITING_MOST = 64;
/** Records of one line of a list: about a millisecond of work. */
export const SLICE = 64;

/** What a table is asked for. */
export type TableName = 'conntrack' | 'dying' | 'unconfirmed';

/** Who answers. */
export interface Hello {
  readonly protocol: number;
  /** Of keepstate. */
  readonly version: string;
  readonly pid: number;
  /** How packets come. */
  readonly mode: string;
  /** When it was started, and what time it is (ms since the epoch). */
  readonly started: number;
  readonly now: number;
}

/** Flows by protocol and state; the state is '' where the protocol has none: `{"tcp":{"ESTABLISHED":3},"udp":{"":2}}`. */
export type States = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** How it goes: all numbers since the start, but for `flows`, `expectations` and `max`. */
export interface Status extends Hello {
  /** Flows and expectations that there are. */
  readonly flows: number;
  readonly expectations: number;
  /** Most flows that there may be (nf_conntrack_max), 0 for no limit. */
  readonly max: number;
  /** As of at most a second ago. */
  readonly states: States;
  /** Packets by what became of them: accept, drop, stolen, queue, unknown. */
  readonly verdicts: Readonly<Record<string, number>>;
  /** Packets by ct state: NEW, ESTABLISHED, RELATED, INVALID, UNTRACKED, NONE. */
  readonly ctStates: Readonly<Record<string, number>>;
  /** IP bytes of packets that were accepted, and of all others. */
  readonly bytes: { readonly accepted: number; readonly dropped: number };
  readonly stats: ControlStats;
  readonly drivers: readonly DriverStatus[];
  readonly rules: RulesStatus;
}

/** What is counted of the table. */
export type ControlStats = TableStats & Stats;

/** A way in which packets come. */
export interface DriverStatus {
  readonly mode: string;
  /** As the command line has it: `eth0,eth1`. */
  readonly name: string;
  readonly received: number;
  readonly sent: number;
  readonly lost: number;
  readonly unsent: number;
}

/** The rules that run. */
export interface RulesStatus {
  readonly files: readonly string[];
  readonly tables: number;
  readonly chains: number;
  readonly rules: number;
  /** When they were loaded (ms since the epoch). */
  readonly loaded: number;
  /** What was wrong with those that were to take their place last, null if nothing was. */
  readonly error: string | null;
}

/** What came of a reload. */
export interface ReloadReport {
  /** Whether the new rules run. */
  readonly ok: boolean;
  /** What is wrong with them, each with file, line, column and caret. */
  readonly errors: readonly string[];
  readonly tables: number;
  readonly chains: number;
  readonly rules: number;
  /** Milliseconds that reading and taking over the rules took, in which packets waited. */
  readonly took: number;
  /** Flows that were looked at: all of the table, unless other rules came before they were. */
  readonly flows: number;
  readonly complete: boolean;
  /** Flows that the new rules would not accept now, had they not begun before. */
  readonly refused: number;
  /** By what would refuse them, most first. */
  readonly refusedBy: readonly { readonly by: string; readonly flows: number }[];
  /** The first of them as `conntrack -L` shows them. */
  readonly lines: readonly string[];
}

/** A sysctl as the running instance has it. */
export interface SysctlValue {
  /** Its kernel name in full: `net.netfilter.nf_conntrack_max`. */
  readonly name: string;
  readonly value: number;
}

/** What a client that follows events wants to know. */
export interface EventWish {
  /** Of flows; all of them if left out, none if empty. */
  readonly kinds?: readonly EventKind[];
  /** Of expectations, too; no if left out. */
  readonly expect?: boolean;
}

/** Something happened to a flow. */
export interface FlowNews {
  readonly kind: EventKind;
  /** When (ms since the epoch, with fractions). */
  readonly time: number;
  /** IPCT_* bits. */
  readonly events: number;
  /** Why it left the table: a number of docs/reasons.md, 0 for other events. */
  readonly reason: number;
  /** The flow as it was then. */
  readonly flow: Entry;
}

/** Something is expected, or no longer. */
export interface ExpectNews {
  readonly kind: 'NEW' | 'DESTROY';
  readonly time: number;
  readonly expectation: ExpectRecord;
}

/** No arguments. */
export type Nothing = Record<never, never>;

/** Every op that has one answer: what goes in and what comes out. */
export interface Ops {
  /** The first over TCP, with the token; over a Unix socket it may be left out. */
  hello: { in: { readonly token?: string }; out: Hello };
  status: { in: Nothing; out: Status };
  /** As {@link ConntrackTable.get} and so on. */
  get: {
    in: { readonly family: number; readonly protonum: number; readonly tuple: TupleRecord };
    out: Entry | null;
  };
  create: { in: { readonly flow: NewEntry }; out: Errno | null };
  update: { in: { readonly flow: Entry; readonly change: Change }; out: Entry | Errno };
  delete: { in: { readonly flow: Entry }; out: null };
  flush: { in: Nothing; out: null };
  zero: { in: Nothing; out: null };
  count: { in: Nothing; out: number };
  'create-expectation': { in: { readonly expectation: NewExpectation }; out: Errno | null };
  'delete-expectation': { in: { readonly expectation: ExpectRecord }; out: null };
  'flush-expectations': { in: Nothing; out: null };
  stats: { in: Nothing; out: ControlStats };
  /** From now on {@link FlowNews} and {@link ExpectNews}; a second time changes the wish. */
  events: { in: EventWish; out: null };
  /** Reads the rules anew, as SIGHUP does. */
  reload: { in: Nothing; out: ReloadReport };
  /** All sysctls without a name. */
  'sysctl-get': { in: { readonly name?: string }; out: readonly SysctlValue[] };
  'sysctl-set': { in: { readonly name: string; readonly value: string | number }; out: SysctlValue };
  /** The page that /metrics has. */
  metrics: { in: Nothing; out: string };
  /** Saves the state as it does at the end, now. */
  save: { in: Nothing; out: null };
  /** Ends it as SIGTERM does. */
  stop: { in: Nothing; out: null };
}

/** Every op that has a list for an answer: what goes in and what each item is. */
export interface Lists {
  /** With `zero` each flow's counters are 0 from when it is read. */
  list: { in: { readonly table?: TableName; readonly zero?: boolean }; item: Entry };
  expectations: { in: Nothing; item: ExpectRecord };
}

/** A request as it was read: the op is any word, arguments are anything. */
export interface Request {
  readonly id: number;
  readonly op: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** Reads a line of a client. @returns null if it is no request */
export function parseRequest(line: string): Request | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const { id, op, ...args } = value as Record<string, unknown>;
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || typeof op !== 'string') return null;
  return { id, op, args };
}
