import { expect, test } from 'vitest';
import { LOOPBACK } from '../host/model.ts';
import { tcpPacket, udpPacket } from '../packet/build.ts';
import { viewOf } from '../packet/build-bytes.ts';
import { DLT_RAW } from '../packet/link.ts';
import { Packet, resetPacket } from '../packet/packet.ts';
import { TH_SYN } from '../packet/tcp.ts';
import { PACKET_OUTGOING } from './arrive.ts';
import { Firewall } from './firewall.ts';
import { Ruleset } from './ruleset.ts';
import { gateway } from './testing.mts';

const LAN = 3;
const WAN = 2;
const RULES = `table ip f {
  chain in { type filter hook input priority 0; policy drop; tcp dport 22 accept
  }
  chain forward { type filter hook forward priority 0; policy drop; iifname "eth0" oifname "eth1" tcp dport 80 accept
    iifname "eth1" oifname "eth0" accept
  }
  chain out { type filter hook output priority 0; policy drop; oifname "eth0" udp dport 53 accept
  }
  chain pre { type nat hook prerouting priority -100; tcp dport 8080 dnat to 10.0.0.5:80
  }
}
`;

/** A firewall on a machine whose kernel routes. @returns what it makes of packets with these devices */
function queued(): (bytes: Uint8Array, ifin: number, ifout: number) => string {
  const ruleset = new Ruleset();
  expect(ruleset.load({ name: 'rules.nft', text: RULES })).toEqual([]);
  const host = gateway();
  host.transparent = true;
  const firewall = new Firewall({ host, rules: ruleset.tables() });
  firewall.inPlace = true;
  const pkt = new Packet();
  let now = 1_000_000;
  return (bytes, ifin, ifout) => {
    resetPacket(pkt, bytes, viewOf(bytes), 0, bytes.length);
    pkt.ifin = ifin;
    pkt.ifout = ifout;
    if (ifin === 0) pkt.pkttype = PACKET_OUTGOING;
    now += 10;
    firewall.receive(pkt, DLT_RAW, now);
    return firewall.outcome.verdict;
  };
}

const OUTSIDE = '198.51.100.9';
const OWN = '203.0.113.1';
const syn = (dst: string, dport: number): Uint8Array =>
  tcpPacket({ src: OUTSIDE, dst, sport: 1000, dport, flags: TH_SYN, ip: { ttl: 1 } });

test('a packet that the kernel queues at INPUT, or for an address of its own, meets the rules of input', () => {
  const judge = queued();
  expect(judge(syn(OWN, 22), WAN, LOOPBACK)).toBe('accept');
  expect(judge(syn(OWN, 23), WAN, LOOPBACK)).toBe('drop');
  expect(judge(syn(OWN, 22), WAN, 0)).toBe('accept');
  expect(judge(syn(OWN, 80), WAN, 0)).toBe('drop');
});

test('a packet that the kernel has not routed yet leaves by the device that its destination says, hop limit or not', () => {
  const judge = queued();
  expect(judge(syn('10.0.0.5', 80), WAN, 0)).toBe('accept');
  expect(judge(syn('10.0.0.5', 81), WAN, 0)).toBe('drop');
  expect(judge(syn('10.0.0.5', 80), WAN, LAN)).toBe('accept');
});

test('a translated destination is routed anew', () => {
  expect(queued()(syn(OWN, 8080), WAN, 0)).toBe('accept');
});

test('a packet of the machine itself meets the rules of output', () => {
  const judge = queued();
  const ask = (dport: number): Uint8Array => udpPacket({ src: OWN, dst: OUTSIDE, sport: 5, dport });
  expect(judge(ask(53), 0, WAN)).toBe('accept');
  expect(judge(ask(54), 0, WAN)).toBe('drop');
  expect(judge(ask(53), 0, 0)).toBe('accept');
  expect(judge(udpPacket({ src: '0.0.0.0', dst: OUTSIDE, sport: 5, dport: 53 }), 0, WAN)).toBe('accept');
});
