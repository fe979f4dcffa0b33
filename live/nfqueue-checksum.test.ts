import { dissect, Packet, resetPacket, sctpPacket, tcpPacket, udpPacket } from '@keepstate/engine';
import { expect, test } from 'vitest';
import { completeChecksum } from './nfqueue-checksum.ts';

const payload = Uint8Array.of(1, 2, 3, 4, 5);
const ends4 = { src: '10.0.0.1', dst: '10.0.0.2', sport: 1000, dport: 80, payload };
const ends6 = { ...ends4, src: 'fd00::1', dst: 'fd00::2' };

test.each([
  ['TCP', tcpPacket({ ...ends4, flags: 2 }), 20 + 16, 2],
  ['TCP over IPv6', tcpPacket({ ...ends6, flags: 2 }), 40 + 16, 2],
  ['UDP', udpPacket(ends4), 20 + 6, 2],
  ['UDP over IPv6', udpPacket(ends6), 40 + 6, 2],
  ['SCTP', sctpPacket({ src: '10.0.0.1', dst: '10.0.0.2', sport: 1, dport: 2, chunks: [] }), 20 + 8, 4],
])('a checksum left to the network card is made whole: %s', (_, whole, at, length) => {
  const bytes = Uint8Array.from(whole);
  bytes.fill(0x5a, at, at + length);
  const pkt = new Packet();
  resetPacket(pkt, bytes, new DataView(bytes.buffer), 0, bytes.length);
  expect(dissect(pkt)).toBe(true);
  completeChecksum(pkt);
  expect(bytes).toEqual(Uint8Array.from(whole));
});
