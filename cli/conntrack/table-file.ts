import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { ExpectRecord } from '@keepstate/engine';
import { errnoText } from '../errno-text.ts';
import { jsonExpect } from '../format/json-expect.ts';
import { Failure, UsageError } from '../trouble.ts';
import { LONGEST_TEXT, readBytes } from '../whole-file.ts';
import { fileError } from './dump-error.ts';
import { jsonEntry } from './entry-json.ts';
import { MemoryTable } from './memory-table.ts';
import { readEntry, readExpectation } from './parse-json.ts';
import type { Entry, TableStats } from './table.ts';

/** Version of the file: the first line says it. It changes when older files can no longer be read. */
const VERSION = 1;

/** The first line. */
interface Head {
  readonly keepstateTable: number;
  /** When it was written (ms since the epoch): timeouts run down from then. */
  readonly now: number;
  readonly flows: number;
  readonly expectations: number;
  readonly stats: TableStats;
}

function headOf(name: string, line: string): Head {
  let head: Partial<Head> | null = null;
  try {
    head = JSON.parse(line) as Partial<Head> | null;
  } catch {
    head = null;
  }
  if (typeof head?.keepstateTable !== 'number') {
    throw new UsageError(`${name}:1: this is no table of keepstate: expected {"keepstateTable":1,…}`, false);
  }
  if (head.keepstateTable !== VERSION) {
    const versions = `version ${head.keepstateTable}, this keepstate reads version ${VERSION}`;
    throw new UsageError(`${name}:1: the table is of ${versions}`, false);
  }
  const { insert, expectNew, expectCreate, expectDelete } = head.stats ?? {};
  const numbers = [head.now, head.flows, head.expectations, insert, expectNew, expectCreate, expectDelete];
  if (numbers.some((n) => typeof n !== 'number')) {
    throw new UsageError(`${name}:1: the first line lacks now, flows, expectations or stats`, false);
  }
  return head as Head;
}

/** How much of a time is left after some more has passed; clocks that went back count as stopped. */
function aged<T extends { readonly timeout: number }>(record: T, passed: number): T {
  return { ...record, timeout: record.timeout - Math.max(0, passed) };
}

function contentsOf(name: string, text: string, now: number) {
  const lines = text.split('\n');
  const head = headOf(name, lines[0]!);
  const records = lines.slice(1).filter((line) => line !== '');
  if (records.length !== head.flows + head.expectations || !text.endsWith('\n')) {
    throw fileError(name, lines.length, 1, 'the table is cut off: the first line says how much there is');
  }
  const entries: Entry[] = [];
  const expectations: ExpectRecord[] = [];
  for (const [i, line] of records.entries()) {
    const place = { file: name, line: i + 2 };
    if (i < head.flows) entries.push(aged(readEntry(line, place), now - head.now));
    else expectations.push(aged(readExpectation(line, place), now - head.now));
  }
  return { now, entries, expectations, stats: head.stats };
}

/** A table that is kept in a file between commands. Timeouts run down while nobody looks. */
export class FileTable extends MemoryTable {
  /** Whether there was no file. */
  readonly missing: boolean;
  private readonly name: string;

  /**
   * Reads the file; one that is not there is an empty table.
   * @param now the time (ms since the epoch)
   * @param make whether a file that is not there is made, though nothing changes: for commands that change tables
   * @throws UsageError for a file that is no table, or damaged: nothing of it is used
   */
  constructor(name: string, now: number, make = true) {
    const text = readTable(name);
    super(text === null ? { now, entries: [], expectations: [] } : contentsOf(name, text, now), null);
    this.name = name;
    this.missing = text === null;
    this.changed = this.missing && make;
  }

  /** Writes the file if anything changed: a new one beside it that then takes its place. @throws Failure */
  override close(): void {
    if (!this.changed) return;
    const flows = this.list('conntrack');
    const expected = this.expectations();
    const head: Head = {
      keepstateTable: VERSION,
      now: this.now,
      flows: flows.length,
      expectations: expected.length,
      stats: this.stats(),
    };
    const lines = [
      JSON.stringify(head),
      ...flows.map((flow) => withMilliseconds(jsonEntry(flow), flow.timeout)),
      ...expected.map((one) => withMilliseconds(jsonExpect(one), one.timeout)),
    ];
    replaceFile(this.name, `${lines.join('\n')}\n`);
  }
}

/** JSON's timeouts are whole seconds; the file keeps what is behind the point, too. */
function withMilliseconds(json: string, timeout: number): string {
  return `${json.slice(0, -1)},"timeoutMs":${timeout}}`;
}

/** What the file holds, null if it is not there. */
function readTable(name: string): string | null {
  try {
    return readBytes(name, LONGEST_TEXT).toString('utf8');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new UsageError(`cannot read ${name}: ${errnoText(error)}`, false);
  }
}

/** Writes a file so that there is the old one or the new one, whatever happens meanwhile. @throws Failure */
function replaceFile(name: string, text: string): void {
  const beside = `${name}.new-${process.pid}`;
  let isMade = false;
  try {
    // Left by one that was killed, and had our number.
    rmSync(beside, { force: true });
    const fd = openSync(beside, 'wx', 0o600);
    isMade = true;
    try {
      const bytes = Buffer.from(text, 'utf8');
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, name);
  } catch (error) {
    if (isMade) rmSync(beside, { force: true });
    throw new Failure(`cannot write ${name}: ${errnoText(error)}`);
  }
}
