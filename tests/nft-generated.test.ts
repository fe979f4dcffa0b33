import { describe, expect, test } from 'vitest';
import { Random } from '../engine/base/random.ts';
import {
  type CorpusRule,
  command,
  type Outcome,
  ours,
  realOutcomes,
  realTakes,
} from './nft-corpus/corpus.ts';
import { randomRule } from './nft-corpus/generate.ts';
import { realNft } from './nft-listing/real.ts';

const SEED = Number(process.env.SEED ?? 20261121);
const COUNT = Number(process.env.COUNT ?? 700);

/** Readable pairs, so that a difference shows the rule. */
function shown(rules: readonly CorpusRule[], outcomes: readonly Outcome[]): string[] {
  return outcomes.map((outcome, i) =>
    [command(rules[i]!), outcome.listing, ...outcome.expressions].join('\n'),
  );
}

describe.skipIf(!realNft())(`random rules (SEED=${SEED} COUNT=${COUNT})`, () => {
  describe.each(['inet', 'ip', 'ip6'])('of family %s', (family) => {
    const random = new Random(SEED);
    const rules = Array.from({ length: COUNT }, () => randomRule(random, family));
    const { taken, outcomes, refused } = ours(rules);

    test('that keepstate takes become the same expressions and the same listing in the real nft', () => {
      const real = realOutcomes(taken);
      if (typeof real === 'string') {
        const takes = realTakes(taken);
        expect(taken.filter((_, i) => !takes[i]).map(command)).toEqual([]);
        throw new Error(real);
      }
      expect(shown(taken, outcomes)).toEqual(shown(taken, real));
    }, 60_000);

    test('that keepstate refuses are refused by the real nft', () => {
      const takes = realTakes(refused);
      expect(refused.filter((_, i) => takes[i]).map(command)).toEqual([]);
    }, 60_000);
  });
});
