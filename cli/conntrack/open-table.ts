import { statSync } from 'node:fs';
import { errnoText } from '../errno-text.ts';
import { fileHead, isCapture } from '../file-head.ts';
import { UsageError } from '../trouble.ts';
import { LONGEST_TEXT, readBytes } from '../whole-file.ts';
import { captureContents } from './capture-table.ts';
import type { ParseWorld } from './command-line.ts';
import { ControlTable } from './control-table.ts';
import { KernelTable, loadLive } from './kernel-table.ts';
import { MemoryTable } from './memory-table.ts';
import { readDump } from './read-dump.ts';
import type { Source } from './source-options.ts';
import type { ConntrackTable } from './table.ts';
import { FileTable } from './table-file.ts';

/** Does something with what --from names. @throws UsageError that says why it cannot be read */
function reading<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read ${name}: ${errnoText(error)}`, false);
  }
}

/** Whether a source is a capture, of which there are events, too. */
export function isCaptureSource(source: Source): boolean {
  return (
    source.kind === 'from' &&
    source.name !== '-' &&
    reading(source.name, () => isCapture(fileHead(source.name, 4)))
  );
}

/** The table of a dump or a capture. @throws UsageError, Failure */
async function fromFile(name: string, world: ParseWorld): Promise<ConntrackTable> {
  const readOnly = `${name} is only read: --table FILE keeps a table that commands change`;
  const stdin = name === '-';
  if (!stdin && reading(name, () => isCapture(fileHead(name, 4))))
    return new MemoryTable(await captureContents(name), readOnly);
  // When it was written.
  const time = stdin ? Date.now() : reading(name, () => statSync(name).mtimeMs);
  const bytes = reading(name, () => readBytes(name, LONGEST_TEXT));
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
