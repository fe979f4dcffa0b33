import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { errnoText } from '../errno-text.ts';
import { UsageError } from '../trouble.ts';
import { captureContents } from './capture-table.ts';
import type { ParseWorld } from './command-line.ts';
import { ControlTable } from './control-table.ts';
import { KernelTable, loadLive } from './kernel-table.ts';
import { MemoryTable } from './memory-table.ts';
import { isCapture, readDump } from './read-dump.ts';
import type { Source } from './source-options.ts';
import type { ConntrackTable } from './table.ts';
import { FileTable } from './table-file.ts';

/** What --from names: bytes at the front, and when it was written (ms). */
interface Opened {
  readonly head: Uint8Array;
  readonly time: number;
}

function look(name: string): Opened {
  try {
    const fd = openSync(name, 'r');
    try {
      const head = new Uint8Array(4);
      const stat = fstatSync(fd);
      if (stat.isDirectory()) throw new UsageError(`cannot read ${name}: it is a directory`, false);
      // What has no end to go back to is read once, below.
      if (stat.isFile()) readSync(fd, head, 0, 4, 0);
      return { head, time: stat.mtimeMs };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read ${name}: ${errnoText(error)}`, false);
  }
}

/** Whether a source is a capture, of which there are events, too. */
export function isCaptureSource(source: Source): boolean {
  return source.kind === 'from' && source.name !== '-' && isCapture(look(source.name).head);
}

/** The table of a dump or a capture. @throws UsageError, Failure */
async function fromFile(name: string, world: ParseWorld): Promise<ConntrackTable> {
  const readOnly = `${name} is only read: --table FILE keeps a table that commands change`;
  const stdin = name === '-';
  const { head, time } = stdin ? { head: new Uint8Array(0), time: Date.now() } : look(name);
  if (isCapture(head)) return new MemoryTable(await captureContents(name), readOnly);
  const bytes = readFileSync(stdin ? 0 : name);
  if (isCapture(bytes)) {
    throw new UsageError(`${name}: a capture has to be a file here, since it is looked at twice`, false);
  }
  const text = bytes.toString('utf8');
  if (text.startsWith('{"keepstateTable"')) {
    throw new UsageError(`${name} is a table of keepstate: look at it with --table ${name}`, false);
  }
  return new MemoryTable(readDump(stdin ? 'standard input' : name, text, time, world), readOnly);
}

/** A table in a file. Whoever only looks is told that there is none: the name may be misspelt. */
function inFile(name: string, world: ParseWorld, changing: boolean): FileTable {
  const table = new FileTable(name, Date.now(), changing);
  if (table.missing && !changing && world.exact !== true) {
    world.say(`keepstate: there is no table ${name} yet: a command that changes it, such as -I, makes it`);
  }
  return table;
}

/**
 * Opens the table that a command line names; if it names none, that of the running keepstate.
 * @param changing whether it is going to be changed
 * @throws UsageError, Failure
 */
export async function openTable(
  source: Source | null,
  world: ParseWorld,
  env: Readonly<Record<string, string | undefined>>,
  changing: boolean,
): Promise<ConntrackTable> {
  if (source?.kind === 'from') return fromFile(source.name, world);
  if (source?.kind === 'table') return inFile(source.name, world, changing);
  if (source?.kind === 'kernel') return new KernelTable(await loadLive());
  return ControlTable.open(source?.name ?? null, env);
}
