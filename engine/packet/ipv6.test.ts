import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { genericPacket, udpPacket } from './build.ts';
import { concat } from './build-bytes.ts';
import {
  authenticationHeader,
  destinationOptions,
  type ExtensionHeader,
  fragmentHeader,
  hopByHop,
  routingHeader,
} from './build-ipv6.ts';
import { AF_INET6, FRAG_MORE } from './packet.ts';
import { IPPROTO_FRAGMENT, IPPROTO_NONE, IPPROTO_UDP } from './protocols.ts';
import { PORTS, read, V6 } from './testing.mts';

const udp = (...extensions: ExtensionHeader[]): Uint8Array =>
  udpPacket({ ...V6, ...PORTS, payload: 5, ip: { extensions } });

describe('an IPv6 packet', () => {
  test('is found out: family, protocol, transport header, end', () => {
    const { pkt, ok } = read(udp(), undefined, 3);
    expect(ok).toBe(true);
    expect(pkt).toMatchObject({ family: AF_INET6, proto: IPPROTO_UDP, off: 3, l4: 43, end: 56, frag: 0 });
  });

  test('loses what stands behind its payload length', () => {
    expect(read(concat(udp(), new Uint8Array(20))).pkt.end).toBe(53);
  });

  test('shorter than its payload length is refused, and both lengths are told', () => {
    const { reason, pkt } = read(udp().subarray(0, 50));
    expect([reason, pkt.operands[0], pkt.operands[1]]).toEqual(['ip-length', 53, 50]);
  });

  test('of fewer than 40 bytes or another version is refused', () => {
    expect(read(udp().subarray(0, 39)).reason).toBe('ip-short');
    expect(read(udpPacket({ ...V6, ...PORTS, ip: { version: 5 } })).reason).toBe('ip-version');
  });

  // Measured on Linux 6.18: these never reach PREROUTING, all others do.
  test.each([
    ['ff02::1', V6.dst],
    [V6.src, 'ff00::1'],
    [V6.src, 'ff01::1'],
    [V6.src, 'fff1::1'],
  ])('from %s to %s is refused for its addresses', (src, dst) => {
    expect(read(udpPacket({ src, dst, ...PORTS })).reason).toBe('ip6-address');
  });

  test.each([
    ['::', 'ff02::1'],
    ['fe80::1', 'ff05::1'],
    ['::ffff:1.2.3.4', V6.dst],
    [V6.src, '::'],
  ])('from %s to %s is taken', (src, dst) => {
    expect(read(udpPacket({ src, dst, ...PORTS })).ok).toBe(true);
  });

  test('with payload length 0 has no transport header to read', () => {
    const { pkt, ok } = read(udpPacket({ ...V6, ...PORTS, ip: { payloadLength: 0 } }));
    expect(ok).toBe(true);
    expect([pkt.l4, pkt.end]).toEqual([40, 40]);
  });

  test('with payload length 0 and hop-by-hop options is as long as what is there', () => {
    // Measured on Linux 6.18: tracked as NEW with its ports, and forwarded whole.
    const { pkt, ok } = read(
      udpPacket({ ...V6, ...PORTS, payload: 5, ip: { payloadLength: 0, extensions: [hopByHop()] } }),
    );
    expect(ok).toBe(true);
    expect([pkt.proto, pkt.l4, pkt.end]).toEqual([IPPROTO_UDP, 48, 61]);
  });
});

describe('IPv6 extension headers', () => {
  test.each([
    ['hop-by-hop options', hopByHop(), 48],
    ['long hop-by-hop options', hopByHop(concat(Uint8Array.of(0x1e, 98), new Uint8Array(98))), 144],
    ['destination options', destinationOptions(), 48],
    ['a routing header', routingHeader(), 48],
    ['a routing header with two addresses', routingHeader({ addresses: ['2001:db8::8', '2001:db8::9'] }), 80],
    ['AH of 24 bytes, whose length counts otherwise', authenticationHeader(), 64],
    ['AH with an integrity check of 24 bytes', authenticationHeader({ icv: 24 }), 76],
    ['an atomic fragment', fragmentHeader({ id: 5 }), 48],
  ])('are stepped over: %s', (_name, extension, l4) => {
    const { pkt, ok } = read(udp(extension));
    expect(ok).toBe(true);
    expect(pkt).toMatchObject({ proto: IPPROTO_UDP, l4, frag: 0 });
  });

  test('are stepped over in any order and number', () => {
    const any = fc.constantFrom(
      hopByHop(),
      destinationOptions(),
      routingHeader({ addresses: ['::1'] }),
      authenticationHeader(),
      fragmentHeader(),
    );
    fc.assert(
      fc.property(fc.array(any, { maxLength: 12 }), (extensions) => {
        const { pkt } = read(udp(...extensions));
        const length = extensions.reduce((sum, e) => sum + e.bytes.length, 0);
        return pkt.proto === IPPROTO_UDP && pkt.l4 === 40 + length;
      }),
    );
  });

  test('of other protocols are protocols of their own: mobility, HIP, shim6, ESP', () => {
    for (const proto of [135, 139, 140, 50]) {
      const { pkt } = read(genericPacket({ ...V6, proto, payload: 16 }));
      expect([pkt.proto, pkt.l4]).toEqual([proto, 40]);
    }
  });

  test('that end in "no next header" leave no transport header', () => {
    for (const extensions of [[], [hopByHop()]]) {
      const { pkt, ok } = read(genericPacket({ ...V6, proto: IPPROTO_NONE, payload: 8, ip: { extensions } }));
      expect(ok).toBe(true);
      expect([pkt.l4, pkt.proto]).toEqual([-1, IPPROTO_NONE]);
    }
  });

  test('cut short leave no transport header, and the protocol is not that of an earlier packet', () => {
    const whole = udp(destinationOptions(), routingHeader());
    read(udp());
    for (let length = 40; length < 50; length++) {
      const packet = whole.slice(0, length);
      packet[5] = length - 40;
      const { pkt, ok } = read(packet);
      expect(ok).toBe(true);
      // Two bytes of a header are enough to step over it: destination options (60), then routing (43).
      expect([pkt.l4, pkt.proto], `${length} bytes`).toEqual([-1, length < 42 ? 60 : 43]);
    }
  });

  test('that say they are longer than the packet put the transport header behind its end', () => {
    const lying = destinationOptions();
    lying.bytes[1] = 255;
    const { pkt } = read(udp(lying));
    expect(pkt.proto).toBe(IPPROTO_UDP);
    expect(pkt.l4).toBeGreaterThan(pkt.end);
  });
});

describe('an IPv6 fragment', () => {
  test('that is the first has its transport header behind the fragment header', () => {
    const { pkt } = read(udp(hopByHop(), fragmentHeader({ more: true, id: 9 })));
    expect(pkt).toMatchObject({ frag: FRAG_MORE, proto: IPPROTO_UDP, l4: 56 });
  });

  test('that is not the first ends the walk at its fragment header', () => {
    const { pkt } = read(udp(hopByHop(), fragmentHeader({ offset: 1448, more: true }), destinationOptions()));
    expect(pkt).toMatchObject({ frag: 1448 | FRAG_MORE, proto: IPPROTO_FRAGMENT, l4: 48 });
    expect(read(udp(fragmentHeader({ offset: 65_528 }))).pkt.frag).toBe(65_528);
  });

  test('with nothing in the reserved bits of its offset field is told from one with them by nothing', () => {
    const reserved = fragmentHeader();
    reserved.bytes[3]! |= 0x06;
    expect(read(udp(reserved)).pkt).toMatchObject({ frag: 0, proto: IPPROTO_UDP, l4: 48 });
  });

  test('whose fragment header is cut short has no transport header', () => {
    const packet = udp(fragmentHeader({ more: true })).slice(0, 43);
    packet[5] = 3;
    expect(read(packet).pkt.l4).toBe(-1);
  });
});

describe('IPv6 hop-by-hop options', () => {
  const reading = (...options: number[]): string => read(udp(hopByHop(Uint8Array.from(options)))).reason;

  // Each measured on Linux 6.18: the accepted ones are tracked as NEW, the others never reach PREROUTING.
  test('that Linux knows or may skip are accepted', () => {
    expect(reading(5, 2, 0, 0)).toBe('');
    expect(reading(0x1e, 3, 1, 2, 3)).toBe('');
    expect(reading(0, 0, 0, 0, 0, 0)).toBe('');
  });

  test('with more padding than alignment can need are refused', () => {
    expect(reading(1, 6, 0, 0, 0, 0, 0, 0)).toBe('ip6-hopopts');
  });

  test('with anything but zero in the padding are refused', () => {
    expect(reading(1, 2, 7, 7)).toBe('ip6-hopopts');
  });

  test('that are unknown and forbid to be skipped are refused', () => {
    for (const action of [0x40, 0x80, 0xc0]) expect(reading(action | 0x1e, 2, 1, 2)).toBe('ip6-hopopts');
  });

  test('that reach beyond their header, or whose header reaches beyond the packet, are refused', () => {
    expect(reading(0x1e, 9, 1, 2)).toBe('ip6-hopopts');
    const long = hopByHop();
    long.bytes[1] = 9;
    expect(read(udp(long)).reason).toBe('ip6-hopopts');
  });

  test('are not looked into where they do not stand first', () => {
    expect(read(udp(destinationOptions(), hopByHop(Uint8Array.of(0x9e, 2, 1, 2)))).ok).toBe(true);
  });
});

test('reading any bytes as IPv6 throws nothing and stays inside the packet', () => {
  const bytes = fc.uint8Array({ minLength: 40, maxLength: 120 });
  fc.assert(
    fc.property(bytes, fc.constantFrom(0, 43, 44, 51, 59, 60, 17), (tail, next) => {
      const packet = tail.slice();
      packet.set([0x60, 0, 0, 0, 0, packet.length - 40, next]);
      const { pkt, ok, reason } = read(packet, undefined, 7);
      if (!ok) return reason === 'ip6-address' || (next === 0 && reason === 'ip6-hopopts');
      return pkt.end === 7 + packet.length && (pkt.l4 === -1 || pkt.l4 >= 47);
    }),
    { numRuns: 5000 },
  );
});
