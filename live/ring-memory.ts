import { DriverError } from './driver.ts';
import {
  bytesAt,
  errnoName,
  lastErrno,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  MAP_SHARED,
  mmap,
  munmap,
} from './libc.ts';

const TWO_32 = 2 ** 32;
const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);

/**
 * Memory outside of V8's heap whose address is known, so that the kernel can be pointed to it. It lies within one 4 GiB
 * page of addresses: the address of byte `i` is `high * 2^32 + ((low + i) >>> 0)`, which is two additions of integers
 * and makes no garbage.
 */
export class Memory {
  bytes: Uint8Array;
  view: DataView;
  readonly length: number;
  /** Of its first byte. */
  readonly address: number;
  /** Lower half of the address, as a signed integer. */
  readonly low: number;
  /** Upper half of the address. */
  readonly high: number;

  private constructor(address: number, length: number) {
    this.address = address;
    this.length = length;
    this.low = (address % TWO_32) | 0;
    this.high = Math.floor(address / TWO_32);
    this.bytes = bytesAt(address, length);
    this.view = new DataView(this.bytes.buffer);
  }

  /**
   * @param length bytes; a multiple of the page size
   * @param fd what to map, -1 for memory of nobody else
   * @throws DriverError if there is none
   */
  static map(length: number, fd: number = -1): Memory {
    const flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    const crossing: number[] = [];
    for (;;) {
      const address = mmap(length, flags, fd);
      const errno = lastErrno();
      const crosses = address > 0 && (address % TWO_32) + length > TWO_32;
      // While it is held the kernel has to choose another place.
      if (crosses) {
        crossing.push(address);
        continue;
      }
      for (const other of crossing) munmap(other, length);
      if (address < 0) throw new DriverError(`mapping ${length} bytes: ${errnoName(errno)}`);
      return new Memory(address, length);
    }
  }

  /** Gives it back. Nothing may look at `bytes` or `view` of before. */
  close(): void {
    if (this.bytes.length === 0) return;
    this.bytes = NO_BYTES;
    this.view = NO_VIEW;
    munmap(this.address, this.length);
  }
}
