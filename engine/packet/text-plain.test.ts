import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pageWriter } from '../base/line-writer-page.ts';
import { icmpPacket, tcpPacket, udpPacket } from './build.ts';
import { dissect } from './dissect.ts';
import { Packet, resetPacket } from './packet.ts';
import { TH_ACK, TH_SYN, TH_URG } from './tcp.ts';
import { packetText } from './text.ts';
import { NOT_PLAIN, putPlain } from './text-plain.ts';

const V4 = { src: '10.0.0.1', dst: '10.1.0.1' } as const;
const V6 = { src: '2001:db8::1', dst: '2001:db8:1::2' } as const;
const WEB = { sport: 1000, dport: 80 } as const;
const out = pageWriter();

function dissected(packet: Uint8Array): Packet {
  const pkt = new Packet();
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  resetPacket(pkt, packet, view, 0, packet.length);
  dissect(pkt);
  return pkt;
}

/** What is written behind a mark that must stay as it is; null if the packet is not for it. */
function plain(pkt: Packet): string | null {
  out.at = 0;
  out.byte(0x3c);
  const at = putPlain(out.at, pkt);
  if (at === NOT_PLAIN) return null;
  out.at = at;
  const text = out.toString();
  expect(text[0]).toBe('<');
  return text.slice(1);
}

const address = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((bytes) => bytes.join('.'));
// Of each number of digits.
const number = (bits: number): fc.Arbitrary<number> =>
  fc.tuple(fc.nat(bits), fc.nat(0xffffffff)).map(([b, n]) => (b === 0 ? 0 : n >>> (32 - b)));
const port = number(16);

describe('the short way to the text about a packet', () => {
  test('says of any TCP segment over IPv4 what the long way says', () => {
    const segment = fc.record({
      src: address,
      dst: address,
      sport: port,
      dport: port,
      seq: number(32),
      ack: number(32),
      win: port,
      flags: fc.nat(255).map((flags) => flags & ~TH_URG),
      payload: fc.oneof(fc.nat(20), fc.nat(2000)),
    });
    fc.assert(
      fc.property(segment, (options) => {
        const pkt = dissected(tcpPacket(options));
        expect(plain(pkt)).toBe(packetText(pkt));
      }),
      { numRuns: 2000 },
    );
  });

  test('says of any UDP datagram over IPv4 what the long way says', () => {
    const datagram = fc.record({
      src: address,
      dst: address,
      sport: port,
      dport: port,
      payload: fc.nat(2000),
    });
    fc.assert(
      fc.property(datagram, (options) => {
        const pkt = dissected(udpPacket(options));
        expect(plain(pkt)).toBe(packetText(pkt));
      }),
      { numRuns: 1000 },
    );
  });

  test('leaves everything else to the long way, or says the same: packets in which bytes changed', () => {
    const samples = [
      tcpPacket({ ...V4, ...WEB, flags: TH_SYN }),
      tcpPacket({ ...V4, ...WEB, flags: TH_ACK, payload: 9 }),
      udpPacket({ ...V4, ...WEB, payload: 9 }),
    ];
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(change, { maxLength: 4 }),
        fc.nat(60),
        (sample, changes, end) => {
          const packet = sample.slice();
          for (const [at, value] of changes) packet[at % packet.length] = value;
          const pkt = dissected(packet);
          // As the tracker would leave it, had it found the headers and not looked at them.
          if (pkt.l4 < 0) return;
          pkt.end = Math.min(pkt.end, pkt.l4 + end);
          const text = plain(pkt);
          if (text !== null) expect(text).toBe(packetText(pkt));
        },
      ),
      { numRuns: 10_000 },
    );
  });

  test('is for TCP and UDP over IPv4 that are whole and have nothing special to say', () => {
    const isPlain = (packet: Uint8Array): boolean => plain(dissected(packet)) !== null;
    expect(isPlain(tcpPacket({ ...V4, ...WEB, flags: TH_SYN }))).toBe(true);
    expect(isPlain(udpPacket({ ...V4, ...WEB }))).toBe(true);
    expect(isPlain(tcpPacket({ ...V4, ...WEB, flags: TH_ACK | TH_URG }))).toBe(false);
    expect(isPlain(tcpPacket({ ...V4, ...WEB, flags: TH_ACK, ip: { offset: 8 } }))).toBe(false);
    expect(isPlain(tcpPacket({ ...V6, ...WEB, flags: TH_SYN }))).toBe(false);
    expect(isPlain(icmpPacket({ ...V4, type: 8 }))).toBe(false);
  });
});
