import {
  bridgeHost,
  F_MASTER,
  F_STATUS,
  Firewall,
  genericPacket,
  grePacket,
  HostModel as Host,
  type HostModel,
  icmpPacket,
  icmpv6Packet,
  ifaceFlag,
  ips,
  NF_ACCEPT,
  Packet,
  ROW_WORDS,
  Ruleset,
  type RuleTable,
  resetPacket,
  routeFlag,
  sctpInit,
  sctpPacket,
  tcpPacket,
  udplitePacket,
  udpPacket,
} from '@keepstate/engine';
import { describe, expect, test } from 'vitest';
import { refusedFlows } from './refused.ts';

const NOW = 1_795_229_507_000;
const V4 = { src: '10.0.0.1', dst: '198.51.100.2' };
const V6 = { src: 'fd00:1::2', dst: 'fd00:2::2' };

function tablesOf(rules: string): readonly RuleTable[] {
  const ruleset = new Ruleset();
  expect(ruleset.load({ name: 'rules.nft', text: rules })).toEqual([]);
  return ruleset.tables();
}

/** `inet fw forward` with some rules, and a policy. */
function forward(policy: 'accept' | 'drop', ...rules: string[]): readonly RuleTable[] {
  return tablesOf(
    `table inet fw {\n\tchain forward {\n\t\ttype filter hook forward priority 0; policy ${policy};\n${rules.join('\n')}\n\t}\n}\n`,
  );
}

/** A router between eth0 (10.0.0.0/24, fd00:1::/64) and eth1 (everything else). */
function router(): HostModel {
  const host = new Host();
  const at = { file: 'test', line: 1, col: 1, len: 1 };
  ifaceFlag(host, 'eth0=10.0.0.254/24,fd00:1::1/64', at);
  ifaceFlag(host, 'eth1=192.0.2.1/24,fd00:ff::1/64', at);
  routeFlag(host, 'default:eth1', at);
  return host;
}

function live(host: HostModel, packets: readonly Uint8Array[], rules = forward('accept')): Firewall {
  const firewall = new Firewall({ host, rules });
  const pkt = new Packet();
  for (const bytes of packets) {
    resetPacket(pkt, bytes, new DataView(bytes.buffer), 0, bytes.length);
    pkt.ifin = 2;
    pkt.ifout = 3;
    expect(firewall.receive(pkt, 101, NOW)).toBe(NF_ACCEPT);
  }
  return firewall;
}

function refused(firewall: Firewall, tables: readonly RuleTable[]): ReturnType<typeof refusedFlows> {
  return refusedFlows(firewall, tables, 1, () => true);
}

const OPENERS: readonly (readonly [name: string, rule: string, packet: Uint8Array])[] = [
  [
    'TCP',
    'tcp dport 80 tcp flags & (syn|ack) == syn ct state new',
    tcpPacket({ ...V4, sport: 1, dport: 80, flags: 2 }),
  ],
  ['UDP', 'udp sport 9 udp dport 53', udpPacket({ ...V4, sport: 9, dport: 53 })],
  ['UDP over IPv6', 'ip6 saddr fd00:1::2 udp dport 53', udpPacket({ ...V6, sport: 9, dport: 53 })],
  ['UDP-Lite', 'udplite dport 7', udplitePacket({ ...V4, sport: 9, dport: 7, checksumAs: 'linux' })],
  ['ICMP', 'icmp type echo-request icmp id 77', icmpPacket({ ...V4, type: 8, id: 77 })],
  ['ICMPv6', 'icmpv6 type echo-request', icmpv6Packet({ ...V6, type: 128, id: 77 })],
  [
    'SCTP',
    'sctp dport 5 sctp chunk init exists',
    sctpPacket({ ...V4, sport: 4, dport: 5, chunks: [sctpInit({ tag: 1 })] }),
  ],
  ['GRE', 'meta l4proto gre', grePacket(V4)],
  ['any protocol', 'meta l4proto 99', genericPacket({ ...V4, proto: 99 })],
];

describe('a flow that rules would not let begin', () => {
  test.each(OPENERS)('is found by the packet that would open it: %s', async (_name, rule, packet) => {
    const firewall = live(router(), [packet]);
    expect(firewall.conntrack.table.count).toBe(1);
    expect(
      await refused(firewall, forward('drop', `iifname eth0 oifname eth1 ${rule} accept`)),
    ).toMatchObject({
      flows: 1,
      complete: true,
      refused: 0,
    });
    const found = await refused(firewall, forward('accept', `${rule} drop`));
    expect(found).toMatchObject({
      refused: 1,
      refusedBy: [{ by: 'rules.nft:4 (inet fw forward)', flows: 1 }],
    });
    expect(found.lines).toHaveLength(1);
    expect(firewall.conntrack.table.count).toBe(1);
    expect(firewall.conntrack.stats.created).toBe(1);
  });

  test('is judged before it is translated, and behind the translation of the new rules', async () => {
    const dnat = `table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat;
		udp dport 8053 dnat to 198.51.100.9:53
	}
}
`;
    const firewall = live(router(), [udpPacket({ ...V4, sport: 9, dport: 8053 })], tablesOf(dnat));
    const also = (rule: string): readonly RuleTable[] => [...tablesOf(dnat), ...forward('drop', rule)];
    expect((await refused(firewall, also('ip daddr 198.51.100.9 udp dport 53 accept'))).refused).toBe(0);
    expect((await refused(firewall, also('udp dport 8053 accept'))).refused).toBe(1);
  });

  test('of a bridge is one that no way through it lets begin', async () => {
    const firewall = live(bridgeHost(['eth0', 'eth1']), [udpPacket({ ...V4, sport: 9, dport: 53 })]);
    expect((await refused(firewall, forward('drop', 'iifname eth0 accept'))).refused).toBe(0);
    expect((await refused(firewall, forward('drop', 'iifname eth1 accept'))).refused).toBe(0);
    expect((await refused(firewall, forward('drop', 'iifname eth2 accept'))).refused).toBe(1);
  });

  test('is told by what refuses it, most first, and no more than a hundred of them one by one', async () => {
    const packets = Array.from({ length: 150 }, (_, i) =>
      udpPacket({ ...V4, sport: 1000 + i, dport: i < 120 ? 53 : 54 }),
    );
    const firewall = live(router(), packets);
    const found = await refused(firewall, forward('drop', 'udp dport 54 reject'));
    expect(found.refusedBy).toEqual([
      { by: 'policy of inet fw forward', flows: 120 },
      { by: 'rules.nft:4 (inet fw forward)', flows: 30 },
    ]);
    expect(found).toMatchObject({ flows: 150, refused: 150 });
    expect(found.lines).toHaveLength(100);
    expect(found.lines[0]).toMatch(/^udp {6}17 30 src=10\.0\.0\.1 dst=198\.51\.100\.2 sport=1000 dport=53 /);
  });

  test('takes with it what helpers expected of it, and what was expected of that', async () => {
    const packets = [53, 54, 55].map((dport) => udpPacket({ ...V4, sport: 9, dport }));
    const firewall = live(router(), packets);
    const { table } = firewall.conntrack;
    for (const row of [2, 3]) {
      table.words[row * ROW_WORDS + F_MASTER] = row - 1;
      table.words[row * ROW_WORDS + F_STATUS]! |= ips.IPS_EXPECTED;
    }
    expect(await refused(firewall, forward('accept', 'udp dport 53 drop'))).toMatchObject({
      flows: 3,
      refused: 3,
      refusedBy: [{ by: 'rules.nft:4 (inet fw forward)', flows: 3 }],
    });
    expect((await refused(firewall, forward('drop', 'udp dport 53 accept'))).refused).toBe(0);
  });

  test('is looked for no longer when other rules have come', async () => {
    const packets = Array.from({ length: 1000 }, (_, i) => udpPacket({ ...V4, sport: 1 + i, dport: 53 }));
    let asked = 0;
    const found = await refusedFlows(live(router(), packets), forward('drop'), 1, () => asked++ < 1);
    expect(found.complete).toBe(false);
    expect(found.flows).toBeLessThan(1000);
  });
});
