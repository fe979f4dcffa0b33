import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tcpPacket } from '../packet/build.ts';
import { transportChecksumOk } from '../packet/checksum.ts';
import { dissect } from '../packet/dissect.ts';
import type { Packet } from '../packet/packet.ts';
import {
  adjustSegment,
  bookShift,
  newSeqAdjust,
  type SeqAdjust,
  type SeqShift,
  seqOffset,
} from './seq-adjust.ts';
import { packetOf } from './testing.mts';

const ACK = 16;

function segment(
  seq: number,
  ack: number,
  more: { flags?: number; options?: Uint8Array; payload?: Uint8Array; v6?: boolean } = {},
): Packet {
  const { flags = ACK, v6 = false, ...rest } = more;
  const [src, dst] = v6 ? ['fd00::1', 'fd00::2'] : ['10.0.0.1', '10.1.0.1'];
  const pkt = packetOf(tcpPacket({ src, dst, sport: 1000, dport: 21, flags, seq, ack, ...rest }));
  dissect(pkt);
  return pkt;
}

function numbers({ view, l4 }: Packet): readonly [number, number] {
  return [view.getUint32(l4 + 4), view.getUint32(l4 + 8)];
}

function isSound({ view, off, family, proto, l4, end }: Packet): boolean {
  return transportChecksumOk(view, off, family, proto, l4, end);
}

/** 20 bytes more behind number 1000 of the original direction. */
function longer(): SeqAdjust {
  const adjust = newSeqAdjust();
  bookShift(adjust[0], 1000, 20);
  return adjust;
}

describe('sequence numbers behind a change of length', () => {
  test('are shifted from the byte behind the place on; the other side’s acknowledgements the other way', () => {
    for (const [seq, shifted] of [
      [999, 999],
      [1000, 1000],
      [1001, 1021],
    ] as const) {
      const pkt = segment(seq, 5);
      expect(adjustSegment(pkt, longer(), 0)).toBe(true);
      expect(numbers(pkt)).toEqual([shifted, 5]);
      expect(isSound(pkt)).toBe(true);
    }
    for (const [ack, shifted] of [
      [1000, 1000],
      [1001, 981],
      [1021, 1001],
      [1050, 1030],
    ] as const) {
      const pkt = segment(7, ack, { v6: true });
      adjustSegment(pkt, longer(), 1);
      expect(numbers(pkt)).toEqual([7, shifted]);
      expect(isSound(pkt)).toBe(true);
    }
  });

  test('add up, and the last change counts from its own place', () => {
    const shift: SeqShift = newSeqAdjust()[0];
    bookShift(shift, 1000, 20);
    bookShift(shift, 2000, -5);
    expect([1500, 2000, 2001].map((seq) => seqOffset(shift, seq))).toEqual([20, 20, 15]);
  });

  test('do not change again when the segment is sent again', () => {
    const shift: SeqShift = newSeqAdjust()[0];
    bookShift(shift, 1000, 20);
    bookShift(shift, 1000, 20);
    bookShift(shift, 900, 20);
    expect(shift).toEqual({ place: 1000, before: 0, after: 20 });
  });

  test('go over the end of the circle', () => {
    const shift: SeqShift = newSeqAdjust()[0];
    bookShift(shift, -10, 20);
    expect([-11, -10, -9, 5].map((seq) => seqOffset(shift, seq))).toEqual([0, 0, 20, 20]);
    const pkt = segment(0xfffffff9, 0);
    const adjust = newSeqAdjust();
    bookShift(adjust[0], -10, 20);
    adjustSegment(pkt, adjust, 0);
    expect(numbers(pkt)[0]).toBe(13);
  });

  test('stand in SACK blocks too', () => {
    const block = Uint8Array.of(1, 1, 5, 18, 0, 0, 4, 76, 0, 0, 4, 86, 0, 0, 3, 0, 0, 0, 3, 232);
    const pkt = segment(7, 900, { options: block });
    adjustSegment(pkt, longer(), 1);
    const at = pkt.l4 + 24;
    const edges = [0, 4, 8, 12].map((i) => pkt.view.getUint32(at + i));
    expect(edges).toEqual([1100 - 20, 1110 - 20, 768, 1000]);
    expect(isSound(pkt)).toBe(true);
  });

  test('of a segment with malformed options stay: it is dropped', () => {
    for (const options of [Uint8Array.of(5, 0, 1, 1), Uint8Array.of(5, 40, 1, 1), Uint8Array.of(1, 1, 1, 5)])
      expect(adjustSegment(segment(7, 900, { options }), longer(), 1)).toBe(false);
  });
});

test('a stream whose parts change their length arrives without gaps, whatever is sent again', () => {
  const part = fc.record({ length: fc.integer({ min: 1, max: 50 }), by: fc.integer({ min: -20, max: 20 }) });
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 10 }), fc.integer(), (parts, start) => {
      const adjust = newSeqAdjust();
      let seq = start | 0;
      let arrived = seq;
      for (const { length, by } of parts) {
        const change = Math.max(by, 1 - length);
        const pkt = segment(seq, 0);
        adjustSegment(pkt, adjust, 0);
        // What leaves begins where the receiver waits, and a retransmission does, too.
        expect(pkt.view.getInt32(pkt.l4 + 4)).toBe(arrived);
        if (change !== 0) bookShift(adjust[0], seq, change);
        const again = segment(seq, 0);
        adjustSegment(again, adjust, 0);
        expect(again.view.getInt32(again.l4 + 4)).toBe(arrived);
        seq = (seq + length) | 0;
        arrived = (arrived + length + change) | 0;
        const answer = segment(0, arrived >>> 0);
        adjustSegment(answer, adjust, 1);
        expect(answer.view.getInt32(answer.l4 + 8)).toBe(seq);
        expect(isSound(answer)).toBe(true);
      }
    }),
  );
});
