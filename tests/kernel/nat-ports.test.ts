/**
 * Ports that translation chooses where the flow's own is taken, or the rule asks for any. Linux draws them at random, so
 * what is compared is what both sides must keep to: the range, that no two are alike, and which packets find none.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { icmp } from '../../engine/packet/build-icmp.ts';
import { ipPacket } from '../../engine/packet/build-ip.ts';
import { udp } from '../../engine/packet/build-udp.ts';
import { natTable, natXt } from './nat-say.ts';
import { EngineRules, EngineRun } from './rules-engine.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import type { Entry, RulePacket, Source } from './rules-types.ts';

const SERVER = '198.51.100.7';

function wrap(src: string, dst: string, proto: number, body: Uint8Array, from: Entry): RulePacket {
  return { from, bytes: ipPacket({ src, dst, ip: { id: 1 } as object }, proto, body) };
}

function datagram(src: string, sport: number, dst: string, dport: number, from: Entry = 'eth1'): RulePacket {
  return wrap(src, dst, 17, udp({ src, dst, sport, dport, payload: 4 }), from);
}

function client(i: number): string {
  return `192.168.${1 + (i >> 7)}.${5 + (i & 127)}`
    .replace('192.168.2.', '10.1.2.')
    .replace('192.168.3.', '10.1.3.');
}

/** Clients that speak to one server from the same port. */
function crowd(count: number, sport: number): RulePacket[] {
  return Array.from({ length: count }, (_, i) => datagram(client(i), sport, SERVER, 53));
}

/** Source port of what leaves, the id of ICMP; -1 for nothing. `end` 2 is the destination port. */
function portOf(bytes: Uint8Array | undefined, end: number): number {
  if (bytes === undefined) return -1;
  const at = bytes[9] === 1 ? 24 : 20 + end;
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

interface PortCase {
  readonly name: string;
  readonly sources: readonly Source[];
  readonly packets: readonly RulePacket[];
  /** 2 if it is destination ports that are looked at. */
  readonly end?: number;
  /** What is so of the ports of both sides; -1 stands for a packet that was dropped. */
  readonly check: (ports: readonly number[]) => void;
}

function within(ports: readonly number[], low: number, high: number): void {
  const found = ports.filter((port) => port >= 0);
  expect(found.filter((port) => port < low || port > high)).toEqual([]);
}

function allDiffer(ports: readonly number[]): void {
  expect(new Set(ports).size).toBe(ports.length);
}

const dropped = (ports: readonly number[]): number => ports.filter((port) => port < 0).length;
const masquerade = natTable('ip', { post: 'masquerade' });

const CASES: readonly PortCase[] = [
  ...(
    [
      [100, 1, 511],
      [511, 1, 511],
      [512, 600, 1023],
      [1023, 600, 1023],
      [1024, 1024, 65535],
      [50000, 1024, 65535],
    ] as const
  ).map(
    ([port, low, high]): PortCase => ({
      name: `a taken port ${port} becomes one of ${low} to ${high}`,
      sources: masquerade,
      packets: crowd(40, port),
      check: (ports) => {
        expect(ports[0]).toBe(port);
        within(ports.slice(1), low, high);
        allDiffer(ports);
      },
    }),
  ),
  {
    name: 'a taken id of ICMP becomes any other',
    sources: masquerade,
    packets: Array.from({ length: 40 }, (_, i) =>
      wrap(client(i), SERVER, 1, icmp({ type: 8, id: 7, seq: 1, payload: 4 }), 'eth1'),
    ),
    check: (ports) => {
      expect(ports[0]).toBe(7);
      allDiffer(ports);
      expect(ports.some((port) => port > 1023)).toBe(true);
    },
  },
  {
    name: 'ids of ICMP keep to the range that a rule gives',
    sources: natXt('iptables-nft', '-A POSTROUTING -p icmp -j SNAT --to-source 203.0.113.2:100-102'),
    packets: Array.from({ length: 5 }, (_, i) =>
      wrap(client(i), SERVER, 1, icmp({ type: 8, id: 7, seq: 1, payload: 4 }), 'eth1'),
    ),
    check: (ports) => {
      within(ports, 100, 102);
      allDiffer(ports.slice(0, 3));
      expect(ports.slice(3)).toEqual([-1, -1]);
    },
  },
  {
    name: 'a range of ports is used up to its last, and then packets are dropped',
    sources: natTable('ip', { post: 'udp dport 53 snat to 203.0.113.2:5000-5019' }),
    packets: crowd(24, 1024),
    check: (ports) => {
      within(ports, 5000, 5019);
      allDiffer(ports.slice(0, 20));
      expect(ports.slice(20)).toEqual([-1, -1, -1, -1]);
    },
  },
  {
    name: 'of a range that is larger than the tries nearly all is used',
    sources: natTable('ip', { post: 'udp dport 53 snat to 203.0.113.2:5000-5299' }),
    packets: crowd(340, 1024),
    check: (ports) => {
      within(ports, 5000, 5299);
      const found = ports.filter((port) => port >= 0);
      allDiffer(found);
      expect(dropped(ports.slice(0, 150))).toBe(0);
      expect(found.length).toBeGreaterThan(290);
      expect(dropped(ports)).toBeGreaterThanOrEqual(40);
    },
  },
  {
    name: 'a port in the range is kept',
    sources: natTable('ip', { post: 'udp dport 53 masquerade to :5000-5003' }),
    packets: [datagram(client(0), 5002, SERVER, 53), datagram(client(1), 5003, SERVER, 53)],
    check: (ports) => expect(ports).toEqual([5002, 5003]),
  },
  {
    name: 'a source has one port of the range for all destinations',
    sources: natTable('ip', { post: 'udp dport 53 masquerade to :5000-5099' }),
    packets: Array.from({ length: 20 }, (_, i) => datagram(client(0), 1024, `198.51.100.${10 + i}`, 53)),
    check: (ports) => {
      within(ports, 5000, 5099);
      expect(new Set(ports).size).toBe(1);
    },
  },
  ...['random', 'fully-random'].map(
    (flag): PortCase => ({
      name: `${flag}: any port of the class, for every flow of a source another one`,
      sources: natTable('ip', { post: `udp dport 53 masquerade ${flag}` }),
      packets: Array.from({ length: 30 }, (_, i) => datagram(client(0), 5000, `198.51.100.${10 + i}`, 53)),
      check: (ports) => {
        within(ports, 1024, 65535);
        expect(new Set(ports).size).toBeGreaterThan(20);
      },
    }),
  ),
  {
    name: 'destinations take the first of a range that is free, and share the last when none is',
    sources: natTable('ip', { pre: 'udp dport 53 dnat to 192.168.1.5:5000-5003' }),
    packets: Array.from({ length: 6 }, (_, i) => datagram(SERVER, 1024, `203.0.113.${20 + i}`, 53, 'eth0')),
    end: 2,
    check: (ports) => expect(ports).toEqual([5000, 5001, 5002, 5003, 5003, 5003]),
  },
  {
    name: 'random destinations of a range keep to it',
    sources: natTable('ip', { pre: 'udp dport 53 dnat to 192.168.1.5:5000-5009 random' }),
    packets: Array.from({ length: 40 }, (_, i) =>
      datagram('198.51.100.9', 1024 + i, '203.0.113.20', 53, 'eth0'),
    ),
    end: 2,
    check: (ports) => {
      within(ports, 5000, 5009);
      expect(new Set(ports).size).toBeGreaterThan(4);
    },
  },
  {
    name: 'the same connection in two zones of the original direction gets two ports: answers share a zone',
    sources: natTable(
      'ip',
      { post: 'masquerade' },
      'chain z {\ntype filter hook prerouting priority -300\nudp length 12 ct original zone set 1\nudp length 13 ct original zone set 2\n}\n',
    ),
    packets: [4, 5].map((payload) =>
      wrap(
        client(0),
        SERVER,
        17,
        udp({ src: client(0), dst: SERVER, sport: 4000, dport: 53, payload }),
        'eth1',
      ),
    ),
    check: ([first, second]) => {
      expect(first).toBe(4000);
      expect(second).not.toBe(4000);
      within([second!], 1024, 65535);
    },
  },
  {
    name: 'a flow that no rule is about gets another port when its answers would be another flow’s',
    sources: natTable('ip', { pre: 'ip daddr 203.0.113.1 udp dport 53 dnat to 192.168.1.5' }),
    packets: [
      datagram('198.51.100.9', 4000, '203.0.113.1', 53, 'eth0'),
      datagram('198.51.100.9', 4000, '192.168.1.5', 53, 'eth0'),
    ],
    check: ([first, second]) => {
      expect(first).toBe(4000);
      expect(second).not.toBe(4000);
      within([second!], 1024, 65535);
    },
  },
];

describe.skipIf(!rulesUsable())('ports that translation chooses', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open();
  });
  afterAll(() => kernel.close());

  test.each(CASES.map((one) => [one.name, one] as const))(
    '%s',
    async (_name, { sources, packets, end, check }) => {
      await kernel.reset();
      const run = await kernel.run({ sources, packets });
      expect(run.ok).toBe(true);
      check(run.outcomes.map(({ left }) => portOf(left[0]?.bytes, end ?? 0)));
      const rules = new EngineRules();
      for (const source of sources) expect(rules.load(source).map(String)).toEqual([]);
      const engine = new EngineRun(rules.tables());
      check(
        packets.map((packet, i) => {
          engine.play(packet, 1_700_000_000_000 + i);
          return portOf(engine.firewall.outcome.out[0], end ?? 0);
        }),
      );
    },
  );
});
