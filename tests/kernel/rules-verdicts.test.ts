import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keepResults, shows } from '../features/record.ts';
import { type CaseKind, generate, textCase } from './rules-case.ts';
import { complaint, report, safely } from './rules-compare.ts';
import { fixtures, withoutNat } from './rules-fixtures.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';

/** Seed of this run, or KEEPSTATE_SEED. Printed, so that a failure can be repeated. */
const SEED = Number(process.env.KEEPSTATE_SEED ?? 777);
/**
 * What counts connections asks a table of tuples that the kernel cleans once a tick (4 ms), so that what it says of
 * dropped and untracked packets depends on the moment: rules-behaviours tests it with packets that are apart.
 */
const COUNTS_CONNECTIONS = /connlimit|ct count/;
/** Rulesets of each kind in a run; KEEPSTATE_RULESETS makes it longer. */
const COUNT = Number(process.env.KEEPSTATE_RULESETS ?? 250);
const PACKETS = 24;
/** Differences that are shrunk and printed before a run gives up. */
const SHOWN = 3;

const KINDS: readonly CaseKind[] = [
  'mixed',

  'nft',
  'iptables-legacy',
  'iptables-nft',
  'ip6tables-legacy',
  'ip6tables-nft',
];

describe.skipIf(!rulesUsable())('keepstate judges as the kernel does', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    console.log(`rules: KEEPSTATE_SEED=${SEED}`);
    kernel = await RuleKernel.open();
  });
  afterAll(() => kernel.close());
  afterAll(() => keepResults('rules-verdicts'));

  test.each(KINDS)(
    'verdict, bytes, answers, log lines, marks of every packet through generated %s rulesets',
    { timeout: 600_000 },
    async (kind) => {
      const found: string[] = [];
      let compared = 0;
      let unknown = 0;
      // Each of the mixed ones takes a namespace of its own.
      const count = kind === 'mixed' ? COUNT / 5 : COUNT;
      let left = count;
      for (let i = 0; left > 0 && found.length < SHOWN; i++) {
        const seed = SEED * 10_000 + i;
        const one = generate(kind, seed, PACKETS);
        if (one.sources.some(({ text }) => COUNTS_CONNECTIONS.test(text))) continue;
        left--;
        const result = await safely(kernel, one);
        const why = complaint(result);
        unknown += result.unknown;
        if (result.refused === null) compared++;
        if (why === null && result.refused === null)
          for (const { kind: of, text } of one.sources) shows('compared', of, text);
        if (why !== null) found.push(`seed ${seed} ${why}\n${await report(kernel, one, why)}`);
      }
      expect(found.join('\n')).toBe('');
      console.log(`${kind}: ${compared} of ${count} rulesets compared, ${unknown} packets undecided`);
      expect(compared).toBeGreaterThan(count * 0.9);
      expect(unknown).toBeLessThan(count * PACKETS * 0.02);
    },
  );

  test.each(fixtures().map(withoutNat))(
    '$name, as its generator made it',
    { timeout: 120_000 },
    async ({ sources, packets }) => {
      const one = textCase(sources, packets);
      const why = complaint(await safely(kernel, one));
      expect(why === null ? '' : await report(kernel, one, why)).toBe('');
    },
  );
});
