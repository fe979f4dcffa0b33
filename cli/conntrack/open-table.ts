import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { UsageError } from '../trouble.ts';
import { captureContents } from './capture-table.ts';
import type { ParseWorld } from './command-line.ts';
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
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(
      `cannot read ${name}: ${code === 'ENOENT' ? 'there is no such file' : message}`,
      false,
    );
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

/** Why there is no table where none is named, or one that keepstate cannot look at. */
export function noTable(source: Source | null): UsageError {
  if (source?.kind === 'control' || source?.kind === 'kernel') {
    const what = source.kind === 'control' ? 'a running keepstate' : "the kernel's own table";
    const instead = 'use --from FILE or --table FILE';
    return new UsageError(`--${source.kind}: this keepstate cannot look at ${what} yet: ${instead}`, false);
  }
  return new UsageError(
    'no table is named: give --from FILE (a dump or a capture), --table FILE (a table kept in a file), ' +
      "--control SOCKET (a running keepstate) or --kernel (the kernel's own table)",
    false,
  );
}

/** Opens the table that a command line names. @throws UsageError, Failure */
export async function openTable(source: Source | null, world: ParseWorld): Promise<ConntrackTable> {
  if (source?.kind === 'from') return fromFile(source.name, world);
  if (source?.kind === 'table') return new FileTable(source.name, Date.now());
  throw noTable(source);
}
