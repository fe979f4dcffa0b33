/**
 * The calls of the C library that live I/O makes, all of them synchronous, and the little that is needed to call more.
 * Linux, little endian. Pointers are plain numbers: user space ends below 2^47, and a BigInt for each call would be
 * garbage.
 */
import koffi from 'koffi';
import { DriverError } from './driver.ts';

const libc = koffi.load('libc.so.6');

/**
 * Makes a function of libc callable.
 * @param prototype its C prototype; pointers as `void *` (a Uint8Array is given) or `uintptr_t` (an address)
 */
export function declare<F extends (...args: never[]) => number>(prototype: string): F {
  return libc.func(prototype) as unknown as F;
}

/** A call that gets an address and a length: `recv`, `send`, … */
type Transfer = (fd: number, address: number, length: number, flags: number) => number;

// Lengths come back as ssize_t; no call here moves 2 GiB, and int costs less to convert.
const cOpen = declare<(path: string, flags: number) => number>('int open(const char *path, int flags)');
const cIoctl = declare<(fd: number, request: number, arg: Uint8Array) => number>(
  'int ioctl(int fd, unsigned long request, void *arg)',
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
const cGetsockopt = declare<
  (fd: number, level: number, name: number, value: Uint8Array, length: Uint8Array) => number
>('int getsockopt(int fd, int level, int name, void *value, void *length)');
const cMmap = declare<
  (at: number, length: number, prot: number, flags: number, fd: number, offset: number) => number
>('uintptr_t mmap(uintptr_t at, size_t length, int prot, int flags, int fd, long offset)');
const cMunmap = declare<(at: number, length: number) => number>('int munmap(uintptr_t at, size_t length)');
const cPoll = declare<(fds: Uint8Array, count: number, timeout: number) => number>(
  'int poll(void *fds, ulong count, int timeout)',
);
const cIfIndex = declare<(name: string) => number>('uint if_nametoindex(const char *name)');
const cEpollCreate = declare<(flags: number) => number>('int epoll_create1(int flags)');
const cEpollCtl = declare<(epoll: number, op: number, fd: number, event: Uint8Array) => number>(
  'int epoll_ctl(int epoll, int op, int fd, void *event)',
);

/** close(2): 0, or -1. */
export const close: (fd: number) => number = declare('int close(int fd)');
/** read(2) to an address: bytes, or -1. */
export const readAt: (fd: number, address: number, length: number) => number = declare(
  'int read(int fd, uintptr_t into, size_t length)',
);
/** write(2) from an address: bytes, or -1. */
export const writeAt: (fd: number, address: number, length: number) => number = declare(
  'int write(int fd, uintptr_t from, size_t length)',
);
/** recv(2) to an address: bytes, or -1. */
export const recvAt: Transfer = declare('int recv(int fd, uintptr_t into, size_t length, int flags)');
/** send(2) from an address: bytes, or -1. */
export const sendAt: Transfer = declare('int send(int fd, uintptr_t from, size_t length, int flags)');
/** sendmmsg(2): how many of the `count` struct mmsghdr at `headers` were sent, or -1. */
export const sendmmsg: (fd: number, headers: number, count: number, flags: number) => number = declare(
  'int sendmmsg(int fd, uintptr_t headers, uint count, int flags)',
);
/** recvmmsg(2) without a timeout: how many of the `count` struct mmsghdr at `headers` were filled, or -1. */
export const recvmmsg: (
  fd: number,
  headers: number,
  count: number,
  flags: number,
  timeout: number,
) => number = declare('int recvmmsg(int fd, uintptr_t headers, uint count, int flags, uintptr_t timeout)');

/** Error numbers by name. */
const ERRNO: Readonly<Record<string, number>> = koffi.os.errno;
export const EPERM: number = ERRNO.EPERM!;
export const ENOENT: number = ERRNO.ENOENT!;
export const EINTR: number = ERRNO.EINTR!;
export const ENXIO: number = ERRNO.ENXIO!;
export const EAGAIN: number = ERRNO.EAGAIN!;
export const EACCES: number = ERRNO.EACCES!;
export const EBUSY: number = ERRNO.EBUSY!;
export const EINVAL: number = ERRNO.EINVAL!;
export const ENODEV: number = ERRNO.ENODEV!;
export const EBADFD: number = ERRNO.EBADFD!;
export const ENETDOWN: number = ERRNO.ENETDOWN!;
export const ENOBUFS: number = ERRNO.ENOBUFS!;

export const O_RDWR = 2;
export const O_NONBLOCK = 0x800;
const O_CLOEXEC = 0x80000;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x80000;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;
export const SOL_SOCKET = 1;
const SO_ERROR = 4;
export const SO_RCVBUF = 8;
export const SO_SNDBUFFORCE = 32;
export const SO_RCVBUFFORCE = 33;
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const POLLIN = 1;
export const POLLOUT = 4;
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
export const MAP_ANONYMOUS = 0x20;
const PROT_READ_WRITE = 3;
const EPOLL_CTL_ADD = 1;

/** Number of the error that the last call ended with. */
export function lastErrno(): number {
  return koffi.errno();
}

/** Symbolic name of an errno value (`ENODEV`), or the number as text. */
export function errnoName(errno: number): string {
  return Object.keys(ERRNO).find((name) => ERRNO[name] === errno) ?? `errno ${errno}`;
}

/**
 * @param what what was tried, as a gerund: `opening /dev/net/tun`
 * @param capability that it takes, named if the kernel said no for lack of rights
 * @returns the result, if it says success
 * @throws DriverError if it is negative: `what: ENODEV` or `what needs CAP_NET_RAW`
 */
export function check(result: number, what: string, capability = ''): number {
  if (result >= 0) return result;
  const errno = lastErrno();
  if (capability !== '' && (errno === EPERM || errno === EACCES))
    throw new DriverError(`${what} needs ${capability}`);
  throw new DriverError(`${what}: ${errnoName(errno)}`);
}

/** open(2): a descriptor, or -1. */
export function open(path: string, flags: number): number {
  return cOpen(path, flags | O_CLOEXEC);
}

/** ioctl(2) whose argument is a structure, given and returned in `arg`: at least 0, or -1. */
export function ioctl(fd: number, request: number, arg: Uint8Array): number {
  return cIoctl(fd, request, arg);
}

/** socket(2), closed on exec: a descriptor, or -1. */
export function socket(family: number, type: number, protocol: number): number {
  return cSocket(family, type | SOCK_CLOEXEC, protocol);
}

/** bind(2) to a struct sockaddr of any kind: 0, or -1. */
export function bind(fd: number, address: Uint8Array): number {
  return cBind(fd, address, address.length);
}

/** setsockopt(2) with a structure: 0, or -1. */
export function setOption(fd: number, level: number, name: number, value: Uint8Array): number {
  return cSetsockopt(fd, level, name, value, value.length);
}

/** setsockopt(2) with an int: 0, or -1. */
export function setIntOption(fd: number, level: number, name: number, value: number): number {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return cSetsockopt(fd, level, name, bytes, 4);
}

/** getsockopt(2) into `value`: 0, or -1. */
export function getOption(fd: number, level: number, name: number, value: Uint8Array): number {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setInt32(0, value.length, true);
  return cGetsockopt(fd, level, name, value, length);
}

/** The error that waits at a socket (SO_ERROR), and forgets it; 0 for none. */
export function takeError(fd: number): number {
  const value = new Uint8Array(4);
  getOption(fd, SOL_SOCKET, SO_ERROR, value);
  return new DataView(value.buffer).getInt32(0, true);
}

/** mmap(2) for reading and writing, at an address that the kernel chooses. @returns it, or -1 */
export function mmap(length: number, flags: number, fd: number): number {
  const at = cMmap(0, length, PROT_READ_WRITE, flags, fd, 0);
  return at > 2 ** 48 ? -1 : at;
}

/** munmap(2): 0, or -1. */
export function munmap(at: number, length: number): number {
  return cMunmap(at, length);
}

/** Memory at an address, without a copy. It must not be touched once it is unmapped. */
export function bytesAt(address: number, length: number): Uint8Array {
  return new Uint8Array(koffi.view(BigInt(address), length));
}

/** Where a buffer is. Give it one with an ArrayBuffer of its own: V8 moves short ones that have none. */
export function addressOf(bytes: Uint8Array): number {
  return Number(koffi.address(bytes));
}

/**
 * Waits until a descriptor is ready.
 * @param events POLLIN, POLLOUT
 * @param timeout ms; -1 waits for ever
 * @returns which of them are (and POLLERR, POLLHUP); 0 if none in time
 */
export function poll(fd: number, events: number, timeout: number): number {
  const entry = new Uint8Array(8); // struct pollfd: fd, events, revents
  const view = new DataView(entry.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, events, true);
  return cPoll(entry, 1, timeout) > 0 ? view.getInt16(6, true) : 0;
}

/** Number of a network device, 0 if there is none of that name. */
export function deviceIndex(name: string): number {
  return cIfIndex(name);
}

/**
 * A descriptor that is readable whenever one of `fds` is, or has an error.
 * @throws DriverError
 */
export function pollSet(fds: readonly number[]): number {
  const set = check(cEpollCreate(O_CLOEXEC), 'making an epoll set');
  const event = new Uint8Array(12); // struct epoll_event, packed: events, data
  new DataView(event.buffer).setUint32(0, POLLIN, true);
  for (const fd of fds) check(cEpollCtl(set, EPOLL_CTL_ADD, fd, event), `waiting for descriptor ${fd}`);
  return set;
}
