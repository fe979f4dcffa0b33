import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parsePrefix } from '../../engine/host/prefix.ts';
import { DialogueRun } from './dialogue.ts';
import { kernelExpectLine, kernelFlowLine } from './dialogue-lines.ts';
import { udpPacket } from './dialogue-tcp.ts';
import type { KernelExpect } from './expect-table.ts';
import { helperRules } from './helper-scene.ts';
import { EngineRules } from './rules-engine.ts';
import { LINKS } from './rules-namespace-links.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import type { RulePacket } from './rules-types.ts';

/** A device that knows broadcasts, which TUN devices do not. Its index is the next one. */
const LAN = ['192.168.5.1/24', '192.168.5.2/24', '192.168.6.1/28'];
const LAN_INDEX = 4;
const LAN_LINKS: readonly string[] = [
  'tuntap add dev lan0 mode tap',
  'link set dev lan0 multicast off up',
  ...LAN.map((address) => `addr add ${address} broadcast + dev lan0`),
];

/**
 * An expectation as a line. What it is translated to is left out: the kernel does not clear that of these helpers'
 * expectations, so that one may show addresses of somebody else's before it (seen).
 */
function expectText(one: KernelExpect): string {
  return kernelExpectLine({ ...one, nat: null });
}

interface Helper {
  readonly name: string;
  readonly port: number;
}
const HELPERS: readonly Helper[] = [
  { name: 'netbios-ns', port: 137 },
  { name: 'snmp', port: 161 },
];

function asked(src: string, dst: string, port: number, sport = 5555): RulePacket {
  return { from: 'host', bytes: udpPacket(src, sport, dst, port, 'who?') };
}

function answered(src: string, port: number, dst = '192.168.5.1', sport = 5555): RulePacket {
  return { from: 'eth1', bytes: udpPacket(src, port, dst, sport, 'I') };
}

function withLan(rules: EngineRules): DialogueRun {
  const dialogue = new DialogueRun(rules);
  const { firewall } = dialogue.run;
  firewall.host.addDevice('lan0', { index: LAN_INDEX });
  for (const address of LAN) firewall.host.addAddress('lan0', parsePrefix(address)!);
  firewall.loadRules(rules.tables());
  return dialogue;
}

describe.skipIf(!rulesUsable())('helpers of broadcasts', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true, links: [...LINKS, ...LAN_LINKS] });
  });
  afterAll(() => kernel.close());

  /** State and expectations that come and go for each packet, and the tables behind it: kernel's and ours. */
  async function bothSides({ name, port }: Helper, packets: readonly RulePacket[]): Promise<void> {
    const source = helperRules(name, 'udp', [port], 'none');
    const run = await kernel.run({ sources: [source], packets, tables: 'each' });
    const rules = new EngineRules();
    expect(rules.load(source)).toEqual([]);
    const dialogue = withLan(rules);
    for (const [i, packet] of packets.entries()) {
      const { tracked, at } = run.outcomes[i]!;
      const view = dialogue.play(packet, 1_700_000_000_000 + at - run.outcomes[0]!.at);
      const { flows, expects } = dialogue.tables();
      expect(view.state).toBe(tracked!.states[0] ?? 'none');
      expect(view.events).toEqual(tracked!.events.map((e) => `${e.type} ${expectText(e.expect)}`));
      const tables = tracked!.tables!;
      expect([...flows.keys()].sort()).toEqual(tables.flows.map(kernelFlowLine).sort());
      expect([...expects.keys()].sort()).toEqual(tables.expects.map(expectText).sort());
      for (const flow of tables.flows) {
        const left = flows.get(kernelFlowLine(flow))! - flow.timeout!;
        expect(left).toBeGreaterThan(-0.5);
        expect(left).toBeLessThan(1.5);
      }
    }
  }

  test.each(HELPERS)('$name: every host of the network may answer, from the port asked', async (helper) => {
    const { port } = helper;
    await bothSides(helper, [
      asked('192.168.5.1', '192.168.5.255', port),
      answered('192.168.5.77', port),
      answered('192.168.5.78', port),
      answered('192.168.5.79', port + 1),
      answered('192.168.4.77', port),
      asked('192.168.5.1', '192.168.5.255', port),
      asked('192.168.5.1', '192.168.5.255', port, 5556),
      answered('192.168.5.77', port, '192.168.5.1', 5556),
    ]);
  });

  test.each(HELPERS)('$name: the mask is that of the address whose broadcast it is', async (helper) => {
    const { port } = helper;
    await bothSides(helper, [
      asked('192.168.6.1', '192.168.6.15', port),
      answered('192.168.6.9', port, '192.168.6.1'),
      answered('192.168.6.19', port, '192.168.6.1'),
      asked('192.168.5.1', '192.168.6.15', port),
      asked('192.168.5.2', '192.168.5.255', port),
    ]);
  });

  test('netbios-ns: answers are waited for three seconds', async () => {
    await bothSides(HELPERS[0]!, [
      asked('192.168.5.1', '192.168.5.255', 137),
      { ...answered('192.168.5.77', 137), waitMs: 2500 },
      { ...answered('192.168.5.78', 137), waitMs: 1000 },
    ]);
  });

  test.each(HELPERS)('$name: nothing else is a broadcast of this host', async (helper) => {
    const { port } = helper;
    await bothSides(helper, [
      asked('203.0.113.1', '203.0.113.255', port),
      asked('203.0.113.1', '203.0.113.77', port),
      { from: 'eth1', bytes: udpPacket('10.0.0.1', 5555, '198.51.100.1', port, 'x') },
    ]);
  });
});
