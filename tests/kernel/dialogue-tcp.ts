/** Two ends of a TCP connection (or UDP exchange) that make a dialogue's packets, each counting as it really would. */
import type { Entry, RulePacket } from './rules-types.ts';

/** A segment's flags. */
export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;

function sum(bytes: Uint8Array, initial = 0): number {
  let total = initial;
  for (let i = 0; i < bytes.length; i += 2) total += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}

/** Bytes of an address. */
export function addressBytes(text: string): Uint8Array {
  if (!text.includes(':')) return Uint8Array.from(text.split('.'), Number);
  const [head = '', tail = ''] = text.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return Uint8Array.from(groups.flatMap((g) => [Number.parseInt(g, 16) >> 8, Number.parseInt(g, 16) & 255]));
}

/** Text of 4 or 16 bytes. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i]! << 8) | bytes[2 * i + 1]!).toString(16));
  return groups.join(':');
}

function ipPacket(src: string, dst: string, proto: number, body: Buffer, checksumAt: number): Buffer {
  const [from, to] = [addressBytes(src), addressBytes(dst)];
  const pseudo = sum(from) + sum(to) + proto + body.length;
  if (checksumAt >= 0) {
    body.writeUInt16BE(0, checksumAt);
    const checksum = ~sum(body, pseudo) & 0xffff;
    body.writeUInt16BE(checksum === 0 && proto === 17 ? 0xffff : checksum, checksumAt);
  }
  if (from.length === 16) {
    const head = Buffer.alloc(8);
    head[0] = 0x60;
    head.writeUInt16BE(body.length, 4);
    head[6] = proto;
    head[7] = 64;
    return Buffer.concat([head, from, to, body]);
  }
  const head = Buffer.alloc(20);
  head[0] = 0x45;
  head.writeUInt16BE(20 + body.length, 2);
  head.writeUInt16BE(1, 4);
  head[8] = 64;
  head[9] = proto;
  head.set(from, 12);
  head.set(to, 16);
  head.writeUInt16BE(~sum(head) & 0xffff, 10);
  return Buffer.concat([head, body]);
}

/** Payload as given: text stands for one byte a character (latin1). */
export function payloadBytes(payload: string | Uint8Array): Buffer {
  return typeof payload === 'string' ? Buffer.from(payload, 'latin1') : Buffer.from(payload);
}

/** A UDP packet with its checksum. */
export function udpPacket(
  src: string,
  sport: number,
  dst: string,
  dport: number,
  payload: string | Uint8Array,
): Buffer {
  const data = payloadBytes(payload);
  const body = Buffer.alloc(8 + data.length);
  body.writeUInt16BE(sport, 0);
  body.writeUInt16BE(dport, 2);
  body.writeUInt16BE(body.length, 4);
  data.copy(body, 8);
  return ipPacket(src, dst, 17, body, 6);
}

/** Fields of a TCP segment. */
export interface Segment {
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  readonly payload?: string | Uint8Array;
  readonly window?: number;
  /** Padded to four bytes with no-operations. */
  readonly options?: readonly number[];
}

/** A TCP packet with its checksum. */
export function tcpPacket(src: string, sport: number, dst: string, dport: number, s: Segment): Buffer {
  const data = payloadBytes(s.payload ?? '');
  const options = [...(s.options ?? [])];
  while (options.length % 4 !== 0) options.push(1);
  const body = Buffer.alloc(20 + options.length + data.length);
  body.writeUInt16BE(sport, 0);
  body.writeUInt16BE(dport, 2);
  body.writeUInt32BE(s.seq >>> 0, 4);
  body.writeUInt32BE(s.ack >>> 0, 8);
  body[12] = (5 + options.length / 4) << 4;
  body[13] = s.flags;
  body.writeUInt16BE(s.window ?? 8192, 14);
  body.set(options, 20);
  data.copy(body, 20 + options.length);
  return ipPacket(src, dst, 6, body, 16);
}

/** One end: where its packets enter, and what address and port it has and speaks to as it sees them. */
export interface End {
  readonly from: Entry;
  readonly src: string;
  readonly sport: number;
  readonly dst: string;
  readonly dport: number;
}

/** What one end has sent and, of the other, is expected to have got. */
interface Count {
  seq: number;
}

/**
 * A TCP connection seen from both ends. Translation between them is told by the ends' different addresses; where it
 * changes the payload's length, `shift` says by how much each end's acknowledgements differ from what the other sent.
 */
export class TcpTalk {
  readonly packets: RulePacket[] = [];
  private readonly ends: readonly [End, End];
  private readonly counts: readonly [Count, Count];
  /** Bytes that translation added to what each end sent: its peer acknowledges those too. */
  readonly shift: [number, number] = [0, 0];

  constructor(client: End, server: End, seq: readonly [number, number] = [1000, 5000]) {
    this.ends = [client, server];
    this.counts = [{ seq: seq[0] }, { seq: seq[1] }];
  }

  /** The next sequence number of an end: 0 the client, 1 the server. */
  next(end: 0 | 1): number {
    return this.counts[end].seq >>> 0;
  }

  /** Three packets that open the connection. @param options of both SYNs */
  open(options: readonly number[] = []): this {
    this.send(0, SYN, '', { options, ack: 0 });
    this.send(1, SYN | ACK, '', { options });
    return this.send(0, ACK);
  }

  /** One end says something; its numbers go on. */
  say(end: 0 | 1, payload: string | Uint8Array): this {
    return this.send(end, PSH | ACK, payload);
  }

  /** One end acknowledges all. */
  ack(end: 0 | 1): this {
    return this.send(end, ACK);
  }

  /** A segment; whatever is not given follows from what was sent before. */
  send(end: 0 | 1, flags: number, payload: string | Uint8Array = '', other: Partial<Segment> = {}): this {
    const count = this.counts[end];
    const peer = end === 0 ? 1 : 0;
    const ack = (flags & ACK) === 0 ? 0 : this.counts[peer].seq + this.shift[peer];
    const seq = other.seq ?? count.seq;
    this.raw(end, { flags, seq, ack, payload, ...other });
    const length = payloadBytes(payload).length + ((flags & (SYN | FIN)) !== 0 ? 1 : 0);
    if (other.seq === undefined) count.seq = (count.seq + length) | 0;
    return this;
  }

  /** A segment with these very fields. Nothing is counted. */
  raw(end: 0 | 1, segment: Segment): this {
    const { from, src, sport, dst, dport } = this.ends[end];
    this.packets.push({ from, bytes: tcpPacket(src, sport, dst, dport, segment) });
    return this;
  }
}
