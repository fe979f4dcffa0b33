/** A small packet maker for the oracle's own tests; independent of the engine on purpose. */

/** Internet checksum (RFC 1071) of some bytes, with `initial` added. */
function checksum(bytes: Uint8Array, initial = 0): number {
  let sum = initial;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function sumOf(bytes: Uint8Array): number {
  return ~checksum(bytes) & 0xffff;
}

function address(text: string): Uint8Array {
  if (!text.includes(':')) return Uint8Array.from(text.split('.'), Number);
  const [head = '', tail = ''] = text.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return Uint8Array.from(
    groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16)]),
  );
}

/** IP header fields that are not always the same. */
export interface IpFields {
  readonly ttl?: number;
  readonly id?: number;
  /** Flags and offset of an IPv4 fragment. */
  readonly fragment?: number;
}

/** An IPv4 or IPv6 packet, by the look of the addresses. */
export function ip(
  src: string,
  dst: string,
  protocol: number,
  payload: Uint8Array,
  fields: IpFields = {},
): Buffer {
  const [from, to] = [address(src), address(dst)];
  if (from.length === 16) {
    const head = Buffer.alloc(40);
    head[0] = 0x60;
    head.writeUInt16BE(payload.length, 4);
    head[6] = protocol;
    head[7] = fields.ttl ?? 64;
    return Buffer.concat([head.subarray(0, 8), from, to, payload]);
  }
  const head = Buffer.alloc(20);
  head[0] = 0x45;
  head.writeUInt16BE(20 + payload.length, 2);
  head.writeUInt16BE(fields.id ?? 1, 4);
  head.writeUInt16BE(fields.fragment ?? 0, 6);
  head[8] = fields.ttl ?? 64;
  head[9] = protocol;
  head.set(from, 12);
  head.set(to, 16);
  head.writeUInt16BE(checksum(head), 10);
  return Buffer.concat([head, payload]);
}

function pseudoHeader(src: string, dst: string, protocol: number, length: number): number {
  return sumOf(address(src)) + sumOf(address(dst)) + protocol + length;
}

/** UDP packet; without checksum, which conntrack accepts over IPv4 and IPv6 (docs: kernel facts, UDP). */
export function udp(src: string, sport: number, dst: string, dport: number, payload = 'ping'): Buffer {
  const body = Buffer.alloc(8 + payload.length);
  body.writeUInt16BE(sport, 0);
  body.writeUInt16BE(dport, 2);
  body.writeUInt16BE(body.length, 4);
  body.write(payload, 8, 'latin1');
  return ip(src, dst, 17, body);
}

/** TCP flag bits. */
export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const ACK = 16;

/** TCP packet without options; `wrong` is added to its checksum. */
export function tcp(
  src: string,
  sport: number,
  dst: string,
  dport: number,
  flags: number,
  seq: number,
  ack: number,
  wrong = 0,
): Buffer {
  const body = Buffer.alloc(20);
  body.writeUInt16BE(sport, 0);
  body.writeUInt16BE(dport, 2);
  body.writeUInt32BE(seq, 4);
  body.writeUInt32BE(ack, 8);
  body[12] = 0x50;
  body[13] = flags;
  body.writeUInt16BE(8192, 14);
  body.writeUInt16BE((checksum(body, pseudoHeader(src, dst, 6, body.length)) + wrong) & 0xffff, 16);
  return ip(src, dst, 6, body);
}

/** ICMP or ICMPv6 message: type, code, the four bytes behind the checksum, payload. */
export function icmp(
  src: string,
  dst: string,
  type: number,
  code: number,
  rest: number,
  payload: Uint8Array,
): Buffer {
  const v6 = src.includes(':');
  const body = Buffer.concat([Buffer.from([type, code, 0, 0, 0, 0, 0, 0]), payload]);
  body.writeUInt32BE(rest, 4);
  body.writeUInt16BE(checksum(body, v6 ? pseudoHeader(src, dst, 58, body.length) : 0), 2);
  return ip(src, dst, v6 ? 58 : 1, body, { ttl: v6 ? 255 : 64 });
}

/** Cuts an IPv4 packet without options into two fragments, the first with `size` payload bytes (multiple of 8). */
export function fragments(packet: Buffer, size: number, id: number): [Buffer, Buffer] {
  const dotted = (at: number): string => packet.subarray(at, at + 4).join('.');
  const part = (payload: Buffer, fragment: number): Buffer =>
    ip(dotted(12), dotted(16), packet[9]!, payload, { id, fragment });
  return [part(packet.subarray(20, 20 + size), 0x2000), part(packet.subarray(20 + size), size / 8)];
}
