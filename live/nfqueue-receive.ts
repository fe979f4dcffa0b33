import { addressOf, MSG_DONTWAIT, recvmmsg } from './libc.ts';

/** struct mmsghdr: struct msghdr (name 0, namelen 8, iov 16, iovlen 24, control 32, controllen 40, flags 48), len 56. */
const MMSGHDR = 64;
const MSG_IOV = 16;
const MSG_IOVLEN = 24;
const MSG_LEN = 56;
/** struct iovec: base, length. */
const IOVEC = 16;

/** Writes an address or a size, 64 bits little endian, without a BigInt. */
export function putWord(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

/** Slots of one buffer that many datagrams are received into by one call. */
export class ReceiveBatch {
  /** All slots; the datagram of slot `i` begins at `i * slot`. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Bytes of a slot. */
  readonly slot: number;
  private readonly headers: Uint8Array;
  private readonly headersView: DataView;
  private readonly address: number;
  /** Kept, since the kernel reads it: where each slot is. */
  private readonly iovecs: Uint8Array;

  /**
   * @param count how many datagrams at once
   * @param slot how long one may be
   */
  constructor(count: number, slot: number) {
    this.slot = slot;
    this.bytes = new Uint8Array(new ArrayBuffer(count * slot));
    this.view = new DataView(this.bytes.buffer);
    this.headers = new Uint8Array(new ArrayBuffer(count * MMSGHDR));
    this.headersView = new DataView(this.headers.buffer);
    this.iovecs = new Uint8Array(new ArrayBuffer(count * IOVEC));
    const iovecsView = new DataView(this.iovecs.buffer);
    const first = addressOf(this.bytes);
    const iovecsAddress = addressOf(this.iovecs);
    for (let i = 0; i < count; i++) {
      putWord(iovecsView, i * IOVEC, first + i * slot);
      putWord(iovecsView, i * IOVEC + 8, slot);
      putWord(this.headersView, i * MMSGHDR + MSG_IOV, iovecsAddress + i * IOVEC);
      putWord(this.headersView, i * MMSGHDR + MSG_IOVLEN, 1);
    }
    this.address = addressOf(this.headers);
  }

  /** Receives at most so many datagrams, without waiting. @returns how many, or -1: see `lastErrno` */
  receive(fd: number, count: number): number {
    return recvmmsg(fd, this.address, count, MSG_DONTWAIT, 0);
  }

  /** Bytes of the datagram in a slot. */
  length(slot: number): number {
    return this.headersView.getUint32(slot * MMSGHDR + MSG_LEN, true);
  }
}
