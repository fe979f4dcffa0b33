import { createGunzip, type Gunzip } from 'node:zlib';

/**
 * Compressed bytes given at once: they can grow a thousandfold, and what zlib made of them before it found
 * damage among them is lost.
 */
const SLICE = 1 << 14;
const OUT = 1 << 18;

/**
 * Decompresses gzip as it comes, also several members behind one another. Of damaged data
 * all comes out but what stands within 16 KiB before the damage.
 */
export class Inflater {
  private readonly gunzip: Gunzip = createGunzip({ chunkSize: OUT });
  private ready: Buffer[] = [];
  private failure: Error | null = null;
  private readonly closed: Promise<unknown>;

  constructor() {
    this.closed = new Promise((done) => {
      this.gunzip.on('close', done);
    });
    this.gunzip.on('data', (chunk: Buffer) => this.ready.push(chunk));
    this.gunzip.on('error', (error) => {
      this.failure = error;
    });
  }

  /**
   * Decompresses a chunk.
   * @param chunk compressed bytes; free for reuse when the generator has ended
   * @returns what it holds, piece by piece
   * @throws Error of zlib after the pieces before the damage
   */
  async *feed(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < chunk.length; at += SLICE) {
      const slice = chunk.subarray(at, at + SLICE);
      // A write that finds damage never calls back; the stream closes instead.
      await Promise.race([
        this.closed,
        new Promise<void>((done) => {
          this.gunzip.write(slice, () => done());
        }),
      ]);
      yield* this.take();
      if (this.failure !== null) throw this.failure;
    }
  }

  /** The compressed bytes are over: what is left, and an error if they ended too early. */
  async *finish(): AsyncGenerator<Uint8Array> {
    this.gunzip.end();
    await this.closed;
    yield* this.take();
    if (this.failure !== null) throw this.failure;
  }

  private take(): Buffer[] {
    const ready = this.ready;
    this.ready = [];
    return ready;
  }
}
