import { describe, expect, test } from 'vitest';
import { IpOptions } from '../hook/ip-options.ts';
import { udpPacket } from '../packet/build.ts';
import { internetChecksum, viewOf } from '../packet/build-bytes.ts';
import { ipv4 } from '../packet/build-ipv4.ts';
import { dissect } from '../packet/dissect.ts';
import { Packet, resetPacket } from '../packet/packet.ts';
import { RTN_UNICAST } from './host.ts';
import { HostModel } from './model.ts';
import { parsePrefix } from './prefix.ts';
import { icmpReject, ipError, tcpReset } from './reject.ts';
import { CAPTURED } from './reject-captured.mts';

const NF_INET_PRE_ROUTING = 0;
const NF_INET_LOCAL_IN = 1;
const NF_INET_FORWARD = 2;

/** As in reject-captured.mts. */
const ROWS = CAPTURED.trim()
  .split('\n')
  .map(
    (line) => line.split(' | ') as [name: string, hook: string, how: string, packet: string, answer: string],
  );

/** The host that the packets came to. */
function host(): HostModel {
  const made = new HostModel();
  for (const text of ['10.0.0.1/24', '10.0.0.2/24', '2001:db8:1::2/64', '2001:db8:1::1/64'])
    made.addAddress('ta', parsePrefix(text)!);
  for (const text of ['10.1.0.1/24', '10.1.0.9/24', '2001:db8:2::1/64'])
    made.addAddress('tb', parsePrefix(text)!);
  for (const text of ['0.0.0.0/0', '::/0']) {
    const { index } = made.deviceNamed('ta')!;
    made.addRoute({ prefix: parsePrefix(text)!, device: index, type: RTN_UNICAST, metric: 0, source: null });
  }
  return made;
}

function read(bytes: Uint8Array): Packet {
  const pkt = new Packet();
  resetPacket(pkt, bytes, viewOf(bytes), 0, bytes.length);
  expect(dissect(pkt)).toBe(true);
  return pkt;
}

/** As a packet is in FORWARD: one hop less, its options written to, and its way out known. */
function forwarded(pkt: Packet): void {
  const { view } = pkt;
  pkt.ifout = 3;
  if (pkt.family === 2) {
    view.setUint8(8, view.getUint8(8) - 1);
    view.setUint16(10, 0);
    view.setUint16(10, internetChecksum(pkt.bytes.slice(0, (view.getUint8(0) & 15) << 2)));
    new IpOptions(host()).arrive(pkt, 0);
  } else view.setUint8(7, view.getUint8(7) - 1);
}

function masked(answer: Uint8Array | null): string | null {
  if (answer === null) return null;
  if (answer[0]! >> 4 === 4 && answer[9] === 1) {
    answer.fill(0, 4, 6);
    answer.fill(0, 10, 12);
  }
  return Buffer.from(answer).toString('hex');
}

describe('a rejected packet is answered as Linux answers it', () => {
  test.each(ROWS)('%s (hook %s, %s)', (_name, at, how, packet, answer) => {
    const hook = Number(at);
    const pkt = read(Uint8Array.from(Buffer.from(packet, 'hex')));
    if (hook === NF_INET_FORWARD) forwarded(pkt);
    const ours = how === 'reset' ? tcpReset(host(), pkt, hook) : icmpReject(host(), pkt, hook, Number(how));
    expect(masked(ours) ?? 'null').toBe(answer);
  });

  test('not if its sender cannot be reached', () => {
    const pkt = read(udpPacket({ src: '8.8.8.8', dst: '10.0.0.1', sport: 1, dport: 2 }));
    const lonely = new HostModel();
    lonely.addAddress('ta', parsePrefix('10.0.0.1/24')!);
    expect(icmpReject(lonely, pkt, NF_INET_LOCAL_IN, 3)).toBeNull();
  });

  test('not if it is a later fragment', () => {
    const pkt = read(ipv4({ src: '10.0.0.5', dst: '10.1.0.9', proto: 17, offset: 64, payload: 20 }));
    expect(icmpReject(host(), pkt, NF_INET_LOCAL_IN, 3)).toBeNull();
  });

  // Measured: hop limit 1 and a wrong TCP checksum; REJECT would not answer that.
  test('by the IP layer even if its checksum is wrong', () => {
    const packet = '45000028000000000106a5c60a0000050a0100050001000200000000000000005002faf000040000';
    const answer = `45c0004400000000400100000a0000010a0000050b00aa0500000000${packet}`;
    const pkt = read(Uint8Array.from(Buffer.from(packet, 'hex')));
    expect(masked(ipError(host(), pkt, true, 0, NF_INET_PRE_ROUTING))).toBe(answer);
  });
});
