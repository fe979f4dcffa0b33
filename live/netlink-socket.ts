import {
  AF_NETLINK,
  addressOf,
  bind,
  close,
  declare,
  EAGAIN,
  EINTR,
  ENOBUFS,
  lastErrno,
  MSG_DONTWAIT,
  MSG_TRUNC,
  recvAt,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SOCK_RAW,
  SOL_SOCKET,
  sendAt,
  setIntOption,
  setOption,
  socket,
} from './libc.ts';
import {
  isMessage,
  messageError,
  messageSequence,
  messageType,
  NLMSG_ERROR,
  NLMSG_NOOP,
  nextMessage,
} from './netlink.ts';
import type { MessageWriter } from './netlink-writer.ts';

const SO_RCVTIMEO = 20;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
const NETLINK_DROP_MEMBERSHIP = 2;
const NETLINK_NO_ENOBUFS = 5;
const NETLINK_CAP_ACK = 10;

/** Longer than any datagram the kernel makes (dumps: 32 KiB; a queued super packet: 64 KiB and its attributes). */
const RECEIVE_BYTES = 1 << 17;
/** How long an answer may take before it is an error. The kernel answers within the call that asks. */
const ANSWER_SECONDS = 5;

/** {@link NetlinkSocket.receive}: nothing is there. */
export const NETLINK_EMPTY = -1;
/** {@link NetlinkSocket.receive}: the kernel had messages for which there was no room (ENOBUFS). */
export const NETLINK_LOST = -2;

/** What the kernel refused, with its errno. */
export class NetlinkError extends Error {
  override readonly name = 'NetlinkError';
  /** errno, positive. */
  readonly errno: number;

  constructor(what: string, errno: number) {
    super(`${what}: ${errnoText(errno)}`);
    this.errno = errno;
  }
}

/** Takes a message: it begins at `at` of `view`, which is over `bytes`, and is overwritten after the call. */
export type OnMessage = (bytes: Uint8Array, view: DataView, at: number) => void;

const strerror = declare<(errno: number) => number>('const char *strerror(int errno)') as unknown as (
  errno: number,
) => string;

/** The C library's words for an error: 'Operation not permitted'. */
export function errnoText(errno: number): string {
  return strerror(errno);
}

/**
 * A netlink socket. One that notifications come to should not be asked as well: an answer would stand behind them.
 */
export class NetlinkSocket {
  /** For poll; becomes readable when messages are there. */
  readonly fd: number;
  /** What {@link receive} received. */
  readonly bytes: Uint8Array = new Uint8Array(RECEIVE_BYTES);
  readonly view: DataView = new DataView(this.bytes.buffer);
  private readonly address: number = addressOf(this.bytes);
  private sequence = 0;

  /**
   * @param protocol NETLINK_*
   * @param receiveBytes room for what is not received yet; more than rmem_max only with CAP_NET_ADMIN
   * @throws NetlinkError
   */
  constructor(protocol: number, receiveBytes: number = 1 << 20) {
    this.fd = socket(AF_NETLINK, SOCK_RAW, protocol);
    const address = new Uint8Array(12); // struct sockaddr_nl: family, zero, port id (0: the kernel's choice), groups
    address[0] = AF_NETLINK;
    if (this.fd < 0 || bind(this.fd, address) < 0) {
      const errno = lastErrno();
      close(this.fd);
      throw new NetlinkError('opening a netlink socket', errno);
    }
    if (setIntOption(this.fd, SOL_SOCKET, SO_RCVBUFFORCE, receiveBytes) < 0)
      setIntOption(this.fd, SOL_SOCKET, SO_RCVBUF, receiveBytes);
    // Errors come without the request. Refused by old kernels: nothing depends on it.
    setIntOption(this.fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
    const timeout = new Uint8Array(16); // struct timeval
    timeout[0] = ANSWER_SECONDS;
    setOption(this.fd, SOL_SOCKET, SO_RCVTIMEO, timeout);
  }

  /** Joins a multicast group (by number, not by bit). @throws NetlinkError */
  join(group: number): void {
    if (setIntOption(this.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group) < 0)
      throw new NetlinkError(`joining netlink group ${group}`, lastErrno());
  }

  /** Leaves a multicast group. */
  leave(group: number): void {
    setIntOption(this.fd, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, group);
  }

  /** From now on the kernel drops what there is no room for without a word: {@link receive} never says NETLINK_LOST. */
  ignoreLoss(): void {
    setIntOption(this.fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, 1);
  }

  /** A new sequence number for a request. */
  next(): number {
    this.sequence = (this.sequence + 1) | 0 || 1;
    return this.sequence >>> 0;
  }

  /** Sends what was written, as one datagram. @throws NetlinkError */
  send(writer: MessageWriter, what: string): void {
    if (sendAt(this.fd, addressOf(writer.bytes), writer.length, 0) < 0)
      throw new NetlinkError(what, lastErrno());
  }

  /**
   * Receives a datagram into {@link bytes}.
   * @param waits whether to wait until there is one
   * @returns its length, NETLINK_EMPTY or NETLINK_LOST
   * @throws NetlinkError
   */
  receive(waits: boolean, what: string): number {
    for (;;) {
      const length = recvAt(
        this.fd,
        this.address,
        this.bytes.length,
        waits ? MSG_TRUNC : MSG_TRUNC | MSG_DONTWAIT,
      );
      if (length > this.bytes.length) throw new Error(`${what}: a netlink message of ${length} bytes`);
      if (length >= 0) return length;
      const errno = lastErrno();
      if (errno === ENOBUFS) return NETLINK_LOST;
      if (errno === EAGAIN && !waits) return NETLINK_EMPTY;
      if (errno !== EINTR) throw new NetlinkError(what, errno);
    }
  }

  /**
   * Sends one request that was written with NLM_F_ACK and waits for the answer.
   * @param each takes what the kernel answers beside the acknowledgement (the object, where it was asked for)
   * @returns 0, or the errno with which the kernel refused
   */
  ask(writer: MessageWriter, what: string, each: OnMessage | null = null): number {
    const sequence = writer.view.getUint32(8, true);
    this.send(writer, what);
    for (;;) {
      const length = this.receive(true, what);
      for (let at = 0; isMessage(this.view, at, length); at = nextMessage(this.view, at)) {
        if (messageSequence(this.view, at) !== sequence) continue;
        if (messageType(this.view, at) === NLMSG_ERROR) return messageError(this.view, at);
        each?.(this.bytes, this.view, at);
      }
    }
  }

  /**
   * Hands over what has come, without waiting.
   * @param most about how many messages at once
   * @returns how many there were; NETLINK_LOST if the kernel lost some (call again: there may be more)
   */
  drain(what: string, each: OnMessage, most: number = Number.POSITIVE_INFINITY): number {
    for (let count = 0; ; ) {
      if (count >= most) return count;
      const length = this.receive(false, what);
      if (length === NETLINK_EMPTY) return count;
      if (length === NETLINK_LOST) return NETLINK_LOST;
      for (let at = 0; isMessage(this.view, at, length); at = nextMessage(this.view, at)) {
        if (messageType(this.view, at) <= NLMSG_NOOP) continue;
        each(this.bytes, this.view, at);
        count++;
      }
    }
  }

  close(): void {
    close(this.fd);
  }
}
