import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { udpPacket } from './build.ts';
import { internetChecksum, viewOf } from './build-bytes.ts';
import { dissect } from './dissect.ts';
import { Packet, resetPacket } from './packet.ts';
import { insertBytes, removeBytes, replaceChecksum, writable } from './rewrite.ts';

/** A packet of a buffer that holds other things as well. */
function read(bytes: Uint8Array): { pkt: Packet; buffer: Uint8Array } {
  const buffer = new Uint8Array(bytes.length + 20).fill(0xee);
  buffer.set(bytes, 10);
  const pkt = new Packet();
  resetPacket(pkt, buffer, viewOf(buffer), 10, 10 + bytes.length);
  dissect(pkt);
  return { pkt, buffer };
}

const bytes = udpPacket({ src: '10.0.0.1', dst: '10.1.0.1', sport: 1, dport: 2, payload: 'payload' });

describe('a packet that is changed', () => {
  test('is one of its own bytes, and the buffer it came in stays as it was', () => {
    const { pkt, buffer } = read(bytes);
    const before = buffer.slice();
    writable(pkt);
    pkt.view.setUint8(pkt.l4 + 8, 0x50);
    expect(buffer).toEqual(before);
    expect(pkt.bytes.slice(pkt.off, pkt.end)).toEqual(
      udpPacket({
        src: '10.0.0.1',
        dst: '10.1.0.1',
        sport: 1,
        dport: 2,
        payload: 'Payload',
        checksum: viewOf(bytes).getUint16(26),
      }),
    );
  });

  test('keeps its link header, and is copied once only', () => {
    const { pkt } = read(bytes);
    pkt.mac = 2;
    writable(pkt);
    const { view } = pkt;
    expect([pkt.mac, pkt.off, pkt.l4]).toEqual([0, 8, 28]);
    expect(pkt.bytes[0]).toBe(0xee);
    pkt.view.setUint8(pkt.l4, 7);
    writable(pkt);
    expect(pkt.view).toBe(view);
    expect(pkt.view.getUint8(pkt.l4)).toBe(7);
  });

  test('grows and shrinks in the middle', () => {
    const { pkt } = read(bytes);
    writable(pkt);
    insertBytes(pkt, pkt.l4 + 8, 4);
    expect(pkt.bytes.slice(pkt.l4 + 8, pkt.end)).toEqual(Uint8Array.from([0, 0, 0, 0, ...bytes.slice(28)]));
    removeBytes(pkt, pkt.l4 + 8, 4);
    expect(pkt.bytes.slice(pkt.off, pkt.end)).toEqual(bytes);
    expect(() => insertBytes(pkt, pkt.l4, 1 << 17)).toThrow(RangeError);
  });

  test('has a right checksum again after words under it were replaced', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 20, maxLength: 40 }),
        fc.integer(),
        fc.integer({ min: 0, max: 0xffff }),
        (data, word, half) => {
          const message = data.slice(0, data.length & ~3);
          const view = viewOf(message);
          view.setUint16(0, 0);
          view.setUint16(0, internetChecksum(message));
          const wide = view.getInt32(4);
          view.setInt32(4, word);
          replaceChecksum(view, 0, wide, word);
          const narrow = view.getUint16(8);
          view.setUint16(8, half);
          replaceChecksum(view, 0, narrow, half);
          // Of all-zero data the two zeros of one's complement may stand for each other.
          expect(internetChecksum(message) % 0xffff).toBe(0);
        },
      ),
    );
  });
});
