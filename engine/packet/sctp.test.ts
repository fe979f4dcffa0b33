import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { viewOf } from './build-bytes.ts';
import { sctp, sctpInit } from './build-sctp.ts';
import { sctpCrc } from './checksum.ts';
import * as S from './sctp.ts';

/** CRC32c bit by bit, as RFC 9260 (appendix A) and RFC 3385 define it. */
function crc32c(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

describe('sctp packets', () => {
  const bytes = sctp({
    sport: 2905,
    dport: 36412,
    vtag: 0x89abcdef,
    chunks: [{ type: S.SCTP_CID_ABORT, flags: 1, value: 'abc' }, sctpInit({ tag: 0xfedcba98 })],
  });
  const view = viewOf(bytes);

  test('the header’s fields stand where RFC 9260 has them', () => {
    expect(S.sctpPorts(view, 0)).toBe((2905 << 16) | 36412);
    expect(S.sctpVtag(view, 0) >>> 0).toBe(0x89abcdef);
  });

  test('a chunk of seven bytes is padded to eight', () => {
    const first = S.SCTP_HEADER;
    expect([S.chunkType(view, first), S.chunkFlags(view, first), S.chunkLength(view, first)]).toEqual([
      6, 1, 7,
    ]);
    const second = S.nextChunk(first, 7);
    expect(second).toBe(first + 8);
    expect(S.chunkType(view, second)).toBe(S.SCTP_CID_INIT);
    expect(S.chunkLength(view, second)).toBe(S.SCTP_INIT_CHUNK);
    expect(S.initiateTag(view, second) >>> 0).toBe(0xfedcba98);
  });

  test('a chunk has its name, or its number where IANA has none', () => {
    expect([S.chunkName(S.SCTP_CID_COOKIE_ECHO), S.chunkName(77)]).toEqual(['COOKIE_ECHO', 'chunk 77']);
  });
});

describe('sctpCrc', () => {
  test('the bit-by-bit CRC32c gives the check value of the polynomial', () => {
    expect(crc32c(Uint8Array.from('123456789', (c) => c.charCodeAt(0)))).toBe(0xe3069283);
  });

  test('is the bit-by-bit CRC32c for every length, offset and content, whatever the field holds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 90 }), fc.nat(7), (packet, off) => {
        const buffer = new Uint8Array(off + packet.length);
        buffer.set(packet, off);
        const zeroed = packet.slice();
        zeroed.fill(0, 8, 12);
        const field = new DataView(new ArrayBuffer(4));
        field.setUint32(0, crc32c(zeroed), true);
        expect(sctpCrc(viewOf(buffer), off, buffer.length)).toBe(field.getInt32(0));
      }),
    );
  });
});
