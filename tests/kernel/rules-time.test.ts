import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Dice } from '../traffic/dice.ts';
import { SYN, tcp, udp } from './packets.ts';
import { EngineRules, EngineRun } from './rules-engine.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import type { RulePacket, Source } from './rules-types.ts';

/** Seed of this run, or KEEPSTATE_SEED. Printed, so that a failure can be repeated. */
const SEED = Number(process.env.KEEPSTATE_SEED ?? 777);
const PACKETS = 60;
/** Parts of a jiffy (4 ms), in ms. */
const PHASES: readonly number[] = Array.from({ length: 16 }, (_, i) => i / 4);
/** A moment of virtual time that the kernel's run begins at. */
const START = 1_700_000_000_000;

/**
 * Packets of a rule that may be judged otherwise: between the look at the clock and the kernel's own, another process may
 * run, and nft's buckets count nanoseconds. A packet that falls on the other side shifts one behind it.
 */
const TOLERANCE = 2;

/** Rules that depend on time, each of which names itself in what it logs. */
const NFT: readonly string[] = [
  'limit rate 5/second',
  'limit rate 5/second burst 1 packets',
  'limit rate 20/second burst 3 packets',
  'limit rate over 7/second burst 2 packets',
  'limit rate 100/minute burst 2 packets',
  'limit rate 300 bytes/second burst 60 bytes',
  'limit rate over 1 kbytes/second burst 100 bytes',
  'ip saddr 192.168.1.5 limit rate 3/second burst 1 packets',
  'ip saddr @seen',
  'ip saddr @brief',
  'update @brief { ip saddr timeout 70ms }',
  'add @seen { ip saddr }',
  'ip saddr @seen limit rate 9/second burst 1 packets',
  'meter m1 { ip saddr limit rate 4/second burst 1 packets }',
  'meter m2 { ip saddr . th dport limit rate over 6/second burst 2 packets }',
];

const XT: readonly string[] = [
  '-m limit --limit 5/sec --limit-burst 1',
  '-m limit --limit 20/sec --limit-burst 3',
  '-m limit --limit 100/min --limit-burst 2',
  '-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-name h1',
  '-m hashlimit --hashlimit-above 8/sec --hashlimit-burst 1 --hashlimit-mode srcip,dstport --hashlimit-name h2',
  '-m hashlimit --hashlimit-upto 3/sec --hashlimit-burst 1 --hashlimit-mode dstip --hashlimit-dstmask 24 --hashlimit-name h3',
  '-m hashlimit --hashlimit-upto 500b/sec --hashlimit-mode srcip --hashlimit-name h4',
  '-m hashlimit --hashlimit-above 1kb/s --hashlimit-burst 2kb --hashlimit-name h5',
  '-m recent --name r1 --set',
  '-m recent --name r1 --rcheck --seconds 1 --hitcount 4',
  '-m recent --name r2 --update --seconds 2 --hitcount 3',
  '-m recent --name r2 --set',
  '-m recent --name r3 --rcheck --seconds 1 --reap',
  '-m recent --name r3 --set --rdest',
];

function nftSource(): Source {
  const rules = NFT.map((rule, i) => `    ${rule} log group 1 prefix "r${i}"`);
  const sets = `  set seen { type ipv4_addr; size 16; flags dynamic,timeout; timeout 150ms; }
  set brief { type ipv4_addr; size 16; flags dynamic,timeout; timeout 1s; }`;
  const text = `table ip t {\n${sets}\n  chain c {\n    type filter hook forward priority 0\n${rules.join('\n')}\n  }\n}\n`;
  return { kind: 'nft', text };
}

function xtSource(kind: Source['kind']): Source {
  const rules = XT.map((rule, i) => `-A FORWARD ${rule} -j NFLOG --nflog-group 1 --nflog-prefix r${i}`);
  return { kind, text: `*filter\n:FORWARD ACCEPT [0:0]\n${rules.join('\n')}\nCOMMIT\n` };
}

/** In how many places two lines differ. */
function apart(a: string, b: string): number {
  return Array.from(a).filter((letter, i) => letter !== b[i]).length;
}

/** Bursts and pauses of two senders, well away from the moments at which a token falls due to the microsecond. */
function traffic(dice: Dice): RulePacket[] {
  return Array.from({ length: PACKETS }, () => {
    const src = dice.pick(['192.168.1.5', '192.168.1.5', '192.168.1.6']);
    const bytes = dice.chance(50)
      ? udp(src, 1024, '198.51.100.7', dice.pick([53, 123]), 'x'.repeat(dice.pick([1, 20, 90])))
      : tcp(src, dice.pick([1024, 1025]), '198.51.100.7', 22, SYN, 1, 0);
    return { from: 'eth1' as const, bytes, waitMs: dice.pick([0, 0, 0, 3, 17, 33, 61, 111, 153, 271]) };
  });
}

describe.skipIf(!rulesUsable())('in real time', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    console.log(`rules in time: KEEPSTATE_SEED=${SEED}`);
    kernel = await RuleKernel.open();
  });
  afterAll(() => kernel.close());

  test.each<[Source['kind'], () => Source, readonly string[]]>([
    ['nft', nftSource, NFT],
    ['iptables-legacy', () => xtSource('iptables-legacy'), XT],
    ['iptables-nft', () => xtSource('iptables-nft'), XT],
  ])(
    'limits, hashlimits, recent lists and timeouts of %s let through what the kernel lets through',
    async (_, make, names) => {
      const source = make();
      const packets = traffic(new Dice(SEED));
      const { outcomes, loaded } = await kernel.run({ sources: [source], packets });
      expect(loaded[0]!.stderr).toBe('');
      const origin = outcomes[0]!.at;
      // One line a rule: which packets it let through, `x` for yes.
      const table = (logs: readonly (readonly string[])[]): string[] =>
        names.map(
          (name, n) => `${logs.map((log) => (log.includes(`1:r${n}`) ? 'x' : '.')).join('')} ${name}`,
        );
      const kernelTable = table(outcomes.map(({ groups }) => groups.map((g) => `${g.group}:${g.prefix}`)));
      // Where within a jiffy the run began cannot be known: each rule has to agree for one beginning of some.
      const tables = PHASES.map((phase) => {
        const rules = new EngineRules();
        expect(rules.load(source)).toEqual([]);
        const engine = new EngineRun(rules.tables());
        return table(
          packets.map((packet, i) => engine.play(packet, START + phase + outcomes[i]!.at - origin).groups),
        );
      });
      const times = outcomes.map(({ at }) => Math.round(at - origin)).join(' ');
      const nearest = (line: string, n: number): string =>
        tables.map((lines) => lines[n]!).sort((x, y) => apart(x, line) - apart(y, line))[0]!;
      const best = kernelTable.map((line, n) => {
        const ours = nearest(line, n);
        return apart(ours, line) <= TOLERANCE ? line : ours;
      });
      expect(best, `sent at ${times} ms`).toEqual(kernelTable);
    },
  );
});
