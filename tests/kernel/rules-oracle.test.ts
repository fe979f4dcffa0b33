import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { icmp, SYN, tcp, udp } from './packets.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import type { RuleOutcome, Source } from './rules-types.ts';

const INSIDE = '192.168.1.5';
const OUTSIDE = '198.51.100.7';
const HOST = '203.0.113.1';

const FORWARDED = { from: 'eth1', bytes: udp(INSIDE, 1024, OUTSIDE, 53) } as const;
const DELIVERED = { from: 'eth0', bytes: tcp(OUTSIDE, 1024, HOST, 22, SYN, 1, 0) } as const;
const SENT = { from: 'host', bytes: udp(HOST, 1024, OUTSIDE, 53) } as const;

function chain(hook: string, rules: string): Source {
  return {
    kind: 'nft',
    text: `flush ruleset\ntable inet t {\n chain c {\n type filter hook ${hook} priority 0\n ${rules}\n }\n}\n`,
  };
}

describe.skipIf(!rulesUsable())('the ruleset oracle', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open();
  });
  afterAll(() => kernel.close());

  async function play(
    source: Source,
    packets: Parameters<RuleKernel['run']>[0]['packets'],
  ): Promise<RuleOutcome[]> {
    const run = await kernel.run({ sources: [source], packets });
    expect(run.loaded.map(({ stderr }) => stderr).join('')).toBe('');
    return [...run.outcomes];
  }

  test('sees what is forwarded, delivered, and sent by the host', async () => {
    const [forwarded, delivered, sent] = await play(chain('forward', 'accept'), [FORWARDED, DELIVERED, SENT]);
    expect(forwarded!.passed.map(({ hook }) => hook)).toEqual(['forward', 'postrouting']);
    expect(forwarded!.left.map(({ device }) => device)).toEqual(['eth0']);
    expect(forwarded!.left[0]!.bytes[8]).toBe(FORWARDED.bytes[8]! - 1); // TTL
    expect(delivered!.passed.map(({ hook }) => hook)).toEqual(['input']);
    expect(delivered!.left).toEqual([]);
    expect(sent!.passed.map(({ hook }) => hook)).toEqual(['output', 'postrouting']);
    expect([forwarded, delivered, sent].map((o) => o!.verdict)).toEqual(['accept', 'accept', 'accept']);
  });

  test('tells a drop from a reject, and gives the answer', async () => {
    const [dropped] = await play(chain('forward', 'drop'), [FORWARDED]);
    expect(dropped).toMatchObject({ verdict: 'drop', left: [], passed: [] });
    const [rejected] = await play(chain('forward', 'reject'), [FORWARDED]);
    expect(rejected!.verdict).toBe('reject');
    expect(rejected!.left.map(({ device }) => device)).toEqual(['eth1']);
    expect([...rejected!.left[0]!.bytes.subarray(20, 22)]).toEqual([3, 3]); // port unreachable
    const [reset] = await play(chain('input', 'reject with tcp reset'), [DELIVERED]);
    expect(reset!.left[0]!.bytes[33]).toBe(0x14); // RST, ACK
  });

  test('gives the lines of the log, the messages to groups, and the mark', async () => {
    const rules = 'log prefix "in: " level debug meta mark set 7 log prefix "to five" group 5';
    const [outcome] = await play(chain('forward', rules), [FORWARDED]);
    expect(outcome!.log).toHaveLength(1);
    expect(outcome!.log[0]).toMatch(/^<7>in: IN=eth1 OUT=eth0 MAC= SRC=192\.168\.1\.5 .* $/);
    expect(outcome!.groups).toEqual([{ group: 5, prefix: 'to five' }]);
    expect(outcome!.passed.at(-1)!.mark).toBe(7);
  });

  test.each<[Source['kind'], string]>([
    ['iptables-legacy', '*filter\n:FORWARD DROP [0:0]\nCOMMIT\n'],
    ['iptables-nft', '*filter\n:FORWARD DROP [0:0]\nCOMMIT\n'],
    ['shell', 'iptables -P FORWARD DROP\n'],
    [
      'shell',
      'ipset create s hash:ip\nipset add s 192.168.1.5\niptables -A FORWARD -m set --match-set s src -j DROP\n',
    ],
    [
      'nft-json',
      '{"nftables":[{"add":{"table":{"family":"ip","name":"t"}}},{"add":{"chain":{"family":"ip","table":"t","name":"c","type":"filter","hook":"forward","prio":0,"policy":"drop"}}}]}',
    ],
  ])('takes %s, and leaves nothing of it behind', async (kind, text) => {
    const [dropped] = await play({ kind, text }, [FORWARDED]);
    expect(dropped!.verdict).toBe('drop');
    const [accepted] = await play(chain('output', 'accept'), [FORWARDED]);
    expect(accepted!.verdict).toBe('accept');
  });

  test('tracks connections even if no rule asks for it, and forgets them with the ruleset', async () => {
    const reply = { from: 'eth0', bytes: udp(OUTSIDE, 53, INSIDE, 1024) } as const;
    const rules = chain('forward', 'ct state new drop');
    const [first, second] = await play(chain('forward', 'ct state established drop'), [FORWARDED, reply]);
    expect([first!.verdict, second!.verdict]).toEqual(['accept', 'drop']);
    expect((await play(rules, [reply]))[0]!.verdict).toBe('drop');
  });

  test('answers as often as rules say so: no token buckets stand in front of ICMP', async () => {
    const packets = Array.from({ length: 200 }, (_, i) => ({
      from: 'eth1' as const,
      bytes: icmp(INSIDE, OUTSIDE, 8, 0, i, new Uint8Array(8)),
    }));
    const outcomes = await play(chain('forward', 'reject'), packets);
    expect(new Set(outcomes.map(({ verdict }) => verdict))).toEqual(new Set(['reject']));
  });

  test('says what a tool refuses, and plays nothing then', async () => {
    const run = await kernel.run({
      sources: [{ kind: 'nft', text: 'add rule nowhere' }],
      packets: [FORWARDED],
    });
    expect(run.ok).toBe(false);
    expect(run.loaded[0]!.stderr).toContain('Error');
    expect(run.outcomes).toEqual([]);
  });

  test('lists without its own tables', async () => {
    const sources: Source[] = [{ kind: 'nft', text: 'table ip t {\n}\n' }];
    const run = await kernel.run({ sources, packets: [], listing: { nft: true, nftJson: true } });
    expect(run.listing.nft).toBe('table ip t {\n}\n');
    expect(JSON.parse(run.listing.nftJson!).nftables.map((item: object) => Object.keys(item)[0])).toEqual([
      'metainfo',
      'table',
    ]);
  });
});
