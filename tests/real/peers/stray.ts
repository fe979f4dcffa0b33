// Sends one TCP segment that belongs to no connection: a SYN/ACK nobody asked for, as backscatter of a
// flood with forged addresses brings it. Usage: stray.ts LOCAL LOCAL_PORT REMOTE REMOTE_PORT

import { addressBytes, RawSocket } from './raw-socket.ts';

const IPPROTO_TCP = 6;
const SYN_ACK = 0x12;

/** The Internet checksum (RFC 1071) of an even number of bytes. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function synAck(local: string, source: number, remote: string, destination: number): Buffer {
  const segment = Buffer.alloc(20);
  segment.writeUInt16BE(source, 0);
  segment.writeUInt16BE(destination, 2);
  segment.writeUInt32BE(0x12345678, 4);
  segment.writeUInt32BE(0x9abcdef0, 8);
  segment.writeUInt8((segment.length / 4) << 4, 12);
  segment.writeUInt8(SYN_ACK, 13);
  segment.writeUInt16BE(65_535, 14);
  // The pseudo header of RFC 9293, section 3.1; IPv6's (RFC 8200, 8.1) sums up to the same.
  const tail = Buffer.from([0, IPPROTO_TCP, 0, segment.length]);
  const pseudo = Buffer.concat([addressBytes(local), addressBytes(remote), tail]);
  segment.writeUInt16BE(checksum(Buffer.concat([pseudo, segment])), 16);
  return segment;
}

const [local, source, remote, destination] = process.argv.slice(2);
new RawSocket(local, IPPROTO_TCP).send(remote, synAck(local, Number(source), remote, Number(destination)));
