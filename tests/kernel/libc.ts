/** The handful of libc calls the oracle needs, through koffi; all of them synchronous. Linux, little endian. */
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');

function declare<F extends (...args: never[]) => number>(prototype: string): F {
  return libc.func(prototype) as unknown as F;
}

// The results are ssize_t; no call here moves 2 GiB, and int costs less to convert.
const cOpen = declare<(path: string, flags: number) => number>('int open(const char *path, int flags)');
const cClose = declare<(fd: number) => number>('int close(int fd)');
const cIoctl = declare<(fd: number, request: number, arg: Uint8Array) => number>(
  'int ioctl(int fd, unsigned long request, void *arg)',
);
const cRead = declare<(fd: number, into: Uint8Array, length: number) => number>(
  'int read(int fd, void *into, size_t length)',
);
const cWrite = declare<(fd: number, from: Uint8Array, length: number) => number>(
  'int write(int fd, void *from, size_t length)',
);
const cSocket = declare<(family: number, type: number, protocol: number) => number>(
  'int socket(int family, int type, int protocol)',
);
const cBind = declare<(fd: number, address: Uint8Array, length: number) => number>(
  'int bind(int fd, void *address, uint length)',
);
const cSetsockopt = declare<
  (fd: number, level: number, name: number, value: Uint8Array, length: number) => number
>('int setsockopt(int fd, int level, int name, void *value, uint length)');
const cRecv = declare<(fd: number, into: Uint8Array, length: number, flags: number) => number>(
  'int recv(int fd, void *into, size_t length, int flags)',
);
const cUnshare = declare<(flags: number) => number>('int unshare(int flags)');

const ERRNO = koffi.os.errno as Readonly<Record<string, number>>;
const EINTR = ERRNO.EINTR!;
const EAGAIN = ERRNO.EAGAIN!;
const EINVAL = ERRNO.EINVAL!;

const CLONE_NEWNET = 0x40000000;
const O_RDWR = 2;
const O_NONBLOCK = 0x800;
const O_CLOEXEC = 0x80000;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x80000;
const AF_NETLINK = 16;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;

/** Symbolic name of an errno value, or the number as text. */
export function errnoName(errno: number): string {
  return Object.keys(ERRNO).find((name) => ERRNO[name] === errno) ?? `errno ${errno}`;
}

function check(result: number, what: string): number {
  if (result < 0) throw new Error(`${what}: ${errnoName(koffi.errno())}`);
  return result;
}

/** Moves the calling (main) thread into a new network namespace. Throws without CAP_SYS_ADMIN. */
export function unshareNetwork(): void {
  check(cUnshare(CLONE_NEWNET), 'unshare(CLONE_NEWNET)');
}

/** Opens a device for reading and writing; a non-blocking one never waits in read. */
export function openDevice(path: string, nonBlocking: boolean): number {
  return check(cOpen(path, O_RDWR | O_CLOEXEC | (nonBlocking ? O_NONBLOCK : 0)), `open ${path}`);
}

/** ioctl whose argument is a structure, given and returned in `arg`. */
export function ioctl(fd: number, request: number, arg: Uint8Array, what: string): void {
  check(cIoctl(fd, request, arg), what);
}

/** Closes a descriptor. */
export function close(fd: number): void {
  check(cClose(fd), 'close');
}

/** A raw netlink socket of the given protocol, bound to a port id the kernel chooses. */
export function netlinkSocket(protocol: number): number {
  const fd = check(cSocket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), 'socket(AF_NETLINK)');
  const address = new Uint8Array(12); // sockaddr_nl: family 16, port id 0, no groups
  address[0] = AF_NETLINK;
  check(cBind(fd, address, address.length), 'bind netlink socket');
  return fd;
}

/** setsockopt with one int. */
export function setOption(fd: number, level: number, name: number, value: number, what: string): void {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  check(cSetsockopt(fd, level, name, bytes, 4), what);
}

/** Writes one datagram or packet. Returns false on EINVAL (the kernel refuses its content), throws on all else. */
export function writePacket(fd: number, bytes: Uint8Array): boolean {
  if (cWrite(fd, bytes, bytes.length) >= 0) return true;
  const errno = koffi.errno();
  if (errno === EINVAL) return false;
  throw new Error(`write ${bytes.length} bytes: ${errnoName(errno)}`);
}

/** Reads one packet from a non-blocking device; -1 when there is none. */
export function readPacket(fd: number, into: Uint8Array): number {
  const length = cRead(fd, into, into.length);
  if (length >= 0) return length;
  if (koffi.errno() === EAGAIN) return -1;
  throw new Error(`read: ${errnoName(koffi.errno())}`);
}

/**
 * Receives one datagram. Returns its length, or -1 when `wait` is false and there is none. Throws when it does
 * not fit, and on ENOBUFS, by which netlink says that it lost messages.
 */
export function receive(fd: number, into: Uint8Array, wait: boolean): number {
  for (;;) {
    const length = cRecv(fd, into, into.length, wait ? MSG_TRUNC : MSG_TRUNC | MSG_DONTWAIT);
    if (length > into.length) throw new Error(`netlink message of ${length} bytes does not fit`);
    if (length >= 0) return length;
    const errno = koffi.errno();
    if (errno === EAGAIN && !wait) return -1;
    if (errno === EINTR) continue;
    const hint = errno === ERRNO.ENOBUFS ? ' (netlink lost messages, the run is void)' : '';
    throw new Error(`netlink receive: ${errnoName(errno)}${hint}`);
  }
}
