/** What the oracle needs of libc; all calls are synchronous, and what should not fail throws. Linux, little endian. */
import * as libc from '../../live/libc.ts';

// The results are ssize_t; no call here moves 2 GiB, and int costs less to convert.
const cRead = libc.declare<(fd: number, into: Uint8Array, length: number) => number>(
  'int read(int fd, void *into, size_t length)',
);
const cWrite = libc.declare<(fd: number, from: Uint8Array, length: number) => number>(
  'int write(int fd, void *from, size_t length)',
);
const cRecv = libc.declare<(fd: number, into: Uint8Array, length: number, flags: number) => number>(
  'int recv(int fd, void *into, size_t length, int flags)',
);
const cUnshare = libc.declare<(flags: number) => number>('int unshare(int flags)');

const { check, errnoName, lastErrno } = libc;

export { errnoName };

const CLONE_NEWNET = 0x40000000;

/** Moves the calling (main) thread into a new network namespace. Throws without CAP_SYS_ADMIN. */
export function unshareNetwork(): void {
  check(cUnshare(CLONE_NEWNET), 'unshare(CLONE_NEWNET)');
}

/** Opens a device for reading and writing; a non-blocking one never waits in read. */
export function openDevice(path: string, nonBlocking: boolean): number {
  return check(libc.open(path, libc.O_RDWR | (nonBlocking ? libc.O_NONBLOCK : 0)), `open ${path}`);
}

/** ioctl whose argument is a structure, given and returned in `arg`. */
export function ioctl(fd: number, request: number, arg: Uint8Array, what: string): void {
  check(libc.ioctl(fd, request, arg), what);
}

const SCHED_OTHER = 0;
const SCHED_FIFO = 1;
const SCHED_RESET_ON_FORK = 0x40000000;
const cSchedule = libc.declare<(pid: number, policy: number, priority: Int32Array) => number>(
  'int sched_setscheduler(int pid, int policy, void *priority)',
);

/**
 * Runs a function before all that is not real-time. On a busy machine another program may otherwise have its turn between
 * the moment that is noted for a packet and the moment it comes to the kernel. Where that is not allowed it runs as ever.
 */
export function undisturbed<T>(run: () => T): T {
  cSchedule(0, SCHED_FIFO | SCHED_RESET_ON_FORK, Int32Array.of(1));
  try {
    return run();
  } finally {
    cSchedule(0, SCHED_OTHER, Int32Array.of(0));
  }
}

/** Closes a descriptor. */
export function close(fd: number): void {
  check(libc.close(fd), 'close');
}

/** A raw netlink socket of the given protocol, bound to a port id the kernel chooses. */
export function netlinkSocket(protocol: number): number {
  const fd = check(libc.socket(libc.AF_NETLINK, libc.SOCK_RAW, protocol), 'socket(AF_NETLINK)');
  const address = new Uint8Array(12); // sockaddr_nl: family 16, port id 0, no groups
  address[0] = libc.AF_NETLINK;
  check(libc.bind(fd, address), 'bind netlink socket');
  return fd;
}

/** setsockopt with one int. */
export function setOption(fd: number, level: number, name: number, value: number, what: string): void {
  check(libc.setIntOption(fd, level, name, value), what);
}

/** Writes one datagram or packet. Returns false on EINVAL (the kernel refuses its content), throws on all else. */
export function writePacket(fd: number, bytes: Uint8Array): boolean {
  if (cWrite(fd, bytes, bytes.length) >= 0) return true;
  const errno = lastErrno();
  if (errno === libc.EINVAL) return false;
  throw new Error(`write ${bytes.length} bytes: ${errnoName(errno)}`);
}

/** Reads one packet from a non-blocking device; -1 when there is none. */
export function readPacket(fd: number, into: Uint8Array): number {
  const length = cRead(fd, into, into.length);
  if (length >= 0) return length;
  if (lastErrno() === libc.EAGAIN) return -1;
  throw new Error(`read: ${errnoName(lastErrno())}`);
}

/**
 * Receives one datagram. Returns its length, or -1 when `wait` is false and there is none. Throws when it does
 * not fit, and on ENOBUFS, by which netlink says that it lost messages.
 */
export function receive(fd: number, into: Uint8Array, wait: boolean): number {
  for (;;) {
    const length = cRecv(fd, into, into.length, wait ? libc.MSG_TRUNC : libc.MSG_TRUNC | libc.MSG_DONTWAIT);
    if (length > into.length) throw new Error(`netlink message of ${length} bytes does not fit`);
    if (length >= 0) return length;
    const errno = lastErrno();
    if (errno === libc.EAGAIN && !wait) return -1;
    if (errno === libc.EINTR) continue;
    const hint = errno === libc.ENOBUFS ? ' (netlink lost messages, the run is void)' : '';
    throw new Error(`netlink receive: ${errnoName(errno)}${hint}`);
  }
}
