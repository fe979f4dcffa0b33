/** Netlink framing (RFC 3549 section 2, netlink(7)): build requests, walk messages and attributes. */
import { close, errnoName, netlinkSocket, receive, setOption, writePacket } from './libc.ts';

export const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
export const NLM_F_DUMP = 0x300;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;

const NETLINK_NETFILTER = 12;
const ENOENT = 2;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;
/** nlmsghdr: length u32, type u16, flags u16, sequence u32, port id u32 (host order). */
const HEADER = 16;
/** nfgenmsg: family u8, version u8, resource id u16 big endian. */
const GENERIC = 4;

const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;

/** Big enough for any netlink datagram the kernel builds here (dumps use at most 32 KiB). */
const RECEIVE_BYTES = 1 << 17;

/** One attribute: length u16, type u16 (host order), payload, padding to four bytes. */
export function attribute(type: number, ...payload: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(payload);
  const result = Buffer.alloc((4 + body.length + 3) & ~3);
  result.writeUInt16LE(4 + body.length, 0);
  result.writeUInt16LE(type, 2);
  body.copy(result, 4);
  return result;
}

/** An attribute made of attributes. */
export function nest(type: number, ...attributes: readonly Uint8Array[]): Buffer {
  return attribute(type | NLA_F_NESTED, ...attributes);
}

/** Payload: one byte. */
export function u8(value: number): Buffer {
  return Buffer.of(value);
}

/** Payload: 16 bits, network order. */
export function be16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

/** Payload: 32 bits, network order; negative numbers as two's complement. */
export function be32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** Payload: text with the terminating zero byte. */
export function text(value: string): Buffer {
  return Buffer.from(`${value}\0`, 'latin1');
}

/** One nfnetlink message: subsystem and message number, family, resource id, attributes. */
export function message(
  subsystem: number,
  type: number,
  flags: number,
  family: number,
  resource: number,
  ...attributes: readonly Uint8Array[]
): Buffer {
  const head = Buffer.alloc(HEADER + GENERIC);
  const body = Buffer.concat(attributes);
  head.writeUInt32LE(head.length + body.length, 0);
  head.writeUInt16LE((subsystem << 8) | type, 4);
  head.writeUInt16LE(NLM_F_REQUEST | flags, 6);
  head[16] = family;
  head.writeUInt16BE(resource, 18);
  return Buffer.concat([head, body]);
}

/** Calls `each` for every attribute in buffer[start, end) with its type and the range of its payload. */
export function eachAttribute(
  buffer: Buffer,
  start: number,
  end: number,
  each: (type: number, from: number, to: number) => void,
): void {
  let at = start;
  while (at + 4 <= end) {
    const length = buffer.readUInt16LE(at);
    if (length < 4 || at + length > end) throw new Error('netlink attribute overruns its message');
    each(buffer.readUInt16LE(at + 2) & NLA_TYPE_MASK, at + 4, at + length);
    at += (length + 3) & ~3;
  }
}

/** One received nfnetlink message: `from`..`to` are its attributes inside `buffer`, valid during the callback. */
export interface NetlinkMessage {
  readonly buffer: Buffer;
  readonly subsystem: number;
  readonly type: number;
  readonly flags: number;
  readonly family: number;
  readonly resource: number;
  readonly from: number;
  readonly to: number;
}

type OnMessage = (received: NetlinkMessage) => void;

const NOTHING: OnMessage = () => {};

function refuse(errno: number, what: string): void {
  if (errno !== 0) throw new Error(`${what}: ${errnoName(errno)}`);
}

/** A NETLINK_NETFILTER socket. Not shared between readers: replies and notifications need two of them. */
export class NetlinkSocket {
  private readonly fd: number;
  private readonly buffer: Buffer = Buffer.alloc(RECEIVE_BYTES);

  /** `receiveBytes` sets the socket's buffer beyond rmem_max. */
  constructor(receiveBytes = 1 << 20) {
    this.fd = netlinkSocket(NETLINK_NETFILTER);
    setOption(this.fd, SOL_SOCKET, SO_RCVBUFFORCE, receiveBytes, 'SO_RCVBUFFORCE');
  }

  /** Joins a multicast group (NFNLGRP_*). */
  join(group: number): void {
    setOption(this.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group, `join netlink group ${group}`);
  }

  /** Sends messages in one datagram and waits for `acks` acknowledgements; throws the first error. */
  transact(messages: readonly Buffer[], acks: number, what: string): void {
    this.send(Buffer.concat(messages), what);
    let missing = acks;
    while (missing > 0) {
      this.walk(receive(this.fd, this.buffer, true), what, NOTHING, (errno) => {
        refuse(errno, what);
        missing--;
      });
    }
  }

  /** Sends a dump request and calls `each` for every message of the answer. */
  dump(request: Buffer, what: string, each: OnMessage): void {
    this.send(request, what);
    let done = false;
    while (!done) {
      this.walk(receive(this.fd, this.buffer, true), what, each, (errno) => {
        refuse(errno, what);
        done = true;
      });
    }
  }

  /** Asks for one object: calls `each` with it, or not at all when there is none (ENOENT). */
  lookup(request: Buffer, what: string, each: OnMessage): void {
    this.send(request, what);
    this.walk(receive(this.fd, this.buffer, true), what, each, (errno) => {
      if (errno !== ENOENT) refuse(errno, what);
    });
  }

  /** Hands over everything that has arrived, without waiting. */
  drain(what: string, each: OnMessage): void {
    for (;;) {
      const length = receive(this.fd, this.buffer, false);
      if (length < 0) return;
      this.walk(length, what, each, (errno) => refuse(errno, what));
    }
  }

  close(): void {
    close(this.fd);
  }

  private send(datagram: Buffer, what: string): void {
    if (!writePacket(this.fd, datagram)) throw new Error(`${what}: netlink refused the datagram`);
  }

  private walk(length: number, what: string, each: OnMessage, end: (errno: number) => void): void {
    const buffer = this.buffer;
    for (let at = 0; at + HEADER <= length; ) {
      const size = buffer.readUInt32LE(at);
      const type = buffer.readUInt16LE(at + 4);
      if (size < HEADER || at + size > length) throw new Error(`${what}: netlink message is cut short`);
      if (type === NLMSG_ERROR || type === NLMSG_DONE) {
        end(size >= HEADER + 4 ? -buffer.readInt32LE(at + HEADER) : 0);
      } else {
        each({
          buffer,
          subsystem: type >> 8,
          type: type & 0xff,
          flags: buffer.readUInt16LE(at + 6),
          family: buffer[at + 16]!,
          resource: buffer.readUInt16BE(at + 18),
          from: at + HEADER + GENERIC,
          to: at + size,
        });
      }
      at += (size + 3) & ~3;
    }
  }
}
