import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { icmpPacket, icmpv6Packet, sctpPacket, tcpPacket, udpPacket } from '../packet/build.ts';
import { viewOf } from '../packet/build-bytes.ts';
import { fold, sctpCrc, sum, transportChecksumOk } from '../packet/checksum.ts';
import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import { manipPacket } from './manip.ts';
import { NF_NAT_MANIP_DST, NF_NAT_MANIP_SRC } from './range.ts';
import { addressAt, ManipTarget } from './target.ts';

const V4 = { src: '10.0.0.2', dst: '198.51.100.7', sport: 1000, dport: 80 };
const V6 = { src: 'fd00::2', dst: '2001:db8::7', sport: 1000, dport: 80 };

function target(family: number, manip: number, words: readonly number[], port: number): ManipTarget {
  const out = new ManipTarget();
  out.family = family;
  out.manip = manip;
  out.words.set(words);
  out.port = port;
  out.id = port;
  return out;
}

function isSound(bytes: Uint8Array): boolean {
  const view = viewOf(bytes);
  const v6 = bytes[0]! >> 4 === 6;
  const l4 = v6 ? 40 : 20;
  const proto = bytes[v6 ? 6 : 9]!;
  if (!v6 && fold(sum(view, 0, 20)) !== 0xffff) return false;
  if (proto === 132) return view.getInt32(l4 + 8) === sctpCrc(view, l4, bytes.length);
  if (proto === 1) return fold(sum(view, l4, bytes.length)) === 0xffff;
  return transportChecksumOk(view, 0, v6 ? AF_INET6 : AF_INET, proto, l4, bytes.length);
}

const word = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const packets = fc.oneof(
  ...[V4, V6].flatMap((ends) => [
    fc.uint8Array({ maxLength: 40 }).map((payload) => tcpPacket({ ...ends, flags: 16, payload })),
    fc.uint8Array({ maxLength: 40 }).map((payload) => udpPacket({ ...ends, payload })),
    fc.nat(40).map((tag) => sctpPacket({ ...ends, vtag: tag, chunks: [{ type: 0, value: tag }] })),
  ]),
  fc.uint8Array({ maxLength: 20 }).map((payload) => icmpPacket({ ...V4, type: 8, id: 7, payload })),
  fc.uint8Array({ maxLength: 20 }).map((payload) => icmpv6Packet({ ...V6, type: 128, id: 7, payload })),
);

describe('one end of a packet', () => {
  test('changes, its checksums stay right, and all else stays as it is', () => {
    fc.assert(
      fc.property(
        packets,
        fc.constantFrom(NF_NAT_MANIP_SRC, NF_NAT_MANIP_DST),
        fc.tuple(word, word, word, word),
        fc.nat(65535),
        (packet, manip, words, port) => {
          const bytes = packet.slice();
          const family = bytes[0]! >> 4 === 6 ? AF_INET6 : AF_INET;
          const there = target(family, manip, words, port);
          const at = addressAt(family, manip);
          const before = viewOf(packet);
          expect(manipPacket(viewOf(bytes), 0, bytes.length, there)).toBe(true);
          expect(viewOf(bytes).getInt32(at)).toBe(words[0]);
          expect(isSound(bytes)).toBe(true);
          // And back again.
          const l4 = family === AF_INET ? 20 : 40;
          const isIcmp = [1, 58].includes(packet[family === AF_INET ? 9 : 6]!);
          const portAt = isIcmp ? l4 + 4 : manip === NF_NAT_MANIP_SRC ? l4 : l4 + 2;
          const old = [0, 4, 8, 12].map((i) => before.getInt32(at + (family === AF_INET ? 0 : i)));
          const back = target(family, manip, old, before.getUint16(portAt));
          manipPacket(viewOf(bytes), 0, bytes.length, back);
          expect(Buffer.from(bytes).toString('hex')).toBe(Buffer.from(packet).toString('hex'));
        },
      ),
    );
  });

  test('of UDP without a checksum has none afterwards', () => {
    const bytes = udpPacket({ ...V4, checksum: 0 });
    manipPacket(viewOf(bytes), 0, bytes.length, target(AF_INET, NF_NAT_MANIP_SRC, [0x01020304], 9));
    expect([...bytes.subarray(20, 22), ...bytes.subarray(26, 28)]).toEqual([0, 9, 0, 0]);
  });

  test('whose UDP checksum comes to 0 has 0xffff: 0 would say that there is none', () => {
    const bytes = udpPacket({ ...V4, payload: 2 });
    // The payload that makes the checksum of the translated datagram 0.
    manipPacket(viewOf(bytes), 0, bytes.length, target(AF_INET, NF_NAT_MANIP_SRC, [0x01020304], 9));
    const missing = viewOf(bytes).getUint16(26);
    const odd = udpPacket({ ...V4, payload: Uint8Array.of(missing >> 8, missing & 255) });
    manipPacket(viewOf(odd), 0, odd.length, target(AF_INET, NF_NAT_MANIP_SRC, [0x01020304], 9));
    expect(viewOf(odd).getUint16(26)).toBe(0xffff);
  });

  test.each([
    ['tcp', tcpPacket({ ...V4, flags: 2 }), 27, false],
    ['tcp', tcpPacket({ ...V4, flags: 2 }), 28, true],
    ['udp', udpPacket(V4), 27, false],
    ['icmp', icmpPacket({ ...V4, type: 8, id: 7 }), 27, false],
    ['sctp', sctpPacket({ ...V4, chunks: [] }), 28, true],
    ['tcp', tcpPacket({ ...V4, flags: 2 }), 19, false],
    ['tcp over IPv6', tcpPacket({ ...V6, flags: 2 }), 47, false],
    ['tcp over IPv6', tcpPacket({ ...V6, flags: 2 }), 39, false],
  ])('of %s as an error quotes it can be rewritten or not, by its length', (_name, packet, length, can) => {
    const bytes = packet.slice(0, length);
    const family = bytes[0]! >> 4 === 6 ? AF_INET6 : AF_INET;
    expect(manipPacket(viewOf(bytes), 0, length, target(family, NF_NAT_MANIP_DST, [1, 2, 3, 4], 9))).toBe(
      can,
    );
  });

  test('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 90 }), fc.nat(1), (bytes, manip) => {
        const family = bytes[0]! >> 4 === 6 ? AF_INET6 : AF_INET;
        manipPacket(viewOf(bytes), 0, bytes.length, target(family, manip, [1, 2, 3, 4], 9));
      }),
      { numRuns: 2000 },
    );
  });
});
