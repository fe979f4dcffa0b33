import { describe, expect, test } from 'vitest';
import { udpPacket } from './build.ts';
import { AF_UNSPEC, because, CTINFO_NONE, Packet, resetPacket, setPacket } from './packet.ts';
import { read, V4 } from './testing.mts';

describe('a packet that is used again', () => {
  test('has forgotten what was found out about the last one', () => {
    const { pkt } = read(udpPacket({ ...V4, sport: 1, dport: 2, ip: { mf: true } }));
    because(pkt, 200, 7);
    Object.assign(pkt, { flow: 9, ctinfo: 2, missing: 5 });
    const bytes = new Uint8Array(10);
    resetPacket(pkt, bytes, new DataView(bytes.buffer), 2, 8);
    const fresh = { family: AF_UNSPEC, l4: -1, proto: 0, frag: 0, flow: 0, ctinfo: CTINFO_NONE };
    expect(pkt).toMatchObject({ off: 2, end: 8, missing: 0, reason: 0, ...fresh });
    expect(pkt.bytes).toBe(bytes);
  });

  test('is all of an array that is given to it, which may lie in a larger one', () => {
    const pkt = new Packet();
    const part = new Uint8Array(10).fill(7, 3, 6).subarray(3, 6);
    for (const bytes of [part, part, new Uint8Array(5)]) {
      setPacket(pkt, bytes);
      expect(pkt).toMatchObject({ off: 0, end: bytes.length, reason: 0 });
      expect(pkt.view.getUint8(0)).toBe(bytes[0]);
      expect(pkt.view.byteLength).toBe(bytes.length);
    }
  });

  test('takes three operands with a reason, and 0 for those that are left out', () => {
    const pkt = new Packet();
    because(pkt, 103, 1, 2, 3);
    expect([...pkt.operands.subarray(0, 3)]).toEqual([1, 2, 3]);
    because(pkt, 103, 4);
    expect([...pkt.operands.subarray(0, 3)]).toEqual([4, 0, 0]);
  });
});
