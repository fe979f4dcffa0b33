import { writeSync } from 'node:fs';
import { LINE_ROOM, type LineWriter, PAGE_BYTES, pageWriter } from '@keepstate/engine';
import { errnoText } from './errno-text.ts';
import { Failure, OutputClosed } from './trouble.ts';

/** Text collected before it is written: large enough that the system call costs nothing per line. */
const BATCH = PAGE_BYTES;
/** How long to wait for a pipe that is full and does not block (ms). */
const FULL_PIPE_WAIT = 2;

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Sleeps without leaving the call: for descriptors that another program set to non-blocking. */
export function pause(ms: number): void {
  Atomics.wait(sleeper, 0, 0, ms);
}

/** Where a command's lines go: batched, written in order, and quiet about a reader that went away. */
export class Output {
  private readonly fd: number;
  /** Lines put together as bytes. They come before `text`. */
  private readonly lines: LineWriter = pageWriter();
  private text = '';

  /** @param fd an open file descriptor */
  constructor(fd: number) {
    this.fd = fd;
  }

  /**
   * Adds text, lines with their newline.
   * @throws OutputClosed if the reader of a pipe went away
   * @throws Failure if writing fails otherwise
   */
  write(text: string): void {
    this.text += text;
    if (this.text.length >= BATCH) this.flush();
  }

  /**
   * Where to write a line, behind all that was written before; {@link LINE_ROOM} is there. {@link endLine} is to be
   * called before anything else of this output. Throws as {@link write} does.
   */
  line(): LineWriter {
    if (this.text !== '') this.flush();
    this.lines.room(LINE_ROOM);
    return this.lines;
  }

  /** Says that a line is whole, with its newline. Throws as {@link write} does. */
  endLine(): void {
    if (this.lines.at >= BATCH) this.flush();
  }

  /** Writes out what has been collected. Throws as {@link write} does. */
  flush(): void {
    const { lines, text } = this;
    const length = lines.at;
    lines.at = 0;
    this.text = '';
    if (length > 0) this.writeBytes(lines.bytes, length);
    if (text === '') return;
    const bytes = Buffer.from(text, 'utf8');
    this.writeBytes(bytes, bytes.length);
  }

  private writeBytes(bytes: Uint8Array, length: number): void {
    for (let at = 0; at < length; ) at += this.writeSome(bytes, at, length);
  }

  private writeSome(bytes: Uint8Array, at: number, length: number): number {
    try {
      return writeSync(this.fd, bytes, at, length - at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') throw new OutputClosed('nobody reads any more');
      if (code !== 'EAGAIN') throw new Failure(`cannot write output: ${errnoText(error)}`);
      pause(FULL_PIPE_WAIT);
      return 0;
    }
  }
}
