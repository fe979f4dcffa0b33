import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tcpPacket } from './build.ts';
import { ethernetFrame, sll2Frame } from './build-link.ts';
import { DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_LOOP, DLT_NULL, DLT_RAW } from './link.ts';
import { AF_INET, AF_INET6 } from './packet.ts';
import { PORTS, read, V4, V6 } from './testing.mts';

test('raw IP is told apart by its version, and any other version is refused', () => {
  const packets = {
    4: tcpPacket({ ...V4, ...PORTS, flags: 2 }),
    6: tcpPacket({ ...V6, ...PORTS, flags: 2 }),
  };
  expect(read(packets[4]).pkt.family).toBe(AF_INET);
  expect(read(packets[6]).pkt.family).toBe(AF_INET6);
  for (const version of [0, 1, 2, 3, 5, 7, 8, 15]) {
    packets[4][0] = (version << 4) | 5;
    const { ok, reason, pkt } = read(packets[4]);
    expect([ok, reason, pkt.operands[0]]).toEqual([false, 'ip-version', version]);
  }
});

test('an empty frame is refused', () => {
  expect(read(new Uint8Array(0)).reason).toBe('ip-short');
  expect(read(new Uint8Array(0), DLT_RAW, 5).reason).toBe('ip-short');
});

test('any bytes under any link type are read without an exception, and refused only for a reason', () => {
  const linktype = fc.constantFrom(
    DLT_RAW,
    DLT_EN10MB,
    DLT_LINUX_SLL,
    DLT_LINUX_SLL2,
    DLT_NULL,
    DLT_LOOP,
    9999,
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), linktype, (bytes, type) => {
      const { ok, reason } = read(bytes, type, 5);
      return ok === (reason === '');
    }),
    { numRuns: 5000 },
  );
});

test('a whole packet in which one byte changed is read without an exception and within its frame', () => {
  const frames = [V4, V6].flatMap((ends) => {
    const packet = tcpPacket({ ...ends, sport: 1, dport: 2, flags: 2, payload: 9 });
    return [[DLT_EN10MB, ethernetFrame(packet)] as const, [DLT_LINUX_SLL2, sll2Frame(packet)] as const];
  });
  fc.assert(
    fc.property(fc.constantFrom(...frames), fc.nat(), fc.nat(255), ([type, frame], at, value) => {
      const changed = frame.slice();
      changed[at % frame.length] = value;
      const { pkt, ok, reason } = read(changed, type, 5);
      return ok ? pkt.off >= 5 && pkt.end <= 5 + frame.length : reason !== '';
    }),
    { numRuns: 5000 },
  );
});
