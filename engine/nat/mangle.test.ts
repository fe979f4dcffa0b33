import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Conntrack } from '../conntrack/conntrack.ts';
import { FlowExtension } from '../conntrack/extension.ts';
import { F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import type { HelpCall } from '../conntrack/helper.ts';
import { IPS_SEQ_ADJUST } from '../conntrack/status.ts';
import { packetOf, Wire } from '../conntrack/testing.mts';
import { tcpPacket, udpPacket } from '../packet/build.ts';
import { fold, sum, transportChecksumOk } from '../packet/checksum.ts';
import { dissect } from '../packet/dissect.ts';
import { AF_INET } from '../packet/packet.ts';
import { mangleTcp, mangleUdp } from './mangle.ts';

interface Shape {
  readonly v6: boolean;
  readonly tcp: boolean;
  readonly payload: Uint8Array;
}

/** A helper's call about a packet with that payload. */
function callOf({ v6, tcp, payload }: Shape, conntrack: Conntrack = new Wire().ct): HelpCall {
  const [src, dst] = v6 ? ['fd00::1', 'fd00::2'] : ['10.0.0.1', '10.1.0.1'];
  const ends = { src, dst, sport: 1000, dport: 21, payload };
  const pkt = packetOf(tcp ? tcpPacket({ ...ends, flags: 16, seq: 1000, ack: 1 }) : udpPacket(ends));
  dissect(pkt);
  return { conntrack, pkt, flow: 1, dir: 0, ext: new FlowExtension(), isSummed: false };
}

function payloadAt({ pkt }: HelpCall, tcp: boolean): number {
  return pkt.l4 + (tcp ? 20 : 8);
}

const shape: fc.Arbitrary<Shape> = fc.record({
  v6: fc.boolean(),
  tcp: fc.boolean(),
  payload: fc.uint8Array({ minLength: 1, maxLength: 200 }),
});

describe('a payload that is changed', () => {
  test('leaves a sound packet with the new bytes in place of the old, and nothing else changed', () => {
    fc.assert(
      fc.property(shape, fc.nat(), fc.nat(), fc.uint8Array({ maxLength: 400 }), (about, a, b, bytes) => {
        const { payload, tcp } = about;
        const from = a % payload.length;
        const length = b % (payload.length - from + 1);
        const call = callOf(about);
        const { pkt } = call;
        const captured = pkt.bytes.slice();
        const original = pkt.bytes;
        const mangle = tcp ? mangleTcp : mangleUdp;
        expect(mangle(call, payloadAt(call, tcp) + from, length, bytes)).toBe(true);
        const { view, off, l4, end, family, proto } = pkt;
        const wanted = [...payload.subarray(0, from), ...bytes, ...payload.subarray(from + length)];
        expect([...pkt.bytes.subarray(payloadAt(call, tcp), end)]).toEqual(wanted);
        expect(transportChecksumOk(view, off, family, proto, l4, end)).toBe(true);
        if (family === AF_INET) {
          expect(fold(sum(view, off, l4))).toBe(0xffff);
          expect(view.getUint16(off + 2)).toBe(end - off);
        } else expect(view.getUint16(off + 4)).toBe(end - l4);
        if (!tcp) expect(view.getUint16(l4 + 4)).toBe(end - l4);
        // The capture that it came from is not touched.
        expect(original).toEqual(captured);
      }),
    );
  });

  test('of TCP shifts the numbers behind it', () => {
    const { ct } = new Wire();
    const call = callOf({ v6: false, tcp: true, payload: new Uint8Array(10) }, ct);
    mangleTcp(call, payloadAt(call, true), 4, new Uint8Array(4));
    expect(call.ext.seq).toBe(null);
    mangleTcp(call, payloadAt(call, true), 4, new Uint8Array(9));
    expect(call.ext.seq![0]).toEqual({ place: 1000, before: 0, after: 5 });
    expect(ct.table.words[ROW_WORDS + F_STATUS]! & IPS_SEQ_ADJUST).toBe(IPS_SEQ_ADJUST);
  });

  test('stays as it is if the packet would be longer than any may be', () => {
    const call = callOf({ v6: false, tcp: true, payload: new Uint8Array(65_000) });
    const before = call.pkt.bytes.slice(call.pkt.off, call.pkt.end);
    expect(mangleTcp(call, payloadAt(call, true), 0, new Uint8Array(600))).toBe(false);
    expect(call.pkt.bytes.slice(call.pkt.off, call.pkt.end)).toEqual(before);
    expect(mangleTcp(call, payloadAt(call, true), 0, new Uint8Array(495))).toBe(true);
  });

  test('of UDP without a checksum goes on without one', () => {
    const call = callOf({ v6: false, tcp: false, payload: new Uint8Array(10) });
    call.pkt.view.setUint16(call.pkt.l4 + 6, 0);
    mangleUdp(call, payloadAt(call, false), 2, Uint8Array.of(1, 2, 3));
    expect(call.pkt.view.getUint16(call.pkt.l4 + 6)).toBe(0);
  });
});
