import { writeSync } from 'node:fs';
import { Failure, OutputClosed } from './trouble.ts';

/** Text collected before it is written: large enough that the system call costs nothing per line. */
const BATCH = 1 << 16;
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

  /** Writes out what has been collected. Throws as {@link write} does. */
  flush(): void {
    if (this.text === '') return;
    const bytes = Buffer.from(this.text, 'utf8');
    this.text = '';
    for (let at = 0; at < bytes.length; ) at += this.writeSome(bytes, at);
  }

  private writeSome(bytes: Uint8Array, at: number): number {
    try {
      return writeSync(this.fd, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') throw new OutputClosed('nobody reads any more');
      if (code !== 'EAGAIN') throw new Failure(`cannot write output: ${(error as Error).message}`);
      pause(FULL_PIPE_WAIT);
      return 0;
    }
  }
}
