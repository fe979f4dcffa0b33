import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keepResults, shows } from '../features/record.ts';
import { Dice } from '../traffic/dice.ts';
import { type Case, type CaseKind, generate, shrink } from './rules-case.ts';
import { EngineRules } from './rules-engine.ts';
import { fixtures } from './rules-fixtures.ts';
import { firstDifference, listingDifferences, listingOf } from './rules-listing.ts';
import { mutated } from './rules-mutate.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import type { Source } from './rules-types.ts';

/** Seed of this run, or KEEPSTATE_SEED. Printed, so that a failure can be repeated. */
const SEED = Number(process.env.KEEPSTATE_SEED ?? 777);
/** Rulesets of each kind in a run. */
const COUNT = Number(process.env.KEEPSTATE_RULESETS ?? 90);
/** Raw bits of a field that nft knows list as bits of that field; keepstate lists them raw. Known and open. */
const RAW_BITS = /@(ll|nh|th),\d+,\d+/;
/** Kernels check the hooks of what a rule asks only where a packet can reach it; keepstate everywhere. Known and open. */
const NEVER_REACHED = /-m osf/;
const SHOWN = 3;
const KINDS: readonly CaseKind[] = [
  'nft',
  'iptables-legacy',
  'iptables-nft',
  'ip6tables-legacy',
  'ip6tables-nft',
];

/** What is wrong with keepstate's reading of these sources, in words; null if nothing is. */
async function judge(kernel: RuleKernel, sources: readonly Source[]): Promise<string | null> {
  const run = await kernel.run({ sources, packets: [], listing: listingOf(sources) });
  const rules = new EngineRules();
  const errors = sources.flatMap((source) => [...rules.load(source)]);
  if (!run.ok)
    return errors.length > 0 ? null : `taken, but the tool says: ${run.loaded.at(-1)!.stderr.trim()}`;
  if (errors.length > 0) return `refused: ${errors[0]}`;
  const [first] = listingDifferences(sources, run.listing, rules);
  return first === undefined ? null : `${first[0]} lists\n${firstDifference(first[1], first[2])}`;
}

async function explain(kernel: RuleKernel, failing: Case, why: string): Promise<string> {
  const sort = (text: string | null): string | undefined => text?.split(/[:\n]/)[0];
  const small = await shrink(
    failing,
    async ({ sources }) => sort(await judge(kernel, sources)) === sort(why),
    150,
  );
  const text = small.sources.map((s) => `--- ${s.kind}\n${s.text}`).join('');
  return `${text}${await judge(kernel, small.sources)}`;
}

describe.skipIf(!rulesUsable())('keepstate reads and lists as the real tools do', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    console.log(`listings: KEEPSTATE_SEED=${SEED}`);
    kernel = await RuleKernel.open();
  });
  afterAll(() => kernel.close());
  afterAll(() => keepResults('rules-listing'));

  test.each(KINDS)('what %s lists of generated rulesets', { timeout: 600_000 }, async (kind) => {
    const found: string[] = [];
    for (let i = 0; i < COUNT && found.length < SHOWN; i++) {
      const seed = SEED * 10_000 + i;
      const one = generate(kind, seed, 0, false);
      if (one.sources.some(({ text }) => RAW_BITS.test(text) || NEVER_REACHED.test(text))) continue;
      const why = await judge(kernel, one.sources);
      if (why === null) for (const { kind: of, text } of one.sources) shows('listed', of, text);
      if (why !== null) found.push(`seed ${seed} ${await explain(kernel, one, why)}`);
    }
    expect(found.join('\n')).toBe('');
  });

  test.each(KINDS)('what %s refuses of rulesets with a mistake', { timeout: 600_000 }, async (kind) => {
    const found: string[] = [];
    for (let i = 0; i < COUNT && found.length < SHOWN; i++) {
      const seed = SEED * 10_000 + i;
      const dice = new Dice(seed);
      const { sources } = generate(kind, seed, 0, false);
      if (sources.some(({ text }) => RAW_BITS.test(text))) continue;
      const last = sources.at(-1)!;
      const wrong = [...sources.slice(0, -1), { ...last, text: mutated(dice, last.text) }];
      const why = await judge(kernel, wrong);
      if (why !== null) found.push(`seed ${seed}\n${wrong.at(-1)!.text}${why}`);
    }
    expect(found.join('\n')).toBe('');
  });

  test.each(fixtures())('$name, as its generator made it', async ({ sources }) => {
    expect(await judge(kernel, sources)).toBe(null);
  });
});
