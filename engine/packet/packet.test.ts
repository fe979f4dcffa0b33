import { describe, expect, test } from 'vitest';
import { udpPacket } from './build.ts';
import { AF_UNSPEC, because, CTINFO_NONE, Packet, resetPacket } from './packet.ts';
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

  test('takes three operands with a reason, and 0 for those that are left out', () => {
    const pkt = new Packet();
    because(pkt, 103, 1, 2, 3);
    expect([...pkt.operands.subarray(0, 3)]).toEqual([1, 2, 3]);
    because(pkt, 103, 4);
    expect([...pkt.operands.subarray(0, 3)]).toEqual([4, 0, 0]);
  });
});
