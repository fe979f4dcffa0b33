import { expect, test } from 'vitest';
import { Firewall } from '../hook/firewall.ts';
import { icmp } from '../packet/build-icmp.ts';
import { ipPacket } from '../packet/build-ip.ts';
import { tcp } from '../packet/build-tcp.ts';
import { DLT_RAW } from '../packet/link.ts';
import { Packet, resetPacket } from '../packet/packet.ts';
import { TH_SYN } from '../packet/tcp.ts';
import { findFlow } from './flow-find.ts';

function receive(firewall: Firewall, bytes: Uint8Array): void {
  const pkt = new Packet();
  resetPacket(pkt, bytes, new DataView(bytes.buffer, bytes.byteOffset), 0, bytes.length);
  pkt.time = 1000;
  firewall.receive(pkt, DLT_RAW);
}

test.each([
  ['10.0.0.1', '10.1.0.1'],
  ['fd00::1', 'fd00::2'],
])('a TCP flow from %s is found by its original and by its reply tuple', (src, dst) => {
  const firewall = new Firewall();
  const ends = { src, dst, sport: 1000, dport: 80 };
  receive(firewall, ipPacket(ends, 6, tcp({ ...ends, flags: TH_SYN })));
  const ct = firewall.conntrack;
  const hit = findFlow(ct, { ...ends, protonum: 6 });
  expect(hit >> 1).toBeGreaterThan(0);
  expect(hit & 1).toBe(0);
  expect(findFlow(ct, { src: dst, dst: src, sport: 80, dport: 1000, protonum: 6 })).toBe(hit | 1);
  expect(findFlow(ct, { ...ends, dport: 81, protonum: 6 })).toBe(0);
  expect(findFlow(ct, { ...ends, zone: 5, protonum: 6 })).toBe(0);
});

test('a ping is found by id, type and code', () => {
  const firewall = new Firewall();
  receive(firewall, ipPacket({ src: '10.0.0.1', dst: '10.1.0.1' }, 1, icmp({ type: 8, id: 7 })));
  const reply = { src: '10.1.0.1', dst: '10.0.0.1', protonum: 1, type: 0, code: 0, id: 7 };
  expect(findFlow(firewall.conntrack, reply) & 1).toBe(1);
  expect(findFlow(firewall.conntrack, { ...reply, id: 8 })).toBe(0);
});

test('a tuple of two families is refused with what was expected', () => {
  const query = { src: '10.0.0.1', dst: 'fd00::1', protonum: 6 };
  expect(() => findFlow(new Firewall().conntrack, query)).toThrow(/two addresses of one family/);
});
