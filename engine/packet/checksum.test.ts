import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tcpPacket } from './build.ts';
import { concat, viewOf, words } from './build-bytes.ts';
import { tcp } from './build-tcp.ts';
import { fold, pseudoSum, sctpCrc, sum, transportChecksumOk } from './checksum.ts';
import { AF_INET, AF_INET6 } from './packet.ts';
import { IPPROTO_TCP, IPPROTO_UDP } from './protocols.ts';
import { V4, V6 } from './testing.mts';

/** RFC 1071 as it reads: 16-bit words, one after the other, each carry brought around at once. */
function naive(bytes: Uint8Array, start = 0): number {
  let total = start;
  for (let i = 0; i < bytes.length; i += 2) {
    total += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
    while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x10000);
  }
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x10000);
  return total;
}

const folded = (bytes: Uint8Array, from = 0, to = bytes.length): number => fold(sum(viewOf(bytes), from, to));

describe('the Internet checksum', () => {
  test('of the example of RFC 1071, section 3, is ddf2', () => {
    expect(folded(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7))).toBe(0xddf2);
  });

  test('is the naive one for bytes of any length, odd ones too', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => folded(bytes) === naive(bytes)),
      { numRuns: 2000 },
    );
  });

  test('of a part is that of the part copied out, wherever it begins and ends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), fc.nat(100), (bytes, a, b) => {
        const from = Math.min(a, b, bytes.length);
        const to = Math.min(Math.max(a, b), bytes.length);
        return folded(bytes, from, to) === naive(bytes.slice(from, to));
      }),
    );
  });

  test('keeps every carry of the largest datagram: 65,535 bytes of ff', () => {
    for (const length of [65_535, 65_534, 17, 16, 15, 5, 4, 3, 2]) {
      const bytes = new Uint8Array(length).fill(0xff);
      expect(folded(bytes), `${length} bytes`).toBe(naive(bytes));
    }
  });

  test('goes on from a sum as if the bytes stood behind each other', () => {
    const even = fc.uint8Array({ maxLength: 60 }).filter((b) => b.length % 2 === 0);
    fc.assert(
      fc.property(even, fc.uint8Array({ maxLength: 60 }), (a, b) => {
        const whole = concat(a, b);
        return fold(sum(viewOf(b), 0, b.length, sum(viewOf(a), 0, a.length))) === naive(whole);
      }),
    );
  });

  test('of nothing is 0, and of zeros too', () => {
    expect(folded(new Uint8Array(0))).toBe(0);
    expect(folded(new Uint8Array(40))).toBe(0);
  });
});

describe('fold', () => {
  test('brings any sum below 2^32 to the 16 bits that are congruent to it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (total) => {
        const result = fold(total);
        const naiveResult = Number(BigInt(total) % 0xffffn);
        return result <= 0xffff && (result === 0) === (total === 0) && result % 0xffff === naiveResult;
      }),
    );
  });
});

describe('a transport checksum', () => {
  test('counts addresses, protocol and length (RFC 9293, section 3.1)', () => {
    const packet = tcpPacket({ ...V4, sport: 1, dport: 2, flags: 2 });
    const pseudo = concat(packet.slice(12, 20), words(IPPROTO_TCP), words(20));
    expect(fold(pseudoSum(viewOf(packet), 0, AF_INET, IPPROTO_TCP, 20))).toBe(naive(pseudo));
    const six = tcpPacket({ ...V6, sport: 1, dport: 2, flags: 2 });
    const pseudo6 = concat(six.slice(8, 40), words(20), words(IPPROTO_TCP));
    expect(fold(pseudoSum(viewOf(six), 0, AF_INET6, IPPROTO_TCP, 20))).toBe(naive(pseudo6));
  });

  test('is right until any one bit of segment or addresses flips', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.uint8Array({ maxLength: 33 }), fc.nat(), (six, payload, where) => {
        const packet = tcpPacket({ ...(six ? V6 : V4), sport: 1, dport: 2, flags: 16, payload });
        const header = six ? 40 : 20;
        const family = six ? AF_INET6 : AF_INET;
        const ok = (): boolean =>
          transportChecksumOk(viewOf(packet), 0, family, IPPROTO_TCP, header, packet.length);
        expect(ok()).toBe(true);
        const first = six ? 8 : 12;
        const bit = where % ((packet.length - first) * 8);
        packet[first + (bit >> 3)]! ^= 1 << (bit & 7);
        expect(ok()).toBe(false);
      }),
    );
  });

  test('is wrong under another protocol number', () => {
    const packet = tcpPacket({ ...V4, sport: 1, dport: 2, flags: 16 });
    expect(transportChecksumOk(viewOf(packet), 0, AF_INET, IPPROTO_UDP, 20, 40)).toBe(false);
  });

  test('of a segment worked out by hand is 9cb6', () => {
    // Pseudo header 0a00 0001 0a01 0001 0006 0014 = 141d; segment 03e8 0050 0001 5002 faf0 = 4f2c; ~6349.
    const segment = tcp({ ...V4, sport: 1000, dport: 80, flags: 2, seq: 1 });
    expect(viewOf(segment).getUint16(16).toString(16)).toBe('9cb6');
  });
});

describe('the CRC32c of an SCTP packet', () => {
  test('of 32 zero bytes is the one of RFC 3720, appendix B.4: aa 36 91 8a', () => {
    const zeros = new Uint8Array(32);
    expect(sctpCrc(viewOf(zeros), 0, 32) >>> 0).toBe(0xaa36918a);
  });

  test('takes its own field as zero, and only that', () => {
    const bytes = new Uint8Array(32);
    bytes.fill(0xff, 8, 12);
    expect(sctpCrc(viewOf(bytes), 0, 32) >>> 0).toBe(0xaa36918a);
    for (const at of [7, 12]) {
      const other = new Uint8Array(32);
      other[at] = 1;
      expect(sctpCrc(viewOf(other), 0, 32) >>> 0).not.toBe(0xaa36918a);
    }
  });

  test('is the bitwise CRC for any bytes, wherever they stand in the buffer', () => {
    const reference = (bytes: Uint8Array): number => {
      let crc = 0xffffffff;
      bytes.forEach((byte, i) => {
        crc ^= i >= 8 && i < 12 ? 0 : byte;
        for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
      });
      return viewOf(words(~crc)).getUint32(0, true);
    };
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 80 }), fc.nat(9), (bytes, before) => {
        const buffer = concat(new Uint8Array(before), bytes);
        return sctpCrc(viewOf(buffer), before, buffer.length) >>> 0 === reference(bytes);
      }),
    );
  });
});
