/**
 * The layout of a saved table. All numbers are little-endian.
 *
 * ```
 * bytes 0..15   "keepstate table\n"
 * 16..19        version
 * then sections: type u32, length u32, payload, CRC-32 of these three
 *   HEAD     once, first: JSON {@link SnapshotHead}
 *   FLOWS    as many as need be: u32 number of the first record, u32 how many, then the records, see RECORD_*
 *   STATES   pairs of u32: a record's number, and what became of it while the rest was written (STATE_*)
 *   EXPECT   JSON: a list of {@link SavedExpectation}
 *   END      once, last: JSON {@link SnapshotEnd}, with the CRC-32 of all sections' CRCs
 * ```
 *
 * JSON is ASCII alone: whatever else is in a string is escaped.
 */

/** The first bytes. */
export const MAGIC = 'keepstate table\n';
/** Version of the layout: changes when older ones can no longer be read. */
export const SNAPSHOT_VERSION = 1;
/** Bytes before the first section. */
export const PRELUDE: number = MAGIC.length + 4;
/** Bytes of a section around its payload. */
export const FRAME = 12;

/** Types of sections. */
export const SECTION_HEAD = 1;
/** Records of flows. */
export const SECTION_FLOWS = 2;
/** What became of flows while the snapshot was taken. */
export const SECTION_STATES = 3;
/** Expectations. */
export const SECTION_EXPECT = 4;
/** The last. */
export const SECTION_END = 5;
/** What people read of a section's type. */
export const SECTION_NAMES: readonly string[] = ['', 'head', 'flows', 'states', 'expectations', 'end'];

/** Flags of a record, its first word: what follows its fixed part, in this order. */
export const RECORD_COUNTERS = 1;
/** A start time. */
export const RECORD_START = 2;
/** The number of its master's record. */
export const RECORD_MASTER = 4;
/** JSON of {@link SavedExtension}, behind its length (u32). */
export const RECORD_EXTENSION = 8;
/** It is gone from the table; only flows whose master it is refer to it. */
export const RECORD_DYING = 16;
/** All flags that there are. */
export const RECORD_FLAGS = 31;

/** The flow left the table: it is not to be restored. */
export const STATE_GONE = 0;
/** It left the table, but is the master of others. */
export const STATE_DYING = 1;

/** Words of a record from its flags on to its ports. Behind them four addresses, the timer (f64), the protocol's words. */
export const RECORD_WORDS = 9;
/** Words of the protocol's state. */
export const PROTO_WORDS = 14;

/** What the first section says. */
export interface SnapshotHead {
  /** When it was begun (ms). */
  readonly time: number;
  /** Name of the profile whose trackers wrote the protocols' words. */
  readonly profile: string;
  /** Sysctls by name, as they were. They are for whoever restores to use; restoring changes none. */
  readonly settings: Readonly<Record<string, number>>;
  /** Whatever the caller gave: names of devices by number, versions … */
  readonly meta: unknown;
}

/** What the last section says. */
export interface SnapshotEnd {
  /** The moment (ms) that the snapshot is of: exactly the flows that were there then are in it. */
  readonly time: number;
  /** Records in all, with those that are gone. */
  readonly records: number;
  /** Flows in the table. */
  readonly flows: number;
  readonly expectations: number;
  /** Id of the next flow and of the next expectation. */
  readonly nextId: number;
  readonly nextExpectId: number;
  /** Where the random numbers stand. */
  readonly random: number;
  /** CRC-32 of the CRCs of all sections before. */
  readonly check: number;
}

/** What a flow has beside its row. */
export interface SavedExtension {
  /** Name, protocol and family of its helper. */
  readonly helper?: readonly [name: string, proto: number, family: number];
  /** What the helper saved of its data. */
  readonly data?: unknown;
  /** place, before, after of both directions. */
  readonly seq?: readonly number[];
  readonly labels?: readonly number[];
  readonly events?: number;
  readonly expectEvents?: number;
  /** ms, null where the sysctl holds. */
  readonly timeouts?: readonly (number | null)[];
  readonly policy?: string;
  readonly masqDevice?: number;
}

/** An expectation. Addresses are one word or four. */
export interface SavedExpectation {
  /** Number of the master's record. */
  readonly master: number;
  readonly family: number;
  readonly proto: number;
  readonly src: readonly number[];
  readonly dst: readonly number[];
  /** T_PORTS, T_ZONE. */
  readonly ports: number;
  readonly zone: number;
  readonly sourceMask: readonly number[];
  readonly portMask: number;
  readonly class: number;
  readonly flags: number;
  readonly helper?: readonly [name: string, proto: number, family: number];
  /** When it is given up (ms). */
  readonly expires: number;
  readonly id: number;
  /** Name of its function. */
  readonly fn?: string;
  readonly dir: number;
  readonly savedPort: number;
  readonly savedAddress: readonly number[];
}

/** JSON with nothing but ASCII in it, so that a character is a byte. */
export function asciiJson(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  return text.replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A saved table that cannot be read: where, and what was expected there. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
  /** First byte of what is wrong. */
  readonly offset: number;

  /** @param what in words: `expected …` */
  constructor(offset: number, what: string) {
    super(`byte ${offset}: ${what}`);
    this.offset = offset;
  }
}
