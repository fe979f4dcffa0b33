// Raw IP sockets (raw(7)), which Node does not have, through the C library.

import { load } from 'koffi';

const libc = load('libc.so.6');
const libcSocket = libc.func('int socket(int domain, int type, int protocol)');
const libcBind = libc.func('int bind(int fd, void *address, int length)');
const libcSendto = libc.func(
  'int sendto(int fd, void *data, size_t length, int flags, void *to, int toLength)',
);
const libcRecv = libc.func('int recv(int fd, void *data, size_t length, int flags)');
const libcSetsockopt = libc.func('int setsockopt(int fd, int level, int name, void *value, int length)');
const libcPton = libc.func('int inet_pton(int family, const char *text, void *out)');

// Linux's numbers, the same on all machines CI has (x86-64, arm64).
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_RAW = 3;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;

function isIPv6(address: string): boolean {
  return address.includes(':');
}

/** The 4 or 16 bytes of an address. @throws Error if it is none. */
export function addressBytes(address: string): Buffer {
  const bytes = Buffer.alloc(isIPv6(address) ? 16 : 4);
  const family = isIPv6(address) ? AF_INET6 : AF_INET;
  if (libcPton(family, address, bytes) !== 1) throw new Error(`no address: ${address}`);
  return bytes;
}

/** struct sockaddr_in or sockaddr_in6 with port 0: a raw socket has none. */
function socketAddress(address: string): Buffer {
  const bytes = Buffer.alloc(isIPv6(address) ? 28 : 16);
  bytes.writeUInt16LE(isIPv6(address) ? AF_INET6 : AF_INET, 0);
  addressBytes(address).copy(bytes, isIPv6(address) ? 8 : 4);
  return bytes;
}

function checked(what: string, result: number): number {
  if (result < 0) throw new Error(`${what} failed`);
  return result;
}

/** Sends and receives what stands behind the IP header, for one protocol number. */
export class RawSocket {
  readonly #fd: number;
  readonly #ipv6: boolean;
  readonly #buffer = Buffer.alloc(65_536);

  /** Opens a socket bound to `local`. @throws Error without the right to (root). */
  constructor(local: string, protocol: number) {
    this.#ipv6 = isIPv6(local);
    this.#fd = checked('socket', libcSocket(this.#ipv6 ? AF_INET6 : AF_INET, SOCK_RAW, protocol));
    const address = socketAddress(local);
    checked('bind', libcBind(this.#fd, address, address.length));
  }

  /** Sends a transport header and its data; the kernel puts the IP header before. */
  send(to: string, bytes: Uint8Array): void {
    const address = socketAddress(to);
    checked('sendto', libcSendto(this.#fd, bytes, bytes.length, 0, address, address.length));
  }

  /** The next packet's bytes behind the IP header, a copy, or null after `limit` milliseconds of none. */
  receive(limit: number): Buffer | null {
    const timeval = Buffer.alloc(16);
    timeval.writeBigInt64LE(BigInt(Math.trunc(limit / 1000)), 0);
    timeval.writeBigInt64LE(BigInt((limit % 1000) * 1000), 8);
    checked('setsockopt', libcSetsockopt(this.#fd, SOL_SOCKET, SO_RCVTIMEO, timeval, timeval.length));
    const length = libcRecv(this.#fd, this.#buffer, this.#buffer.length, 0) as number;
    if (length < 0) return null;
    // IPv4 raw sockets hand over the IP header too, IPv6 ones never do (RFC 3542, section 3).
    const start = this.#ipv6 ? 0 : (this.#buffer[0] & 15) * 4;
    return Buffer.from(this.#buffer.subarray(start, length));
  }
}
