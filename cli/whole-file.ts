import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { errnoText } from './errno-text.ts';
import { pause } from './output.ts';
import { UsageError } from './trouble.ts';

/** Bytes that a file of rules, of a host, of labels may have: a hundred times what anybody writes. */
const MOST = 1 << 28;
/** The longest text that V8 holds, for files that programs write. */
export const LONGEST_TEXT = 0x1fffffe8;
const CHUNK = 1 << 16;
/** How long to wait for standard input that is empty and does not block (ms). */
const EMPTY_INPUT_WAIT = 5;

/** Reads into a buffer, and waits where a descriptor that does not block has nothing yet. @returns 0 at the end */
function readSome(fd: number, into: Buffer): number {
  for (;;) {
    try {
      return readSync(fd, into, 0, into.length, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      pause(EMPTY_INPUT_WAIT);
    }
  }
}

function readAll(fd: number, name: string, most: number): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  for (let room = Math.max(CHUNK, Math.min(fstatSync(fd).size, most) + 1); ; room = CHUNK) {
    const part = Buffer.allocUnsafe(room);
    const got = readSome(fd, part);
    if (got === 0) return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    parts.push(part.subarray(0, got));
    length += got;
    if (length > most)
      throw new UsageError(`cannot read ${name}: it has more than ${Math.ceil(most / 2 ** 20)} MiB`, false);
  }
}

/**
 * All that is in a file.
 * @param name path, `-` for standard input
 * @param most bytes; what has more, as /dev/zero, is refused
 * @throws UsageError if it has more, else the error of the system
 */
export function readBytes(name: string, most: number): Buffer {
  const fd = name === '-' ? 0 : openSync(name, 'r');
  try {
    return readAll(fd, name, most);
  } finally {
    if (fd !== 0) closeSync(fd);
  }
}

/** A file that a person wrote, as text. @throws UsageError that says why it cannot be read */
export function readText(name: string): string {
  return textBy(() => readBytes(name, MOST), name);
}

/**
 * The same of a plain file only: what is none, as a FIFO that nobody writes to, would be waited for, perhaps for good.
 * @throws UsageError that says why it cannot be read
 */
export function readPlainText(name: string): string {
  return textBy(() => readPlainBytes(name), name);
}

function readPlainBytes(name: string): Buffer {
  // Even to open a FIFO would wait.
  const fd = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(fd).isFile()) throw new UsageError(`cannot read ${name}: it is not a plain file`, false);
    return readAll(fd, name, MOST);
  } finally {
    closeSync(fd);
  }
}

function textBy(read: () => Buffer, name: string): string {
  try {
    return read().toString('utf8');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read ${name}: ${errnoText(error)}`, false);
  }
}

/** Refuses files among which standard input is named twice: the second time it would be empty. @throws UsageError */
export function refuseStdinTwice(names: readonly string[]): void {
  if (names.filter((name) => name === '-').length > 1)
    throw new UsageError('standard input is named twice: it can be read once');
}
