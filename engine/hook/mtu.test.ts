import { describe, expect, test } from 'vitest';
import type { HostModel } from '../host/model.ts';
import { parseHostFile } from '../host/parse-file.ts';
import { tcpPacket, udpPacket } from '../packet/build.ts';
import { viewOf } from '../packet/build-bytes.ts';
import { fragmentIpv4, fragmentIpv6 } from '../packet/build-fragment.ts';
import { Packet, resetPacket } from '../packet/packet.ts';
import { packetText } from '../packet/text.ts';
import { Firewall } from './firewall.ts';

const HOST = `interfaces:
  eth0:
    addresses: [192.0.2.1/24, 2001:db8:1::1/64]
  eth1:
    addresses: [198.51.100.1/24, 2001:db8:2::1/64]
    mtu: 1300
`;
const V4 = { src: '192.0.2.10', dst: '198.51.100.80', sport: 1000, dport: 80 };
const V6 = { src: '2001:db8:1::10', dst: '2001:db8:2::80', sport: 1000, dport: 80 };

function textOf(bytes: Uint8Array): string {
  const pkt = new Packet();
  resetPacket(pkt, bytes, viewOf(bytes), 0, bytes.length);
  return packetText(pkt);
}

/** Sends packets through a host whose eth1 takes no more than 1300 bytes, and tells what became of the last. */
function send(host: HostModel, wantsBytes: boolean, ...packets: Uint8Array[]): Firewall {
  const firewall = new Firewall({ host });
  firewall.wantsBytes = wantsBytes;
  const pkt = new Packet();
  for (const bytes of packets) {
    resetPacket(pkt, bytes, viewOf(bytes), 0, bytes.length);
    firewall.receive(pkt, 101, 1000);
  }
  return firewall;
}

/** With DF set. */
function whole(packet: Uint8Array): Uint8Array {
  const view = viewOf(packet);
  view.setUint16(6, 0x4000);
  view.setUint16(10, view.getUint16(10) - 0x4000);
  return packet;
}

describe('a packet that is longer than the MTU of its next link', () => {
  const host = parseHostFile(HOST, 'host.yaml');
  const syn = tcpPacket({ ...V4, flags: 2 });

  test('is dropped if it may not be cut, and its sender is told the MTU', () => {
    for (const wantsBytes of [false, true]) {
      const { outcome } = send(host, wantsBytes, syn, whole(udpPacket({ ...V4, payload: 1400 })));
      expect(outcome.verdict).toBe('drop');
      expect(outcome.answers.map((answer) => textOf(answer.bytes))).toEqual([
        '192.0.2.1 > 192.0.2.10 icmp fragmentation needed (3/4) mtu 1300 about 192.0.2.10:1000 > 198.51.100.80:80 udp',
      ]);
    }
  });

  test('is dropped over IPv6, whose routers cut nothing', () => {
    const { outcome } = send(host, true, udpPacket({ ...V6, payload: 1400 }));
    expect(outcome.verdict).toBe('drop');
    expect(textOf(outcome.answers[0]!.bytes)).toContain('icmpv6 packet too big (2/0) mtu 1300');
  });

  test('leaves in fragments if it may be cut', () => {
    const { outcome } = send(host, true, udpPacket({ ...V4, payload: 1400 }));
    expect(outcome.verdict).toBe('accept');
    expect(outcome.out.map((bytes) => bytes.length)).toEqual([1300, 148]);
  });

  test('passes if it is longer than any link: a network card put it together', () => {
    const { outcome } = send(host, true, whole(udpPacket({ ...V4, payload: 2000 })));
    expect(outcome.verdict).toBe('accept');
  });

  // Measured with ping -s and fragments made by hand, on a link with an MTU of 1280.
  test('that came in fragments leaves in shorter ones', () => {
    const came = fragmentIpv4(udpPacket({ ...V4, payload: 4000 }), 1480);
    const { outcome } = send(host, true, ...came);
    expect(came.map((bytes) => bytes.length)).toEqual([1500, 1500, 1068]);
    expect(outcome.out.map((bytes) => bytes.length)).toEqual([1300, 1300, 1300, 188]);
  });

  test('that came in fragments which may not be cut again is dropped if one of those is longer', () => {
    const came = (size: number): Uint8Array[] =>
      fragmentIpv4(whole(udpPacket({ ...V4, payload: 2000 })), size);
    expect(send(host, true, ...came(1480)).outcome.verdict).toBe('drop');
    expect(send(host, true, ...came(1280)).outcome).toMatchObject({ verdict: 'accept', answers: [] });
  });

  test('that came in fragments over IPv6 is dropped if one of those is longer', () => {
    const came = (size: number): Uint8Array[] => fragmentIpv6(udpPacket({ ...V6, payload: 4000 }), size);
    const { outcome } = send(host, true, ...came(1448));
    expect(outcome.verdict).toBe('drop');
    expect(textOf(outcome.answers[0]!.bytes)).toContain('icmpv6 packet too big (2/0) mtu 1300');
    expect(send(host, true, ...came(1248)).outcome.verdict).toBe('accept');
  });
});
