import type { Decoder } from './decoder.ts';
import { BLOCK_SECTION, MAGIC_KUZNETSOV, MAGIC_MICRO, MAGIC_NANO } from './format.ts';
import { CaptureInput } from './input.ts';
import type { CaptureInterface } from './interface.ts';
import { PcapDecoder } from './pcap-reader.ts';
import { PcapngDecoder } from './pcapng-reader.ts';
import type { CaptureRecord } from './record.ts';

/** First bytes of files that people take for captures, in hex, and what to say of them. */
const STRANGERS: readonly (readonly [start: string, name: string])[] = [
  ['1f8b', 'gzip: decompress it first'],
  ['28b52ffd', 'zstd: decompress it first'],
  ['fd377a58', 'xz: decompress it first'],
  ['04224d18', 'lz4: decompress it first'],
  ['425a68', 'bzip2: decompress it first'],
  ['504b0304', 'zip: unpack it first'],
  ['736e6f6f', 'snoop, another capture format'],
];

/**
 * Reads a pcap or pcapng file that comes in chunks, telling the two apart by their first bytes.
 *
 *     for (each chunk of the file) {
 *       reader.push(chunk);
 *       while (reader.next(record)) …
 *     }
 *     reader.end();
 *
 * A chunk is free for reuse once `next` has returned false. Nothing is allocated per packet.
 * All trouble with the file is a CaptureError, thrown by `next` or `end` once the packets before it have been
 * delivered, and thrown again by every call after that.
 */
export class CaptureReader {
  /** The interfaces seen so far, of all sections, in the order of the file; pcap has one. */
  readonly interfaces: readonly CaptureInterface[];

  private readonly found: CaptureInterface[] = [];
  private readonly input: CaptureInput;
  private decoder: Decoder | null = null;
  #format: 'pcap' | 'pcapng' | null = null;
  #ended = false;

  /** @param file name of the file, for messages */
  constructor(file: string) {
    this.input = new CaptureInput(file);
    this.interfaces = this.found;
  }

  /** The file's format, or null before its first four bytes have been read. */
  get format(): 'pcap' | 'pcapng' | null {
    return this.#format;
  }

  /** Bytes pushed so far. */
  get bytesRead(): number {
    return this.input.pushed;
  }

  /**
   * Gives the next chunk of the file, of any size.
   * @throws Error if `next` has not returned false since the last chunk, or after `end`
   */
  push(chunk: Uint8Array): void {
    const input = this.input;
    if (input.failure !== null) throw input.failure;
    if (this.#ended) throw new Error(`${input.file}: push() after end()`);
    this.decoder?.forget();
    input.push(chunk);
  }

  /**
   * Reads the next packet into a record; what it fills is valid until the next `next` or `push`.
   * @returns false if the chunks so far hold no further packet
   * @throws CaptureError if the file is damaged from here on
   */
  next(out: CaptureRecord): boolean {
    if (this.input.failure !== null) throw this.input.failure;
    const decoder = this.decoder ?? this.#recognize();
    return decoder?.next(out) ?? false;
  }

  /** Comment of the packet that `next` read last (pcapng opt_comment, several one a line), or null. */
  comment(): string | null {
    return this.decoder?.comment() ?? null;
  }

  /**
   * Says that no further chunk comes.
   * @throws CaptureError if the file stops inside a header, record or block, or is empty
   * @throws Error if `next` has not returned false since the last chunk
   */
  end(): void {
    const input = this.input;
    if (input.failure !== null) throw input.failure;
    if (!input.drained) throw new Error(`${input.file}: end() before next() returned false`);
    if (this.#ended) return;
    this.#ended = true;
    if (this.decoder !== null) this.decoder.end();
    else this.#endEarly();
  }

  #recognize(): Decoder | null {
    const input = this.input;
    if (input.end - input.pos < 4 && !input.fill(4)) return null;
    const magic = input.view.getUint32(input.pos, false);
    if (magic === BLOCK_SECTION) {
      this.#format = 'pcapng';
      this.decoder = new PcapngDecoder(input, this.found);
      return this.decoder;
    }
    const swapped = input.view.getUint32(input.pos, true);
    const little = isPcap(swapped);
    if (!little && !isPcap(magic)) this.#refuse(magic);
    this.#format = 'pcap';
    this.decoder = new PcapDecoder(input, this.found, little ? swapped : magic, little);
    return this.decoder;
  }

  #refuse(magic: number): never {
    const start = magic.toString(16).padStart(8, '0');
    const stranger = STRANGERS.find(([bytes]) => start.startsWith(bytes));
    const named = stranger === undefined ? '' : ` (${stranger[1]})`;
    this.input.fail(0, `the file begins with ${start}${named}`, 'a pcap or pcapng header');
  }

  #endEarly(): never {
    const { pushed } = this.input;
    const problem = pushed === 0 ? 'the file is empty' : `the file ends at byte ${pushed}`;
    this.input.fail(0, problem, 'a pcap or pcapng header');
  }
}

function isPcap(magic: number): boolean {
  return magic === MAGIC_MICRO || magic === MAGIC_NANO || magic === MAGIC_KUZNETSOV;
}
