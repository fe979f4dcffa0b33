import { describe, expect, test } from 'vitest';
import { reasonText } from '../base/reason-text.ts';
import { readFlow } from '../conntrack/flow-record.ts';
import { LINUX_2_4, PROFILES } from '../conntrack/profile.ts';
import { Settings } from '../conntrack/settings.ts';
import { tcpPacket, udpPacket } from '../packet/build.ts';
import { viewOf } from '../packet/build-bytes.ts';
import { fragmentIpv4, fragmentIpv6 } from '../packet/build-fragment.ts';
import {
  ethernetFrame,
  loopFrame,
  nullFrame,
  qinqFrame,
  sll2Frame,
  sllFrame,
  vlanFrame,
} from '../packet/build-link.ts';
import * as DLT from '../packet/link.ts';
import { CTINFO_INVALID, CTINFO_NONE, IP_CT_NEW, Packet, resetPacket } from '../packet/packet.ts';
import { TH_SYN } from '../packet/tcp.ts';
import { NF_ACCEPT, NF_DROP, NF_STOLEN } from '../rules/verdict.ts';
import { Firewall } from './firewall.ts';
import { Ruleset } from './ruleset.ts';

const V4 = { src: '10.0.0.1', dst: '10.1.0.1', sport: 1000, dport: 80 };
const V6 = { src: 'fd00::1', dst: 'fd00::2', sport: 1000, dport: 80 };
const SYN4 = tcpPacket({ ...V4, flags: TH_SYN });
const SYN6 = tcpPacket({ ...V6, flags: TH_SYN });

/** One packet object for all frames, as users have it. */
class Tap {
  readonly firewall: Firewall;
  readonly pkt = new Packet();

  constructor(firewall: Firewall = new Firewall()) {
    this.firewall = firewall;
  }

  /** Returns the verdict; `pkt` says why. */
  receive(frame: Uint8Array, linktype: number = DLT.DLT_RAW, now = 1000, missing = 0): number {
    resetPacket(this.pkt, frame, viewOf(frame), 0, frame.length);
    this.pkt.missing = missing;
    this.pkt.time = now;
    return this.firewall.receive(this.pkt, linktype);
  }

  get reason(): string {
    return this.pkt.reason === 0 ? '' : reasonText(this.pkt.reason, this.pkt.operands);
  }

  flows(): string[] {
    const { conntrack } = this.firewall;
    const flows: string[] = [];
    conntrack.eachFlow((flow) => flows.push(readFlow(conntrack, flow).original.src));
    return flows;
  }
}

const LINKS: readonly (readonly [
  name: string,
  linktype: number,
  frame: (packet: Uint8Array) => Uint8Array,
])[] = [
  ['Ethernet', DLT.DLT_EN10MB, (packet) => ethernetFrame(packet)],
  ['Ethernet with a VLAN tag', DLT.DLT_EN10MB, (packet) => vlanFrame(packet, 5)],
  ['Ethernet with two VLAN tags', DLT.DLT_EN10MB, (packet) => qinqFrame(packet, 5, 6)],
  ['Linux cooked', DLT.DLT_LINUX_SLL, (packet) => sllFrame(packet)],
  ['Linux cooked, version 2', DLT.DLT_LINUX_SLL2, (packet) => sll2Frame(packet)],
  ['BSD loopback', DLT.DLT_NULL, (packet) => nullFrame(packet)],
  ['OpenBSD loopback', DLT.DLT_LOOP, (packet) => loopFrame(packet)],
  ['raw IP', DLT.DLT_RAW, (packet) => packet],
  ['raw IP, old number', DLT.DLT_RAW_BSD, (packet) => packet],
  ['raw IP, OpenBSD', DLT.DLT_RAW_OPENBSD, (packet) => packet],
];

describe('Firewall', () => {
  test.each(LINKS)('tracks IPv4 and IPv6 that come over %s', (_name, linktype, frame) => {
    const tap = new Tap();
    for (const packet of [SYN4, SYN6]) {
      expect(tap.receive(frame(packet), linktype)).toBe(NF_ACCEPT);
      expect(tap.pkt.ctinfo).toBe(IP_CT_NEW);
    }
    expect(tap.flows()).toEqual(['10.0.0.1', 'fd00::1']);
  });

  test('tracks what the link type says is IPv4 or IPv6, and nothing else under that name', () => {
    const tap = new Tap();
    expect(tap.receive(SYN4, DLT.DLT_IPV4)).toBe(NF_ACCEPT);
    expect(tap.receive(SYN6, DLT.DLT_IPV6)).toBe(NF_ACCEPT);
    expect(tap.receive(SYN6, DLT.DLT_IPV4)).toBe(NF_DROP);
    expect(tap.reason).toBe('IP version 6 where the link layer says another');
    expect(tap.flows()).toHaveLength(2);
  });

  test.each([
    ['an unknown link type', SYN4, 147, 0, 'unknown link type 147'],
    [
      'a frame without its link header',
      SYN4.slice(0, 10),
      DLT.DLT_EN10MB,
      0,
      'frame shorter than its link header',
    ],
    ['ARP', sllFrame(SYN4, 0x806), DLT.DLT_LINUX_SLL, 0, 'not IP: ethertype 0x0806'],
    ['an empty frame', new Uint8Array(0), DLT.DLT_RAW, 0, 'IP header cut short'],
    [
      'a packet that is shorter than it says',
      SYN4.slice(0, 30),
      DLT.DLT_RAW,
      0,
      'IP length 40 but only 30 bytes are there: dropped before tracking',
    ],
    [
      'a packet that the capture cut short',
      SYN4.slice(0, 30),
      DLT.DLT_RAW,
      10,
      'cut short by the capture: 10 bytes missing',
    ],
    [
      'an IP header that the capture cut short',
      SYN4.slice(0, 12),
      DLT.DLT_RAW,
      28,
      'cut short by the capture: 28 bytes missing',
    ],
    [
      'a wrong IPv4 header checksum, cut short or not',
      tcpPacket({ ...V4, flags: TH_SYN, ip: { checksum: 1 } }),
      DLT.DLT_RAW,
      7,
      'bad IPv4 header checksum: dropped before tracking',
    ],
  ])('drops %s before tracking, with its reason', (_name, frame, linktype, missing, reason) => {
    const tap = new Tap();
    expect(tap.receive(frame, linktype, 1000, missing)).toBe(NF_DROP);
    expect(tap.pkt.ctinfo).toBe(CTINFO_NONE);
    expect(tap.reason).toBe(reason);
    expect(tap.flows()).toEqual([]);
  });

  test('ignores what a capture left out behind the packet', () => {
    const tap = new Tap();
    expect(tap.receive(SYN4, DLT.DLT_RAW, 1000, 4)).toBe(NF_ACCEPT);
    expect(tap.pkt.ctinfo).toBe(IP_CT_NEW);
  });

  test('lets INVALID packets pass: dropping them is for rules', () => {
    const tap = new Tap();
    expect(tap.receive(tcpPacket({ ...V4, flags: 0 }))).toBe(NF_ACCEPT);
    expect(tap.pkt.ctinfo).toBe(CTINFO_INVALID);
    expect(tap.reason).toBe('invalid tcp flag combination');
  });

  test('tells of a packet the status that its flow had for rules: not confirmed yet, then confirmed', () => {
    const tap = new Tap();
    tap.receive(udpPacket({ ...V4 }));
    expect(tap.pkt.status).toBe(0);
    tap.receive(udpPacket({ ...V4 }));
    expect(tap.pkt.status).toBe(8);
  });

  test.each([
    ['IPv4', fragmentIpv4(udpPacket({ ...V4, payload: 100 }), 56), '10.0.0.1'],
    ['IPv6', fragmentIpv6(udpPacket({ ...V6, payload: 100 }), 56), 'fd00::1'],
  ])('holds %s fragments until the datagram is whole, and then tracks that', (_name, fragments, src) => {
    const tap = new Tap();
    expect(tap.receive(fragments[0]!)).toBe(NF_STOLEN);
    expect(tap.reason).toBe('fragment held until its datagram is whole');
    expect(tap.flows()).toEqual([]);
    expect(tap.receive(fragments[1]!)).toBe(NF_ACCEPT);
    expect(tap.pkt.ctinfo).toBe(IP_CT_NEW);
    expect(tap.flows()).toEqual([src]);
  });

  test('drops a fragment that overlaps another', () => {
    const [first] = fragmentIpv4(udpPacket({ ...V4, payload: 100 }), 56);
    const tap = new Tap();
    tap.receive(first!);
    const again = fragmentIpv4(udpPacket({ ...V4, payload: 100 }), 64)[0]!;
    expect(tap.receive(again)).toBe(NF_DROP);
    expect(tap.reason).toBe('fragment overlaps another: datagram given up');
  });

  test('forgets fragments and flows when time passes, without any packet', () => {
    const tap = new Tap();
    tap.receive(fragmentIpv4(udpPacket({ ...V4, payload: 100 }), 56)[0]!, DLT.DLT_RAW, 1000);
    tap.receive(udpPacket({ ...V6 }), DLT.DLT_RAW, 1000);
    expect([tap.firewall.defrag.queues, tap.flows().length]).toEqual([1, 1]);
    tap.firewall.tick(31_001);
    expect([tap.firewall.defrag.queues, tap.flows().length]).toEqual([0, 0]);
  });

  test('gives the same answers from every seed', () => {
    const answers = [1, 2, 0x7fffffff, -5].map((seed) => {
      const tap = new Tap(new Firewall({ seed }));
      return Array.from({ length: 300 }, (_, i) => {
        const packet = udpPacket({ ...V4, sport: i % 100, payload: i });
        return `${tap.receive(packet, DLT.DLT_RAW, 1000 + i * 400)} ${tap.pkt.ctinfo} ${tap.flows().length}`;
      });
    });
    for (const other of answers) expect(other).toEqual(answers[0]);
  });

  test('shares nothing with another firewall', () => {
    const one = new Tap();
    const other = new Tap(new Firewall({ settings: new Settings(LINUX_2_4) }));
    one.receive(SYN4);
    expect(one.flows()).toHaveLength(1);
    expect(other.flows()).toEqual([]);
    expect(other.firewall.settings.profile.name).toBe('linux-2.4');
    expect(one.firewall.settings.profile).toBe(PROFILES[0]);
  });

  test('names no chain where tracking drops a packet, though the one before passed one', () => {
    const ruleset = new Ruleset();
    const text = ['table ip f {', 'chain c {', 'type filter hook forward priority 0', '}', '}', ''];
    expect(ruleset.load({ name: 'rules', text: text.join('\n') })).toEqual([]);
    const settings = new Settings();
    settings.set('nf_conntrack_max', 1);
    const tap = new Tap(new Firewall({ settings, rules: ruleset.tables() }));
    const payload = 40;
    const there = udpPacket({ ...V4, dport: 53, payload });
    const back = udpPacket({ src: V4.dst, dst: V4.src, sport: 53, dport: 1000, payload });
    // Answered for more than two seconds, a flow is assured, and makes no room for others.
    for (const now of [1000, 3000, 5000])
      for (const packet of [there, back]) tap.receive(packet, DLT.DLT_RAW, now);
    const { outcome } = tap.firewall;
    expect(outcome.chain?.name).toBe('c');
    expect(tap.receive(udpPacket({ ...V4, sport: 2000, payload }), DLT.DLT_RAW, 5001)).toBe(NF_DROP);
    expect(reasonText(tap.pkt.reason, [])).toContain('table');
    expect([outcome.verdict, outcome.chain, outcome.rule]).toEqual(['drop', null, null]);
  });
});
