/** PPTP control messages and GRE packets of a test (RFC 2637). */
import { addressBytes } from './dialogue-tcp.ts';

/** Whole length of each control message, by its type. */
const LENGTHS: readonly number[] = [20, 156, 156, 16, 16, 16, 20, 168, 32, 220, 24, 28, 16, 148, 40, 24, 20];

/** Fields behind the header: 16-bit values by offset, and single bytes. */
export interface Fields {
  readonly words?: Readonly<Record<number, number>>;
  readonly bytes?: Readonly<Record<number, number>>;
}

/** A control message of a type. */
export function control(type: number, { words = {}, bytes = {} }: Fields = {}): Buffer {
  const out = Buffer.alloc(LENGTHS[type] ?? 20);
  out.writeUInt16BE(out.length, 0);
  out.writeUInt16BE(1, 2);
  out.writeUInt32BE(0x1a2b3c4d, 4);
  out.writeUInt16BE(type, 8);
  for (const [at, value] of Object.entries(words)) out.writeUInt16BE(value, Number(at));
  for (const [at, value] of Object.entries(bytes)) out[Number(at)] = value;
  return out;
}

/** Start-Control-Connection-Request, and its Reply. */
export const startRequest = (): Buffer => control(1);
export const startReply = (result = 1): Buffer => control(2, { bytes: { 14: result } });
/** Stop-Control-Connection-Request, and its Reply. */
export const stopRequest = (): Buffer => control(3);
export const stopReply = (result = 1): Buffer => control(4, { bytes: { 12: result } });
/** Outgoing-Call-Request and Reply: own call id, the peer's. */
export const outgoingRequest = (id: number): Buffer => control(7, { words: { 12: id } });
export const outgoingReply = (id: number, peer: number, result = 1): Buffer =>
  control(8, { words: { 12: id, 14: peer }, bytes: { 16: result } });
/** Incoming-Call-Request, Reply, Connected. */
export const incomingRequest = (id: number): Buffer => control(9, { words: { 12: id } });
export const incomingReply = (id: number, peer: number, result = 1): Buffer =>
  control(10, { words: { 12: id, 14: peer }, bytes: { 16: result } });
export const incomingConnected = (peer: number): Buffer => control(11, { words: { 12: peer } });
/** Call-Clear-Request, Call-Disconnect-Notify, WAN-Error-Notify, Set-Link-Info. */
export const clearRequest = (id: number): Buffer => control(12, { words: { 12: id } });
export const disconnectNotify = (id: number): Buffer => control(13, { words: { 12: id } });
export const wanError = (peer: number): Buffer => control(14, { words: { 12: peer } });
export const linkInfo = (peer: number): Buffer => control(15, { words: { 12: peer } });

function checksum(bytes: Buffer, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function ipv4(src: string, dst: string, proto: number, length: number): Buffer {
  const out = Buffer.alloc(length);
  out[0] = 0x45;
  out.writeUInt16BE(length, 2);
  out[8] = 64;
  out[9] = proto;
  out.set(addressBytes(src), 12);
  out.set(addressBytes(dst), 16);
  out.writeUInt16BE(checksum(out, 0, 20), 10);
  return out;
}

/** An ICMP error (host unreachable) that quotes a packet. */
export function unreachable(src: string, dst: string, quoted: Uint8Array): Buffer {
  const out = ipv4(src, dst, 1, 28 + quoted.length);
  out.set([3, 1], 20);
  out.set(quoted, 28);
  out.writeUInt16BE(checksum(out, 20, out.length), 22);
  return out;
}

/** A GRE packet of version 1 with three bytes of payload. @param key the receiver's call id */
export function grePacket(src: string, dst: string, key: number): Buffer {
  const out = ipv4(src, dst, 47, 35);
  out.writeUInt16BE(0x3001, 20);
  out.writeUInt16BE(0x880b, 22);
  out.writeUInt16BE(3, 24);
  out.writeUInt16BE(key, 26);
  out.writeUInt32BE(1, 28);
  out.set([1, 2, 3], 32);
  return out;
}
