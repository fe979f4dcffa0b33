import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { CaptureError, CaptureReader, CaptureRecord } from '@keepstate/engine';
import { errnoText } from './errno-text.ts';
import { Inflater } from './gunzip.ts';
import { pause } from './output.ts';
import { Pipe } from './pipe.ts';
import { UsageError } from './trouble.ts';

/** How long to wait for standard input that is empty and does not block (ms). */
const EMPTY_INPUT_WAIT = 5;
/** Compressed bytes read at once: they become many more, and progress is told between reads. */
const GZIP_CHUNK = 1 << 18;

/** The name by which messages call standard input. */
const STDIN_NAME = 'standard input';

/** One capture file (or standard input) that is read packet by packet, decompressed where it is gzip. */
export class CaptureSource {
  /** As the user wrote it. */
  readonly name: string;
  /** The packet that is next in this file; filled by {@link next} and {@link refill}. */
  readonly record: CaptureRecord = new CaptureRecord();
  /** What ended the reading too early, null if nothing did. */
  failure: CaptureError | null = null;
  /** Bytes read from the file, compressed ones where it is gzip. */
  bytesRead = 0;
  /** Size of a regular file, 0 for pipes. */
  readonly size: number;
  /** Called before each read; told whether that may have to wait for somebody else. */
  beforeReading: ((mayWait: boolean) => void) | null = null;

  private readonly fd: number;
  /** Reads what is no regular file, null where it is one (or a device). */
  private readonly pipe: Pipe | null;
  private readonly buffer: Uint8Array;
  /** Bytes to read at once. */
  private most: number;
  private stopped = false;
  private readonly reader: CaptureReader;
  private readonly chunks: AsyncGenerator<Uint8Array>;

  /**
   * @param name path, `-` for standard input
   * @param chunkSize bytes to read at once
   * @throws UsageError if it cannot be opened
   */
  constructor(name: string, chunkSize: number) {
    this.name = name === '-' ? STDIN_NAME : name;
    this.fd = name === '-' ? 0 : openFile(name);
    const stat = fstatSync(this.fd);
    if (stat.isDirectory()) throw new UsageError(`cannot read ${name}: it is a directory`, false);
    this.size = stat.isFile() ? stat.size : 0;
    this.pipe = stat.isFIFO() || stat.isSocket() ? new Pipe(this.fd) : null;
    this.most = this.size > 0 ? Math.min(chunkSize, Math.max(this.size, 4096)) : chunkSize;
    this.buffer = new Uint8Array(this.pipe === null ? this.most : 0);
    this.reader = new CaptureReader(this.name);
    this.chunks = this.inflated();
  }

  /**
   * Moves on to the next packet within the bytes that are here.
   * @returns false if there is none: {@link refill} is to be called
   */
  next(): boolean {
    try {
      return this.reader.next(this.record);
    } catch (error) {
      this.fail(error);
      return false;
    }
  }

  /**
   * Reads on until there is a next packet.
   * @returns false at the end of the file, or where it is damaged
   */
  async refill(): Promise<boolean> {
    while (this.failure === null) {
      try {
        const { value, done } = await this.chunks.next();
        if (done) {
          // What was stopped in the middle of a packet is not damaged.
          if (!this.stopped) this.reader.end();
          break;
        }
        this.reader.push(value);
      } catch (error) {
        if (!this.stopped || !(error instanceof CaptureError)) this.fail(error);
        break;
      }
      if (this.next()) return true;
    }
    this.close();
    return false;
  }

  /** Whether it is a pipe, which {@link stop} can end. */
  get isPipe(): boolean {
    return this.pipe !== null;
  }

  /** Ends the reading of a pipe as if its writer had closed it, between packets. */
  stop(): void {
    this.stopped = true;
    this.pipe?.stop();
  }

  /** Closes the file. */
  close(): void {
    if (this.pipe !== null) this.pipe.stop();
    else if (this.fd !== 0) closeSync(this.fd);
  }

  private fail(error: unknown): void {
    if (!(error instanceof CaptureError)) throw error;
    this.failure = error;
  }

  /** The file's bytes, decompressed if its first bytes say so. */
  private async *inflated(): AsyncGenerator<Uint8Array> {
    const head = await this.head();
    if (!isGzip(head)) {
      for (let chunk = head; chunk.length > 0; chunk = await this.read()) yield chunk;
      return;
    }
    this.most = Math.min(this.most, GZIP_CHUNK);
    const inflater = new Inflater();
    try {
      for (let chunk = head; chunk.length > 0; chunk = await this.read()) yield* inflater.feed(chunk);
      yield* inflater.finish();
    } catch (error) {
      if (error instanceof CaptureError) throw error;
      const early = (error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR';
      const problem = early
        ? 'the compressed file ends here, in the middle'
        : `gzip: ${(error as Error).message}`;
      throw new CaptureError(this.name, this.bytesRead, problem, 'more gzip data');
    }
  }

  /** The first bytes, three at least unless the file is shorter: enough to tell gzip. */
  private async head(): Promise<Uint8Array> {
    let head = await this.read();
    while (head.length > 0 && head.length < 3) {
      // A copy, since the buffer is read into again.
      const before = Uint8Array.from(head);
      const more = await this.read();
      if (more.length === 0) return before;
      head = Buffer.concat([before, more]);
    }
    return head;
  }

  /** Reads what there is, at least a byte unless the file is over. */
  private async read(): Promise<Uint8Array> {
    this.beforeReading?.(this.size === 0);
    try {
      const chunk = this.pipe === null ? this.readFile() : await this.pipe.read();
      this.bytesRead += chunk.length;
      return chunk;
    } catch (error) {
      throw new CaptureError(this.name, this.bytesRead, (error as Error).message, 'to read on');
    }
  }

  private readFile(): Uint8Array {
    for (;;) {
      try {
        return this.buffer.subarray(0, readSync(this.fd, this.buffer, 0, this.most, null));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EOF') return this.buffer.subarray(0, 0);
        if (code !== 'EAGAIN') throw error;
        pause(EMPTY_INPUT_WAIT);
      }
    }
  }
}

function isGzip(bytes: Uint8Array): boolean {
  // Magic and the only compression method there is (RFC 1952, section 2.3.1).
  return bytes.length >= 3 && bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8;
}

function openFile(name: string): number {
  try {
    return openSync(name, 'r');
  } catch (error) {
    throw new UsageError(`cannot read ${name}: ${errnoText(error)}`, false);
  }
}
