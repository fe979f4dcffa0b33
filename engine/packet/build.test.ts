import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  genericPacket,
  icmpErrorPacket,
  icmpPacket,
  icmpv6ErrorPacket,
  icmpv6Packet,
  sctpPacket,
  tcpPacket,
  udplitePacket,
  udpPacket,
} from './build.ts';
import { concat, viewOf } from './build-bytes.ts';
import { fragmentIpv4, fragmentIpv6 } from './build-fragment.ts';
import { icmpv6Redirect, neighbourAdvertisement, neighbourSolicitation } from './build-icmpv6.ts';
import { ipv4 } from './build-ipv4.ts';
import { destinationOptions, hopByHop, routingHeader } from './build-ipv6.ts';
import { ethernetFrame } from './build-link.ts';
import { sctpInit, sctpInitAck } from './build-sctp.ts';
import { type TcpOptions, tcp, tcpOptions } from './build-tcp.ts';
import { fold, sum, transportChecksumOk } from './checksum.ts';
import { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE } from './protocols.ts';
import { tcpAck, tcpFlags, tcpHeaderLength, tcpSeq, tcpWindow } from './tcp.ts';
import { PORTS, read, V4, V6 } from './testing.mts';

const ends = fc.constantFrom(V4, V6);
const port = fc.nat(65_535);
const word = fc.nat(0xffffffff);

/** Whether the transport checksum of a built packet is right. */
function checksumOk(packet: Uint8Array): boolean {
  const { pkt } = read(packet);
  return transportChecksumOk(pkt.view, pkt.off, pkt.family, pkt.proto, pkt.l4, pkt.end);
}

describe('tcpPacket', () => {
  test('puts every field where the engine reads it, with right checksums, in IPv4 and IPv6', () => {
    const fields = fc.record({
      sport: port,
      dport: port,
      flags: fc.nat(255),
      seq: word,
      ack: word,
      window: port,
      payload: fc.uint8Array({ maxLength: 50 }),
    });
    fc.assert(
      fc.property(ends, fields, (e, o) => {
        const packet = tcpPacket({ ...e, ...o });
        const { pkt, ok } = read(packet);
        expect(ok && checksumOk(packet)).toBe(true);
        const { view, l4 } = pkt;
        expect([view.getUint16(l4), view.getUint16(l4 + 2)]).toEqual([o.sport, o.dport]);
        expect([tcpSeq(view, l4), tcpAck(view, l4)]).toEqual([o.seq | 0, o.ack | 0]);
        expect([tcpFlags(view, l4), tcpWindow(view, l4)]).toEqual([o.flags, o.window]);
        expect(packet.subarray(l4 + tcpHeaderLength(view, l4))).toEqual(o.payload);
      }),
    );
  });

  test('takes sequence numbers below 0 and beyond 2^32 modulo 2^32', () => {
    const seqOf = (seq: number): number => tcpSeq(viewOf(tcp({ ...V4, ...PORTS, flags: 0, seq })), 0);
    expect(seqOf(-1)).toBe(-1);
    expect(seqOf(2 ** 32 + 5)).toBe(5);
  });

  test('takes overrides: data offset, checksum, urgent pointer', () => {
    const view = viewOf(tcp({ ...V4, ...PORTS, flags: 0, dataOffset: 15, checksum: 0xbeef, urgent: 9 }));
    expect([tcpHeaderLength(view, 0), view.getUint16(16), view.getUint16(18)]).toEqual([60, 0xbeef, 9]);
  });
});

describe('tcpOptions', () => {
  test('writes what Linux writes: SYN with all options, data with timestamps and SACK', () => {
    expect([...tcpOptions({ mss: 1460, sackPermitted: true, timestamps: [1, 2], wscale: 7 })]).toEqual([
      2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7,
    ]);
    expect([...tcpOptions({ timestamps: [1, 2], sack: [[3, 4]] })]).toEqual([
      1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1, 5, 10, 0, 0, 0, 3, 0, 0, 0, 4,
    ]);
  });

  test('fill whole words in any combination', () => {
    const any = fc.record(
      {
        mss: port,
        wscale: fc.nat(14),
        sackPermitted: fc.boolean(),
        timestamps: fc.tuple(word, word),
        sack: fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 4 }),
      },
      { requiredKeys: [] },
    );
    fc.assert(fc.property(any, (o) => tcpOptions(o as TcpOptions).length % 4 === 0));
  });

  test('given as bytes are padded with zeros; more than 40 bytes are refused', () => {
    const packet = tcp({ ...V4, ...PORTS, flags: 2, options: Uint8Array.of(3, 3, 9) });
    expect([...packet.subarray(20)]).toEqual([3, 3, 9, 0]);
    expect(() => tcp({ ...V4, ...PORTS, flags: 2, options: new Uint8Array(41) })).toThrow(RangeError);
  });
});

describe('udpPacket and udplitePacket', () => {
  test('have right checksums for payloads of any length', () => {
    fc.assert(
      fc.property(ends, port, fc.uint8Array({ maxLength: 60 }), (e, sport, payload) =>
        checksumOk(udpPacket({ ...e, sport, dport: 53, payload })),
      ),
    );
  });

  test('never send 0 for a checksum that is 0: the field would say that there is none (RFC 768)', () => {
    // The two bytes of payload that bring the sum to ffff are the checksum of the same datagram with zeros.
    for (const e of [V4, V6]) {
      const zeros = udpPacket({ ...e, ...PORTS, payload: 2 });
      const { l4 } = read(zeros).pkt;
      const packet = udpPacket({ ...e, ...PORTS, payload: zeros.slice(l4 + 6, l4 + 8) });
      expect(viewOf(packet).getUint16(l4 + 6)).toBe(0xffff);
      expect(checksumOk(packet)).toBe(true);
    }
  });

  test('take overrides: no checksum, a wrong one, a wrong length', () => {
    const view = viewOf(udpPacket({ ...V4, ...PORTS, payload: 5, checksum: 0, length: 7 }));
    expect([view.getUint16(24), view.getUint16(26)]).toEqual([7, 0]);
    expect(checksumOk(udpPacket({ ...V4, ...PORTS, payload: 5, checksum: 1 }))).toBe(false);
  });

  test('UDP-Lite sums what its coverage says, and the pseudo header of RFC 3828', () => {
    fc.assert(
      fc.property(ends, fc.uint8Array({ maxLength: 300 }), fc.nat(8), (e, payload, some) => {
        const coverage = 8 + Math.min(some, payload.length);
        const packet = udplitePacket({ ...e, ...PORTS, payload, coverage });
        const { pkt } = read(packet);
        const address = e === V4 ? 12 : 8;
        const pseudo = sum(pkt.view, address, e === V4 ? 20 : 40, IPPROTO_UDPLITE + 8 + payload.length);
        expect(fold(sum(pkt.view, pkt.l4, pkt.l4 + coverage, pseudo))).toBe(0xffff);
        expect(checksumOk(udplitePacket({ ...e, ...PORTS, payload }))).toBe(true);
      }),
    );
  });

  test('UDP-Lite for Linux has protocol 17 and, over IPv4, 8 bits of length in its pseudo header', () => {
    for (const [e, length] of [
      [V4, 308 & 0xff],
      [V6, 308],
    ] as const) {
      const packet = udplitePacket({ ...e, ...PORTS, payload: 300, checksumAs: 'linux' });
      const { pkt } = read(packet);
      const pseudo = sum(pkt.view, e === V4 ? 12 : 8, pkt.l4, IPPROTO_UDP + length);
      expect(fold(sum(pkt.view, pkt.l4, pkt.end, pseudo))).toBe(0xffff);
    }
  });
});

describe('ICMP packets', () => {
  test('have right checksums', () => {
    fc.assert(
      fc.property(port, port, fc.uint8Array({ maxLength: 60 }), (id, seq, payload) => {
        const packet = icmpPacket({ ...V4, type: 8, id, seq, payload });
        expect(fold(sum(viewOf(packet), 20, packet.length))).toBe(0xffff);
        expect(checksumOk(icmpv6Packet({ ...V6, type: 128, id, seq, payload }))).toBe(true);
      }),
    );
  });

  test('that are errors go to the quoted sender if nobody else is named', () => {
    const four = icmpErrorPacket({ src: '10.9.9.9', type: 3, quoted: udpPacket({ ...V4, ...PORTS }) });
    expect([...four.subarray(16, 20)]).toEqual([10, 0, 0, 1]);
    const quoted = udpPacket({ ...V6, ...PORTS });
    const six = icmpv6ErrorPacket({ src: 'fe80::1', type: 1, quoted });
    expect(six.subarray(24, 40)).toEqual(quoted.subarray(8, 24));
    expect(checksumOk(six)).toBe(true);
  });

  test('that are errors are no longer than 576 and 1280 bytes', () => {
    const long = { ...PORTS, payload: 3000 };
    expect(icmpErrorPacket({ src: '10.9.9.9', type: 3, quoted: udpPacket({ ...V4, ...long }) })).toHaveLength(
      576,
    );
    expect(
      icmpv6ErrorPacket({ src: 'fe80::1', type: 1, quoted: udpPacket({ ...V6, ...long }) }),
    ).toHaveLength(1280);
    const redirect = icmpv6Redirect({
      target: 'fe80::1',
      destination: V6.dst,
      quoted: udpPacket({ ...V6, ...long }),
    });
    expect(icmpv6Packet({ src: 'fe80::1', dst: V6.src, ...redirect }).length).toBeLessThanOrEqual(1280);
  });

  test('of neighbour discovery leave with hop limit 255, others with 64', () => {
    const hopLimit = (packet: Uint8Array): number => packet[7]!;
    const target = { target: 'fe80::1', mac: '02:00:00:00:00:07' };
    expect(hopLimit(icmpv6Packet({ ...V6, ...neighbourSolicitation(target) }))).toBe(255);
    expect(hopLimit(icmpv6Packet({ ...V6, ...neighbourAdvertisement(target) }))).toBe(255);
    expect(hopLimit(icmpv6Packet({ ...V6, ...neighbourSolicitation(target), ip: { ttl: 1 } }))).toBe(1);
    expect(hopLimit(icmpv6Packet({ ...V6, type: 128 }))).toBe(64);
  });
});

describe('sctpPacket', () => {
  test('pads its chunks to 4 bytes and keeps their lengths unpadded', () => {
    const packet = sctpPacket({
      ...V4,
      ...PORTS,
      chunks: [
        { type: 11, value: 'a' },
        { type: 0, length: 3 },
      ],
    });
    expect([...packet.subarray(32)]).toEqual([11, 0, 0, 5, 97, 0, 0, 0, 0, 0, 0, 3]);
  });

  test('has INIT and INIT ACK chunks of the lengths of RFC 9260', () => {
    const of = (chunk: ReturnType<typeof sctpInit>): Uint8Array =>
      sctpPacket({ ...V4, ...PORTS, chunks: [chunk] }).subarray(32);
    expect([...of(sctpInit({ tag: 0x01020304, tsn: 9, window: 4096 }))]).toEqual([
      1, 0, 0, 20, 1, 2, 3, 4, 0, 0, 16, 0, 0, 10, 0, 10, 0, 0, 0, 9,
    ]);
    expect([...of(sctpInitAck({ tag: 1 })).subarray(0, 4)]).toEqual([2, 0, 0, 28]);
  });
});

describe('addresses', () => {
  test('of two families in one packet are refused, and so is what is no address', () => {
    expect(() => udpPacket({ src: '10.0.0.1', dst: '::1', ...PORTS })).toThrow(RangeError);
    expect(() => udpPacket({ src: '10.0.0.1', dst: '10.0.0.256', ...PORTS })).toThrow(
      "'10.0.0.256' is no IP address",
    );
    expect(() => ethernetFrame(new Uint8Array(20), { src: '02:00' })).toThrow("'02:00' is no MAC address");
  });
});

describe('an IPv4 header', () => {
  test('has its fields where RFC 791 has them', () => {
    const packet = ipv4({
      ...V4,
      proto: 99,
      ttl: 3,
      tos: 0xb8,
      id: 0x1234,
      df: true,
      mf: true,
      offset: 1480,
    });
    expect([...packet]).toEqual([
      0x45,
      0xb8,
      0,
      20,
      0x12,
      0x34,
      0x60,
      185,
      3,
      99,
      packet[10],
      packet[11],
      10,
      0,
      0,
      1,
      10,
      1,
      0,
      1,
    ]);
    expect(read(packet).ok).toBe(true);
  });

  test('pads its options and takes no more than 40 bytes of them', () => {
    const packet = ipv4({ ...V4, proto: 99, options: Uint8Array.of(148, 4, 0, 0, 1) });
    expect([packet.length, packet[0]]).toEqual([28, 0x47]);
    expect(() => ipv4({ ...V4, proto: 99, options: new Uint8Array(41) })).toThrow(RangeError);
  });
});

describe('an IPv6 header', () => {
  test('has its fields where RFC 8200 has them', () => {
    const packet = genericPacket({
      ...V6,
      proto: 99,
      payload: 5,
      ip: { ttl: 3, tos: 0xb8, flowLabel: 0xabcde },
    });
    expect([...packet.subarray(0, 8)]).toEqual([0x6b, 0x8a, 0xbc, 0xde, 0, 5, 99, 3]);
  });

  test('chains its extension headers and leaves those of the caller as they are', () => {
    const extension = routingHeader();
    const packet = genericPacket({ ...V6, proto: 99, ip: { extensions: [extension, extension] } });
    expect([packet[6], packet[40], packet[48]]).toEqual([43, 43, 99]);
    expect(extension.bytes[0]).toBe(0);
  });
});

describe('fragmentIpv4', () => {
  const payloadOf = (fragment: Uint8Array): Uint8Array => fragment.subarray((fragment[0]! & 15) << 2);

  test('cuts a packet into fragments that are its payload in order, each with a right header', () => {
    const size = fc.integer({ min: 1, max: 30 }).map((n) => n * 8);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), size, (payload, each) => {
        const packet = udpPacket({ ...V4, ...PORTS, payload, ip: { id: 77 } });
        const fragments = fragmentIpv4(packet, each);
        let offset = 0;
        fragments.forEach((fragment, i) => {
          const { pkt, ok } = read(fragment);
          expect([ok, pkt.frag]).toEqual([true, offset | (i < fragments.length - 1 ? 1 : 0)]);
          expect(pkt.view.getUint16(pkt.off + 4)).toBe(77);
          offset += payloadOf(fragment).length;
        });
        expect(concat(...fragments.map(payloadOf))).toEqual(packet.subarray(20));
      }),
    );
  });

  test('takes a size for each fragment, the last takes the rest', () => {
    const packet = genericPacket({ ...V4, proto: 99, payload: 2056 });
    expect(fragmentIpv4(packet, [800, 800]).map((f) => payloadOf(f).length)).toEqual([800, 800, 456]);
    expect(fragmentIpv4(packet, [16, 8, 2032]).map((f) => payloadOf(f).length)).toEqual([16, 8, 2032]);
  });

  test('leaves a packet that fits as it is', () => {
    const packet = udpPacket({ ...V4, ...PORTS, payload: 92 });
    expect(fragmentIpv4(packet, 1480)).toEqual([packet]);
  });

  test('repeats only options with the copied flag (RFC 791, section 3.1)', () => {
    const routerAlert = [148, 4, 0, 0];
    const options = Uint8Array.of(1, 7, 3, 4, ...routerAlert, 0);
    const [first, second] = fragmentIpv4(
      genericPacket({ ...V4, proto: 99, payload: 24, ip: { options } }),
      16,
    );
    expect([...first!.subarray(20, 32)]).toEqual([1, 7, 3, 4, ...routerAlert, 0, 0, 0, 0]);
    expect([second![0], ...second!.subarray(20, 24)]).toEqual([0x46, ...routerAlert]);
    expect(read(second!).ok).toBe(true);
  });

  test('cuts a fragment again: offsets go on, and the last piece has more to come', () => {
    const fragment = genericPacket({ ...V4, proto: 99, payload: 64, ip: { offset: 800, mf: true } });
    expect(fragmentIpv4(fragment, 32).map((f) => read(f).pkt.frag)).toEqual([800 | 1, 832 | 1]);
  });

  test('refuses sizes that are no multiple of 8, but for the last', () => {
    const packet = genericPacket({ ...V4, proto: 99, payload: 64 });
    expect(() => fragmentIpv4(packet, 12)).toThrow('12 bytes');
    expect(() => fragmentIpv4(packet, [0, 64])).toThrow(RangeError);
    expect(fragmentIpv4(packet, [56, 8])).toHaveLength(2);
  });
});

describe('fragmentIpv6', () => {
  test('repeats hop-by-hop and routing headers, and cuts destination options that follow them', () => {
    const extensions = [hopByHop(), destinationOptions(), routingHeader(), destinationOptions()];
    const packet = udpPacket({ ...V6, ...PORTS, payload: 100, ip: { extensions } });
    const fragments = fragmentIpv6(packet, 48, 5);
    const chain = (f: Uint8Array): number[] => [f[6]!, f[40]!, f[48]!, f[56]!, f[64]!];
    expect(fragments.map(chain)).toEqual(Array(3).fill([0, 60, 43, 44, 60]));
    expect(concat(...fragments.map((f) => f.subarray(72)))).toEqual(packet.subarray(64));
    expect(fragments.map((f) => read(f).pkt.frag)).toEqual([1, 48 | 1, 96]);
    expect(fragments.every((f) => viewOf(f).getUint32(68) === 5 && read(f).ok)).toBe(true);
  });

  test('cuts destination options without a routing header behind them', () => {
    const packet = udpPacket({ ...V6, ...PORTS, ip: { extensions: [destinationOptions()] } });
    const [first] = fragmentIpv6(packet, 8);
    expect([first![6], first![40]]).toEqual([44, 60]);
  });
});

test('the segment functions make what the whole packet has behind its IP header', () => {
  const fields = { ...PORTS, flags: 2, payload: 'x' };
  const packet = ipv4({ ...V4, proto: IPPROTO_TCP, payload: tcp({ ...V4, ...fields }) });
  expect(packet).toEqual(tcpPacket({ ...V4, ...fields }));
});
