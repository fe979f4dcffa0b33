import {
  EAGAIN,
  EINTR,
  ENETDOWN,
  ENOBUFS,
  ENODEV,
  ENXIO,
  lastErrno,
  MSG_DONTWAIT,
  POLLOUT,
  poll,
  sendmmsg,
} from './libc.ts';
import { Memory } from './ring-memory.ts';

/** Frames that one call of sendmmsg takes. */
export const SEND_BATCH = 64;

/** Bytes of struct mmsghdr, and where in it msg_iov and msg_iovlen stand (64 bit). */
const MMSGHDR = 64;
const MSG_IOV = 16;
const MSG_IOVLEN = 24;
const IOVEC = 16;
const IOVECS = SEND_BATCH * MMSGHDR;
const PAGES = 8192;

/** How often a full queue is waited for in one flush, and how long each time (ms). */
const PATIENCE = 3;
const WAIT_MS = 1;

/**
 * Sends frames through a socket, many a call, from where they are: nothing is copied here. What it points to must stay
 * until {@link flush}. Room for a batch is made once.
 */
export class Sender {
  sent = 0;
  unsent = 0;
  private readonly fd: number;
  private readonly memory: Memory = Memory.map(PAGES);
  private readonly view: DataView;
  private count = 0;

  /** @param fd a socket that is bound, so that messages need no address */
  constructor(fd: number) {
    this.fd = fd;
    const { view, low, high } = this.memory;
    this.view = view;
    for (let i = 0; i < SEND_BATCH; i++) {
      view.setInt32(i * MMSGHDR + MSG_IOV, low + IOVECS + i * IOVEC, true);
      view.setInt32(i * MMSGHDR + MSG_IOV + 4, high, true);
      view.setInt32(i * MMSGHDR + MSG_IOVLEN, 1, true);
    }
  }

  /** Whether {@link flush} must come before the next {@link push}. */
  get full(): boolean {
    return this.count === SEND_BATCH;
  }

  /**
   * Queues a frame.
   * @param memory where it is
   * @param at its first byte there; with PACKET_VNET_HDR, of that header
   */
  push(memory: Memory, at: number, length: number): void {
    const iovec = IOVECS + this.count++ * IOVEC;
    this.view.setInt32(iovec, (memory.low + at) | 0, true);
    this.view.setInt32(iovec + 4, memory.high, true);
    this.view.setInt32(iovec + 8, length, true);
  }

  /** Sends all that is queued. What the kernel does not take, after a short wait, is counted as unsent. */
  flush(): void {
    const { count } = this;
    if (count === 0) return;
    this.count = 0;
    let done = 0;
    let patience = PATIENCE;
    while (done < count) {
      const taken = sendmmsg(this.fd, this.memory.address + done * MMSGHDR, count - done, MSG_DONTWAIT);
      if (taken > 0) {
        this.sent += taken;
        done += taken;
        continue;
      }
      const errno = lastErrno();
      if (errno === EINTR) continue;
      if ((errno === EAGAIN || errno === ENOBUFS) && patience > 0) {
        patience--;
        // ENOBUFS: a queue behind the socket is full, and nobody tells when it no longer is.
        poll(errno === EAGAIN ? this.fd : -1, POLLOUT, WAIT_MS);
        continue;
      }
      // The kernel sends none of the rest either; any other error is of the one frame (too long for the device, …).
      const all = errno === EAGAIN || errno === ENOBUFS || isGone(errno);
      const lost = all ? count - done : 1;
      this.unsent += lost;
      done += lost;
    }
  }

  /** Gives its memory back; the socket is the caller's. */
  close(): void {
    this.count = 0;
    this.memory.close();
  }
}

function isGone(errno: number): boolean {
  return errno === ENETDOWN || errno === ENXIO || errno === ENODEV;
}
