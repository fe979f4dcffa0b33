import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import { checkEnd, checkExpectation, checkExtension, checkHead } from './restore-check.ts';
import { readSections, type Section, SnapshotBytes } from './restore-sections.ts';
import * as R from './snapshot-format.ts';
import {
  type SavedExpectation,
  type SavedExtension,
  type SnapshotEnd,
  SnapshotError,
  type SnapshotHead,
} from './snapshot-format.ts';

/** How many different extensions are remembered while a table is read. */
const KNOWN = 1000;

/** A record's flow is in the table. */
export const ALIVE = 2;

/** A saved table, read and found whole; nothing of it is in any table yet. */
export interface SavedTable {
  readonly head: SnapshotHead;
  readonly end: SnapshotEnd;
  readonly bytes: SnapshotBytes;
  /** First byte of each record. */
  readonly offsets: readonly number[];
  /** What became of each: STATE_* or ALIVE. */
  readonly states: Uint8Array;
  /** Number of each one's master, -1 for none. */
  readonly masters: Int32Array;
  /** What they have beside their rows, by number. */
  readonly extensions: ReadonlyMap<number, SavedExtension>;
  readonly expectations: readonly SavedExpectation[];
}

/** Reads records one after the other. */
class RecordReader {
  readonly offsets: number[] = [];
  readonly masters: number[] = [];
  readonly dying: number[] = [];
  readonly extensions: Map<number, SavedExtension> = new Map();
  private readonly b: SnapshotBytes;
  /** The extension that was read last, and where. */
  private last: SavedExtension = {};
  private lastFrom = 0;
  private lastTo = -1;
  private readonly known: Map<string, SavedExtension> = new Map();

  constructor(b: SnapshotBytes) {
    this.b = b;
  }

  section({ from, to }: Section): void {
    const { b, offsets } = this;
    if (to - from < 8) throw new SnapshotError(from, 'expected how many flows there are');
    if (b.count(from) !== offsets.length)
      throw new SnapshotError(from, `expected flow ${offsets.length}, found flow ${b.count(from)}`);
    const stop = offsets.length + b.count(from + 4);
    let at = from + 8;
    while (offsets.length < stop) at = this.record(at, to);
    if (at !== to) throw new SnapshotError(at, `expected no more flows, found ${to - at} bytes`);
  }

  /** Most flows of a ruleset have the same beside their rows: what was read is not read again. */
  private extension(number: number, from: number, to: number): SavedExtension {
    const { b } = this;
    if (b.isSame(from, to, this.lastFrom, this.lastTo)) return this.last;
    this.lastFrom = from;
    this.lastTo = to;
    this.last = this.newExtension(number, from, to);
    return this.last;
  }

  private newExtension(number: number, from: number, to: number): SavedExtension {
    const { b, known } = this;
    const text = b.ascii(from, to);
    const there = known.get(text);
    if (there !== undefined) return there;
    const made = checkExtension(from, b.json(from, to, `what flow ${number} has beside its row`));
    if (known.size < KNOWN) known.set(text, made);
    return made;
  }

  private record(at: number, to: number): number {
    const { b, offsets } = this;
    const number = offsets.length;
    const missing = (): never => {
      throw new SnapshotError(at, `expected flow ${number} whole`);
    };
    if (at + R.RECORD_WORDS * 4 > to) missing();
    const flags = b.count(at);
    const family = b.count(at + 4) >>> 8;
    if (flags > R.RECORD_FLAGS) throw new SnapshotError(at, `expected flags of a flow, found ${flags}`);
    if (family !== AF_INET && family !== AF_INET6)
      throw new SnapshotError(at + 4, `expected an address family of a flow, found ${family}`);
    let next = behindFixed(at, family);
    if ((flags & R.RECORD_COUNTERS) !== 0) next += 32;
    if ((flags & R.RECORD_START) !== 0) next += 8;
    const masterAt = next;
    if ((flags & R.RECORD_MASTER) !== 0) next += 4;
    const extensionAt = next;
    if ((flags & R.RECORD_EXTENSION) !== 0) next += 4;
    if (next > to) missing();
    let master = -1;
    if ((flags & R.RECORD_MASTER) !== 0) {
      master = b.count(masterAt);
      if (master >= number)
        throw new SnapshotError(masterAt, `expected a flow before ${number}, found ${master}`);
    }
    if ((flags & R.RECORD_EXTENSION) !== 0) {
      next += b.count(extensionAt);
      if (next > to) missing();
      this.extensions.set(number, this.extension(number, extensionAt + 4, next));
    }
    if (!Number.isFinite(b.double(timerAt(at, family))))
      throw new SnapshotError(at, `expected flow ${number}'s timer`);
    offsets.push(at);
    this.masters.push(master);
    if ((flags & R.RECORD_DYING) !== 0) this.dying.push(number);
    return next;
  }
}

/** First byte of a record's timer. */
export function timerAt(at: number, family: number): number {
  return at + R.RECORD_WORDS * 4 + (family === AF_INET ? 16 : 64);
}

/** First byte behind the part that all records have. */
export function behindFixed(at: number, family: number): number {
  return timerAt(at, family) + 8 + R.PROTO_WORDS * 4;
}

function statesOf(b: SnapshotBytes, records: RecordReader, sections: readonly Section[]): Uint8Array {
  const states = new Uint8Array(records.offsets.length).fill(ALIVE);
  for (const number of records.dying) states[number] = R.STATE_DYING;
  for (const { from, to } of sections)
    for (let at = from; at < to; at += 8) {
      if (at + 8 > to) throw new SnapshotError(at, 'expected the state of a flow');
      const number = b.count(at);
      const state = b.count(at + 4);
      if (number >= states.length || state > R.STATE_DYING)
        throw new SnapshotError(at, `expected the state of a flow, found state ${state} of flow ${number}`);
      states[number] = state;
    }
  return states;
}

function expectationsOf(b: SnapshotBytes, sections: readonly Section[], records: number): SavedExpectation[] {
  const found: SavedExpectation[] = [];
  for (const { from, to } of sections) {
    const list = b.json(from, to, 'expectations');
    if (!Array.isArray(list)) throw new SnapshotError(from, 'expected a list of expectations');
    for (const one of list) {
      const expected = checkExpectation(from, one);
      if (expected.master < 0 || expected.master >= records)
        throw new SnapshotError(from, `expected a master, found flow ${expected.master}`);
      found.push(expected);
    }
  }
  return found;
}

/**
 * Reads a saved table and checks all of it.
 * @throws SnapshotError: the first thing that is wrong
 */
export function readSnapshot(bytes: Uint8Array): SavedTable {
  const b = new SnapshotBytes(bytes);
  const { sections, check } = readSections(b);
  const of = (type: number): readonly Section[] => sections.filter((section) => section.type === type);
  const first = sections[0]!;
  const last = sections.at(-1)!;
  const head = checkHead(first.from, b.json(first.from, first.to, 'the head'));
  const end = checkEnd(last.from, b.json(last.from, last.to, 'the end'));
  if (end.check !== check)
    throw new SnapshotError(last.from, 'expected all sections: some are missing or out of order');
  const records = new RecordReader(b);
  for (const section of of(R.SECTION_FLOWS)) records.section(section);
  const { offsets } = records;
  if (end.records !== offsets.length)
    throw new SnapshotError(last.from, `expected ${end.records} flows, found ${offsets.length}`);
  const states = statesOf(b, records, of(R.SECTION_STATES));
  const expectations = expectationsOf(b, of(R.SECTION_EXPECT), offsets.length);
  if (end.expectations !== expectations.length)
    throw new SnapshotError(
      last.from,
      `expected ${end.expectations} expectations, found ${expectations.length}`,
    );
  const masters = Int32Array.from(records.masters);
  return { head, end, bytes: b, offsets, states, masters, extensions: records.extensions, expectations };
}
