import { copyOfBytes } from '../packet/packet.ts';
import type { Source } from './source.ts';

/** The fragment was taken in. */
export const INSERT_OK = 0;
/** All its bytes are there already. */
export const INSERT_DUPLICATE = 1;
/** Some of its bytes are there already. */
export const INSERT_OVERLAP = 2;

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** The data of one fragment: where it stands in the datagram, and the bytes. */
interface Fragment {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** The fragments of one datagram that are there so far, and what they say of the whole. */
export class FragQueue {
  readonly key: string;
  /** Last moment (ms) at which it is still alive. */
  deadline = 0;
  /** Memory it is charged with, in bytes: see truesize.ts. */
  memory = 0;
  /** Neighbours in the list ordered by deadline. */
  older: FragQueue | null = null;
  newer: FragQueue | null = null;

  /** Bytes of the whole datagram behind the headers, as far as known: end of the furthest fragment. */
  length = 0;
  /** Bit n is set if a fragment with ECN field n came (RFC 3168, section 5). */
  ecn = 0;
  /** The largest fragment as the kernel counts it, in bytes of IP packet. */
  maxSize = 0;
  /** IPv4: the largest among those with DF. */
  maxDfSize = 0;

  /** Headers of the fragment with offset 0; empty until it came. */
  head: Uint8Array = NO_BYTES;
  /** Packet mark of the fragment with offset 0. */
  mark = 0;
  /** IPv6: the byte in `head` that names the next header, and what is to be written there. */
  nextHeaderAt = 0;
  nextHeader = 0;

  /** IPv4: counts the fragments of its source; null if ipfrag_max_dist was 0 when the queue was made. */
  source: Source | null = null;
  /** What `source` had counted when the last fragment of this queue came. */
  sourceCount = 0;

  /** Whether a fragment without "more fragments" was seen: then `length` is final. */
  private lastSeen = false;
  private fragments: Fragment[] = [];
  private received = 0;
  /** Stretches that came in order, each in one run: [starts[i], ends[i]), sorted, disjoint. */
  private starts: number[] = [];
  private ends: number[] = [];

  constructor(key: string) {
    this.key = key;
  }

  /** Whether no fragment was taken in yet. */
  get empty(): boolean {
    return this.fragments.length === 0;
  }

  /** Whether every byte from the first to the last is there. */
  get complete(): boolean {
    return this.lastSeen && this.head.length > 0 && this.received === this.length;
  }

  /**
   * Notes what a fragment says of the datagram's end, even if the fragment is then found to be a duplicate.
   * @param end where its data ends in the datagram
   * @param more whether it has "more fragments" set
   * @returns false, and nothing noted, if it contradicts what is known
   */
  acceptEnd(end: number, more: boolean): boolean {
    if (this.lastSeen && end > this.length) return false;
    if (!more && end < this.length) return false;
    if (!more) this.lastSeen = true;
    if (end > this.length) this.length = end;
    return true;
  }

  /**
   * Takes in the bytes `bytes[from..from + length)` as the datagram's bytes from `offset` on; copies them.
   *
   * Which fragments count as duplicates is Linux's (measured): those that lie wholly within a run, where a run
   * grows only by fragments that follow each other at the end of all that is there. Hence 0-15, 16-31 and then
   * 8-23 is a duplicate, while after 16-31, 0-15 the same fragment is an overlap.
   * @returns INSERT_OK, INSERT_DUPLICATE or INSERT_OVERLAP; nothing was taken in with the latter two
   */
  insert(offset: number, length: number, bytes: Uint8Array, from: number): number {
    const { starts, ends } = this;
    const last = starts.length - 1;
    const end = offset + length;
    if (last < 0 || end > ends[last]!) {
      if (last >= 0 && offset < ends[last]!) return INSERT_OVERLAP;
      if (last >= 0 && offset === ends[last]) ends[last] = end;
      else {
        starts.push(offset);
        ends.push(end);
      }
    } else {
      const at = this.firstRunEndingBehind(offset);
      if (starts[at]! < end) {
        return starts[at]! <= offset && end <= ends[at]! ? INSERT_DUPLICATE : INSERT_OVERLAP;
      }
      starts.splice(at, 0, offset);
      ends.splice(at, 0, end);
    }
    this.fragments.push({ offset, bytes: copyOfBytes(bytes, from, from + length) });
    this.received += length;
    return INSERT_OK;
  }

  /** Gives up what was taken in so far and begins anew; sizes stay, as in Linux (measured). */
  restart(): void {
    this.fragments = [];
    this.received = 0;
    this.starts = [];
    this.ends = [];
    this.length = 0;
    this.lastSeen = false;
    this.ecn = 0;
    this.head = NO_BYTES;
  }

  /** Writes the whole datagram's data to `out` from `at` on. */
  copyTo(out: Uint8Array, at: number): void {
    for (const fragment of this.fragments) out.set(fragment.bytes, at + fragment.offset);
  }

  /** Bytes of data in each fragment, in the order in which they stand in the datagram. */
  sizes(): number[] {
    return [...this.fragments].sort((a, b) => a.offset - b.offset).map(({ bytes }) => bytes.length);
  }

  /** Index of the first run whose end lies behind `offset`; there is one. */
  private firstRunEndingBehind(offset: number): number {
    let low = 0;
    let high = this.ends.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ends[middle]! > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
