import { describe, expect, test } from 'vitest';
import { icmpErrorPacket, icmpPacket, tcpPacket, udpPacket } from './build.ts';
import { viewOf } from './build-bytes.ts';
import { ingressReset, ingressUnreachable } from './build-reject-ingress.ts';
import { dissect } from './dissect.ts';
import { Packet, resetPacket } from './packet.ts';

const FOUR = { src: '192.168.1.5', dst: '198.51.100.7', sport: 1, dport: 2, ip: { id: 1 } };
const SIX = { src: 'fd00:1::6', dst: '2001:db8:5::1', sport: 1, dport: 2 };

function read(bytes: Uint8Array, pkttype = 0): Packet {
  const pkt = new Packet();
  resetPacket(pkt, bytes, viewOf(bytes), 0, bytes.length);
  expect(dissect(pkt)).toBe(true);
  pkt.pkttype = pkttype;
  return pkt;
}

function hex(answer: Uint8Array | null): string | null {
  return answer === null ? null : Buffer.from(answer).toString('hex');
}

function unreachable(bytes: Uint8Array, pkttype = 0): string | null {
  const pkt = read(bytes, pkttype);
  return hex(ingressUnreachable(pkt, pkt.family === 2 ? 3 : 4));
}

// What came out of a TAP device with \`reject\` at its ingress, Linux 6.18.
describe('reject at ingress answers from the address that was asked for', () => {
  test.each([
    [
      'UDP',
      udpPacket({ ...FOUR, payload: 'abcde' }),
      '4500003d0000400040014ed8c6336407c0a801050303e903000000004500002100010000',
    ],
    [
      'a long datagram, of which it quotes 536 bytes',
      udpPacket({ ...FOUR, payload: 700, ip: { id: 1, tos: 0x28, ttl: 7 } }),
      '450002340000400040014ce1c6336407c0a801050303ebba00000000452802d800010000',
    ],
    [
      'a group',
      udpPacket({ ...FOUR, dst: '224.0.0.9', checksum: 0, payload: 4 }),
      '4500003c000040004001990ae0000009c0a801050303fced000000004500002000010000',
    ],
    [
      'another error than "unreachable"',
      icmpPacket({ ...FOUR, type: 11, code: 0, payload: 30 }),
      '450000560000400040014ebfc6336407c0a801050303fcfc000000004500003a00010000',
    ],
    [
      'UDP over IPv6',
      udpPacket({ ...SIX, payload: 'abcde' }),
      '60000000003d3a4020010db8000500000000000000000001fd0000010000000000000000000000060104628e00000000',
    ],
    [
      'a long one, of which it quotes 1220 bytes',
      udpPacket({ ...SIX, payload: 1400, ip: { tos: 0x28, ttl: 7, flowLabel: 5 } }),
      '6000000004cc3a4020010db8000500000000000000000001fd00000100000000000000000000000601045bb300000000',
    ],
  ])('%s', (_name, bytes, answer) => {
    expect(unreachable(bytes)?.slice(0, answer.length)).toBe(answer);
  });

  test('a segment, by a reset', () => {
    const answer = ingressReset(read(tcpPacket({ ...FOUR, flags: 2, seq: 5, ack: 0 })));
    expect(hex(answer)).toBe(
      '450000280000400040064ee8c6336407c0a8010500020001000000000000000650140000c3df0000',
    );
  });

  test('nobody, where Linux does not', () => {
    const wrong = udpPacket({ ...FOUR, payload: 4, checksum: 9 });
    const quoted = udpPacket({ ...FOUR, src: FOUR.dst, dst: FOUR.src });
    const error = icmpErrorPacket({ ...FOUR, type: 3, code: 1, quoted });
    expect([unreachable(wrong), unreachable(error), unreachable(udpPacket(FOUR), 1)]).toEqual([
      null,
      null,
      null,
    ]);
    const segments = [{ flags: 4 }, { flags: 2, checksum: 9 }].map((more) =>
      read(tcpPacket({ ...FOUR, seq: 5, ack: 0, ...more })),
    );
    expect(segments.map(ingressReset)).toEqual([null, null]);
  });
});
