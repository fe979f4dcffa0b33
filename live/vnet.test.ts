import { dissect, Packet, resetPacket, sctpPacket, tcpPacket, udpPacket } from '@keepstate/engine';
import { expect, test } from 'vitest';
import { clearVnet, mendPartial, settlePartial, shiftVnet, VNET_HEADER, VNET_NEEDS_CSUM } from './vnet.ts';

const LINK = 14;

/** A header that says where the checksum is still to be made. */
function header(flags: number, start: number, offset: number): DataView {
  const view = new DataView(new ArrayBuffer(VNET_HEADER));
  view.setUint8(0, flags);
  view.setUint16(6, start, true);
  view.setUint16(8, offset, true);
  return view;
}

/** The packet's checksum as a network card finishes it: over the transport segment as it stands there. */
function finish(pkt: Packet, field: number): number {
  let sum = 0;
  for (let at = pkt.l4; at < pkt.end; at += 2)
    sum += at + 1 < pkt.end ? pkt.view.getUint16(at) : pkt.view.getUint8(at) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  pkt.view.setUint16(pkt.l4 + field, ~sum & 0xffff);
  return ~sum & 0xffff;
}

function packetOf(bytes: Uint8Array): Packet {
  const pkt = new Packet();
  resetPacket(pkt, bytes, new DataView(bytes.buffer), 0, bytes.length);
  dissect(pkt);
  return pkt;
}

/** Makes a packet of either protocol. */
function made(proto: 'TCP' | 'UDP', src: string, dst: string): Uint8Array {
  const packet = { src, dst, sport: 5, dport: 6, payload: DATA };
  return proto === 'TCP' ? tcpPacket({ ...packet, flags: 0x10 }) : udpPacket(packet);
}

const DATA = Uint8Array.from({ length: 37 }, (_, i) => i * 7);

test.each([
  ['TCP', 'IPv4', 20, 16],
  ['TCP', 'IPv6', 40, 16],
  ['UDP', 'IPv4', 20, 6],
  ['UDP', 'IPv6', 40, 6],
] as const)(
  'a network card makes the right checksum of a mended packet: %s of %s',
  (proto, ip, l4, field) => {
    const bytes = ip === 'IPv4' ? made(proto, '10.0.0.1', '10.0.0.2') : made(proto, 'fd00::1', 'fd00::2');
    const right = new DataView(bytes.buffer).getUint16(l4 + field);
    const pkt = packetOf(bytes);
    // Whatever rules left there.
    pkt.view.setUint16(pkt.l4 + field, 0x1234);
    mendPartial(header(VNET_NEEDS_CSUM, LINK + l4, field), 0, LINK, pkt);
    expect(finish(pkt, field)).toBe(right);
  },
);

test('a checksum that is whole, or that of a packet in a tunnel, is not touched', () => {
  const bytes = udpPacket({ src: '10.0.0.1', dst: '10.0.0.2', sport: 5, dport: 6, payload: DATA });
  const before = bytes.slice();
  mendPartial(header(0, LINK + 20, 6), 0, LINK, packetOf(bytes));
  mendPartial(header(VNET_NEEDS_CSUM, LINK + 50, 6), 0, LINK, packetOf(bytes));
  mendPartial(header(VNET_NEEDS_CSUM, LINK + 20, 60_000), 0, LINK, packetOf(bytes));
  expect(bytes).toEqual(before);
});

test('a header moves with its frame, and an empty one leaves nothing to do', () => {
  const view = header(VNET_NEEDS_CSUM, 34, 16);
  shiftVnet(view, 0, 4);
  expect(view.getUint16(6, true)).toBe(38);
  clearVnet(view, 0);
  expect(new Uint8Array(view.buffer)).toEqual(new Uint8Array(VNET_HEADER));
  shiftVnet(view, 0, 4);
  expect(view.getUint16(6, true)).toBe(0);
});

test('a checksum that would be written over anything but a checksum keeps its packet from leaving', () => {
  const tcp = packetOf(made('TCP', '10.0.0.1', '10.0.0.2'));
  const udp = packetOf(made('UDP', 'fd00::1', 'fd00::2'));
  const may = (pkt: Packet, start: number, offset: number): boolean =>
    settlePartial(header(VNET_NEEDS_CSUM, LINK + start, offset), 0, LINK, pkt);
  expect(may(tcp, 20, 16)).toBe(true);
  expect(may(udp, 40, 6)).toBe(true);
  for (let start = 0; start < 60; start++) {
    for (let offset = 0; offset < 60; offset++) {
      if (start !== 20 || offset !== 16) expect(may(tcp, start, offset)).toBe(false);
      // What lies behind UDP's header may be a packet in a tunnel.
      if ((start !== 40 || offset !== 6) && start < 48) expect(may(udp, start, offset)).toBe(false);
    }
  }
  expect(may(udp, 48, 6)).toBe(true);
  expect(settlePartial(header(0, 0, 0), 0, LINK, tcp)).toBe(true);
});

test('the checksum of SCTP, which no header of virtio can ask for, is made on the spot', () => {
  const bytes = sctpPacket({ src: '10.0.0.1', dst: '10.0.0.2', sport: 5, dport: 6, vtag: 7, chunks: [] });
  const right = bytes.slice();
  const pkt = packetOf(bytes);
  pkt.view.setUint32(pkt.l4 + 8, 0);
  const vnet = header(VNET_NEEDS_CSUM, LINK + 20, 8);
  expect(settlePartial(vnet, 0, LINK, pkt)).toBe(true);
  expect(vnet.getUint8(0)).toBe(0);
  expect(bytes).toEqual(right);
});
