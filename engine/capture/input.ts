import { CaptureError } from './error.ts';

const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);

/**
 * The bytes of a file as they come in, chunk by chunk, shown as one window in which the decoder finds each
 * record whole: normally the chunk itself; for a record that spans chunks the carry, a buffer of our own to
 * which its pieces are copied. Every byte is copied at most once besides the carry's own doubling, and the
 * carry grows with the bytes that have come, never with a length that a file claims.
 *
 *     file    …─────────────┬──────────────────────────────┬───────…
 *     window            [pos … end) of `bytes`              waiting
 */
export class CaptureInput {
  /** Name of the file, for messages. */
  readonly file: string;
  /** The window's buffer. */
  bytes: Uint8Array = NO_BYTES;
  /** View of `bytes`. */
  view: DataView = NO_VIEW;
  /** First unread byte in `bytes`. */
  pos = 0;
  /** End of the window in `bytes`. */
  end = 0;
  /** File offset of `bytes[0]`. */
  base = 0;
  /** Bytes pushed so far. */
  pushed = 0;
  /** What the last `fill` that failed had asked for. */
  wanted = 0;
  /** The error that ended the reading, once there was one. */
  failure: CaptureError | null = null;

  #carry: Uint8Array = NO_BYTES;
  #carryView: DataView = NO_VIEW;
  #onCarry = true;
  /** Chunk behind the carry, not yet in the window, and the first byte of it that is not in the carry. */
  #waiting: Uint8Array | null = null;
  #waitingPos = 0;

  constructor(file: string) {
    this.file = file;
  }

  /** File offset of the first unread byte. */
  get offset(): number {
    return this.base + this.pos;
  }

  /** True if all that was pushed has been read or lies in the carry, so that the caller's chunk is free. */
  get drained(): boolean {
    return this.#waiting === null && (this.#onCarry || this.pos === this.end);
  }

  /** Adds the next chunk of the file. It is kept until the decoder has come to its end, and not changed. */
  push(chunk: Uint8Array): void {
    if (!this.drained) throw new Error(`${this.file}: push() before next() returned false`);
    if (chunk.length === 0) return;
    if (this.pos === this.end) {
      this.#show(chunk, 0, this.pushed);
    } else {
      this.#waiting = chunk;
      this.#waitingPos = 0;
    }
    this.pushed += chunk.length;
  }

  /**
   * The slow half of "are there n bytes at pos?", to be asked when `end - pos < n`.
   * @returns true if the window now has them (`bytes`, `view`, `pos` and `end` may be others than before);
   *   false if a further chunk must come first, and then no chunk is held any more
   */
  fill(n: number): boolean {
    if (!this.#onCarry) this.#toCarry();
    if (this.#waiting !== null && this.pos === this.end) {
      this.#show(this.#waiting, this.#waitingPos, this.pushed - this.#waiting.length);
      this.#waiting = null;
      if (this.end - this.pos >= n) return true;
      this.#toCarry();
    }
    if (this.#waiting !== null) this.#append(this.#waiting, n - (this.end - this.pos));
    if (this.end - this.pos >= n) return true;
    this.wanted = n;
    return false;
  }

  /**
   * Reads over up to n bytes without keeping any.
   * @returns how many it passed; fewer than n if a further chunk must come first
   */
  skip(n: number): number {
    let left = n;
    while (left > 0 && (this.pos < this.end || this.fill(1))) {
      const step = Math.min(left, this.end - this.pos);
      this.pos += step;
      left -= step;
    }
    return n - left;
  }

  /** Ends the reading: throws a CaptureError, which `failure` also keeps for whoever reads on. */
  fail(offset: number, problem: string, expected: string): never {
    this.failure = new CaptureError(this.file, offset, problem, expected);
    this.bytes = NO_BYTES;
    this.view = NO_VIEW;
    this.#waiting = null;
    throw this.failure;
  }

  #show(chunk: Uint8Array, pos: number, base: number): void {
    this.bytes = chunk;
    this.view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.pos = pos;
    this.end = chunk.length;
    this.base = base;
    this.#onCarry = false;
  }

  /** Moves what is left of the window to the front of the carry and lets the chunk go. */
  #toCarry(): void {
    const left = this.end - this.pos;
    if (left > this.#carry.length) this.#grow(left, 0);
    this.#carry.set(this.bytes.subarray(this.pos, this.end));
    this.base += this.pos;
    this.bytes = this.#carry;
    this.view = this.#carryView;
    this.pos = 0;
    this.end = left;
    this.#onCarry = true;
  }

  /** Copies up to n bytes of the waiting chunk behind the carry's. */
  #append(waiting: Uint8Array, n: number): void {
    const count = Math.min(n, waiting.length - this.#waitingPos);
    if (this.end + count > this.#carry.length) this.#grow(this.end + count, this.end);
    const stop = this.#waitingPos + count;
    this.#carry.set(waiting.subarray(this.#waitingPos, stop), this.end);
    this.bytes = this.#carry;
    this.view = this.#carryView;
    this.end += count;
    this.#waitingPos = stop;
    if (stop === waiting.length) this.#waiting = null;
  }

  /** Makes room for `size` bytes in the carry, keeping the first `keep`. */
  #grow(size: number, keep: number): void {
    const grown = new Uint8Array(Math.max(size, 2 * this.#carry.length, 2048));
    grown.set(this.#carry.subarray(0, keep));
    this.#carry = grown;
    this.#carryView = new DataView(grown.buffer);
  }
}
