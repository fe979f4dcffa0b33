import { defaultHost, Firewall, Packet, resetPacket, tcpPacket, udpPacket } from '@keepstate/engine';
import { describe, expect, test } from 'vitest';
import { fragmentIpv4 } from '../engine/packet/build-fragment.ts';

const LINKTYPE_RAW = 101;

/** Hands packets to a firewall in one Buffer that is used again for each, as a program that reads a device does. */
class Reader {
  readonly firewall: Firewall = new Firewall({ host: defaultHost() });
  readonly pkt: Packet = new Packet();
  private readonly buffer = Buffer.alloc(2048);

  receive(bytes: Uint8Array): void {
    const { buffer } = this;
    buffer.fill(0xff);
    buffer.set(bytes);
    const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
    resetPacket(this.pkt, buffer, view, 0, bytes.length);
    this.firewall.receive(this.pkt, LINKTYPE_RAW, 1000);
  }
}

describe("packets in Node's Buffers, whose slices share their memory", () => {
  test('leave with a hop less, and stay as they left when the buffer is used again', () => {
    const reader = new Reader();
    reader.firewall.wantsBytes = true;
    const [first, second] = [1000, 1001].map((sport) =>
      tcpPacket({ src: '10.0.0.1', dst: '10.1.0.1', sport, dport: 80, flags: 2 }),
    );
    reader.receive(first!);
    const [left] = reader.firewall.outcome.out;
    expect([left![8], first![8]]).toEqual([63, 64]);
    reader.receive(second!);
    expect(left![21]).toBe(1000 & 0xff);
  });

  test('are put together from fragments that came in the same buffer', () => {
    const reader = new Reader();
    const whole = udpPacket({ src: '10.0.0.1', dst: '10.1.0.1', sport: 1000, dport: 53, payload: 1000 });
    const before = reader.firewall.conntrack.stats.invalid;
    for (const fragment of fragmentIpv4(whole, 400)) reader.receive(fragment);
    expect(reader.pkt.end - reader.pkt.off).toBe(whole.length);
    expect(reader.firewall.conntrack.stats.invalid).toBe(before);
    expect(reader.firewall.conntrack.table.count).toBe(1);
  });
});
