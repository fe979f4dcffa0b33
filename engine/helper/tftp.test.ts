import { expect, test } from 'vitest';
import { reasonOf } from '../base/reason.ts';
import { udpPacket } from '../packet/build.ts';
import { IP_CT_RELATED } from '../packet/packet.ts';
import { OUTER, Talk } from './testing.mts';

const READ = '\0\x01file\0octet\0';

test('tftp: a read and a write request make the answer from any port expected', () => {
  for (const request of [READ, '\0\x02file\0octet\0', '\0\x01']) {
    const talk = new Talk('tftp', 'udp', 69);
    expect(talk.up(request).text).toBe(request);
    expect(talk.expected()).toEqual(['udp 198.51.100.1 > 10.0.0.1:4000 300']);
  }
});

test('tftp: what is no request makes nothing expected', () => {
  const talk = new Talk('tftp', 'udp', 69);
  for (const other of ['\0\x03\0\x01data', '\0\x05', '\x01\0', '\0', '']) talk.up(other);
  expect(talk.expected()).toEqual([]);
});

test('tftp: a masqueraded client gets its answer', () => {
  const talk = new Talk('tftp', 'udp', 69, { masqueraded: true });
  talk.up(READ);
  expect(talk.expected()).toEqual([`udp 198.51.100.1 > ${OUTER}:4000 300`]);
  const data = udpPacket({ src: talk.server, dst: OUTER, sport: 1234, dport: 4000, payload: 3 });
  const { pkt, bytes } = talk.packet(1, data);
  expect(pkt.ctinfo).toBe(IP_CT_RELATED);
  expect([...bytes.subarray(16, 20)]).toEqual([10, 0, 0, 1]);
  expect(talk.expected()).toEqual([]);
});

test('tftp: a second flow that expects the same answer is refused', () => {
  const talk = new Talk('tftp', 'udp', 69);
  talk.up(READ);
  talk.firewall.conntrack.autoHelpers = ['tftp'];
  const { client, server } = talk;
  const request = udpPacket({ src: client, dst: server, sport: 4000, dport: 69, payload: 0 });
  expect(talk.packet(0, request).text).toBe('');
  const other = talk.firewall.conntrack;
  const helper = other.helpers.find(({ name }) => name === 'tftp')!;
  other.helpers = [{ ...helper, ports: [70] }];
  const payload = Uint8Array.of(0, 1);
  const heard = talk.packet(0, udpPacket({ src: client, dst: server, sport: 4000, dport: 70, payload }));
  expect(heard.text).toBe(null);
  expect(reasonOf(heard.pkt.reason).name).toBe('helper-expect');
});

test('tftp: over IPv6', () => {
  const talk = new Talk('tftp', 'udp', 69, { client: 'fd00::5', server: '2001:db8:9::1' });
  talk.up(READ);
  expect(talk.expected()).toEqual(['udp 2001:db8:9::1 > fd00::5:4000 300']);
});
