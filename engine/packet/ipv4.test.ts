import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { genericPacket, udpPacket } from './build.ts';
import { concat, internetChecksum, viewOf } from './build-bytes.ts';
import { AF_INET, FRAG_MORE } from './packet.ts';
import { IPPROTO_UDP } from './protocols.ts';
import { PORTS, read, V4 } from './testing.mts';

const udp = (ip = {}): Uint8Array => udpPacket({ ...V4, ...PORTS, payload: 5, ip });

describe('an IPv4 packet', () => {
  test('is found out: family, protocol, transport header, end', () => {
    const { pkt, ok } = read(udp(), undefined, 3);
    expect(ok).toBe(true);
    expect(pkt).toMatchObject({
      family: AF_INET,
      proto: IPPROTO_UDP,
      off: 3,
      l4: 23,
      end: 36,
      frag: 0,
      reason: 0,
    });
  });

  test('with options has its transport header behind them', () => {
    for (const length of [4, 8, 40]) {
      const { pkt, ok } = read(udp({ options: new Uint8Array(length).fill(1) }));
      expect(ok).toBe(true);
      expect(pkt.l4).toBe(20 + length);
    }
  });

  test('with malformed options is taken: Linux looks at them only after tracking', () => {
    expect(read(udp({ options: Uint8Array.of(131, 1, 0, 0) })).ok).toBe(true);
  });

  test('loses what stands behind its total length', () => {
    expect(read(concat(udp(), new Uint8Array(20))).pkt.end).toBe(33);
  });

  test('may end right behind its header', () => {
    const { pkt, ok } = read(genericPacket({ ...V4, proto: 99 }));
    expect(ok).toBe(true);
    expect([pkt.l4, pkt.end]).toEqual([20, 20]);
  });

  test('with a wrong header checksum never reaches tracking', () => {
    expect(read(udp({ checksum: 0x1234 })).reason).toBe('ip-checksum');
    expect(read(udp({ checksum: 0 })).reason).toBe('ip-checksum');
  });

  test('with any one bit of its header flipped is refused', () => {
    fc.assert(
      fc.property(fc.nat(159), (bit) => {
        const packet = udp();
        packet[bit >> 3]! ^= 0x80 >> (bit & 7);
        return !read(packet).ok;
      }),
    );
  });

  test('shorter than its total length is refused, and both lengths are told', () => {
    const { reason, pkt } = read(udp().subarray(0, 30));
    expect([reason, pkt.operands[0], pkt.operands[1]]).toEqual(['ip-length', 33, 30]);
    expect(read(udp({ totalLength: 65_535 })).reason).toBe('ip-length');
  });

  test('whose total length is less than its header is refused, and the length is told', () => {
    const { reason, pkt } = read(udp({ totalLength: 19 }));
    expect([reason, pkt.operands[0]]).toEqual(['ip-total', 19]);
    expect(read(udp({ totalLength: 0 })).reason).toBe('ip-total');
    expect(read(udp({ totalLength: 23, options: new Uint8Array(4) })).reason).toBe('ip-total');
  });

  test('with a header length below 20 or beyond the packet is refused', () => {
    expect(read(udp({ headerLength: 16 })).reason).toBe('ip-short');
    expect(read(udp({ headerLength: 0 })).reason).toBe('ip-short');
    expect(read(udp({ headerLength: 60 })).reason).toBe('ip-short');
  });

  test('of fewer than 20 bytes is refused', () => {
    for (let length = 0; length < 20; length++) {
      expect(read(udp().subarray(0, length)).reason).toBe('ip-short');
    }
  });

  test('of another version is refused with the version', () => {
    for (const version of [0, 5, 7, 15]) {
      const { reason, pkt } = read(udp({ version }));
      expect([reason, pkt.operands[0]]).toEqual(['ip-version', version]);
    }
  });
});

describe('an IPv4 fragment', () => {
  test('tells its offset in bytes, and whether more follow', () => {
    expect(read(udp({ mf: true })).pkt.frag).toBe(FRAG_MORE);
    expect(read(udp({ offset: 1480, mf: true })).pkt.frag).toBe(1480 | FRAG_MORE);
    expect(read(udp({ offset: 65_528 })).pkt.frag).toBe(65_528);
  });

  test('is no fragment for having "don\'t fragment" set, or the reserved bit', () => {
    expect(read(udp({ df: true })).pkt.frag).toBe(0);
    const evil = udp({ checksum: 0 });
    evil[6] = 0x80;
    viewOf(evil).setUint16(10, internetChecksum(evil.subarray(0, 20)));
    expect(read(evil).ok).toBe(true);
    expect(read(evil).pkt.frag).toBe(0);
  });
});
