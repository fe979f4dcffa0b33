import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { internetChecksum, viewOf } from './build-bytes.ts';
import { gre, pptpGre } from './build-gre.ts';
import {
  GRE_ACK,
  GRE_CSUM,
  GRE_KEY,
  GRE_PROTO_PPP,
  GRE_SEQ,
  greCallId,
  greFlags,
  greHeaderLength,
  grePptpLength,
  greProtocol,
  greVersion,
} from './gre.ts';

describe('a GRE header', () => {
  test('is as long as the fields that its flags announce', () => {
    const maybe = fc.option(fc.nat(), { nil: undefined });
    fc.assert(
      fc.property(fc.boolean(), maybe, maybe, (checksum, key, seq) => {
        const fields = {
          checksum,
          ...(key === undefined ? {} : { key }),
          ...(seq === undefined ? {} : { seq }),
        };
        const packet = gre({ ...fields, payload: 10 });
        return greHeaderLength(greFlags(viewOf(packet), 0)) === packet.length - 10;
      }),
    );
  });

  test('has its fields in the order checksum, key, sequence number (RFC 2890)', () => {
    const packet = gre({ checksum: true, key: 0x01020304, seq: 0x05060708, protocol: 0x86dd, payload: 'ab' });
    const view = viewOf(packet);
    expect(greFlags(view, 0)).toBe(GRE_CSUM | GRE_KEY | GRE_SEQ);
    expect([greVersion(view, 0), greProtocol(view, 0)]).toEqual([0, 0x86dd]);
    expect([...packet.subarray(8)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 97, 98]);
    expect(internetChecksum(packet)).toBe(0);
  });

  test('of version 1 holds payload length and call id (RFC 2637)', () => {
    const packet = pptpGre({ callId: 0x1234, seq: 5, ack: 6, payload: 30 });
    const view = viewOf(packet);
    expect(greFlags(view, 0)).toBe(GRE_KEY | GRE_SEQ | GRE_ACK | 1);
    expect([greVersion(view, 0), greProtocol(view, 0)]).toEqual([1, GRE_PROTO_PPP]);
    expect([grePptpLength(view, 0), greCallId(view, 0)]).toEqual([30, 0x1234]);
    expect([view.getUint32(8), view.getUint32(12)]).toEqual([5, 6]);
    expect(greHeaderLength(greFlags(view, 0))).toBe(packet.length - 30);
  });

  test('of version 1 without sequence and acknowledgment number has 8 bytes', () => {
    expect(pptpGre({ callId: 1 })).toHaveLength(8);
    expect(greHeaderLength(GRE_KEY | 1)).toBe(8);
  });
});
