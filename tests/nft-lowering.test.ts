import { describe, expect, test } from 'vitest';
import {
  type CorpusRule,
  command,
  type Outcome,
  ours,
  realOutcomes,
  realTakes,
  rulesIn,
} from './nft-corpus/corpus.ts';
import { realNft } from './nft-listing/real.ts';

const RULES = [...rulesIn('ip-like.txt'), ...rulesIn('other-families.txt')];
const FAMILIES = [...new Set(RULES.map((rule) => rule.family))];

/** Readable pairs, so that a difference shows the rule. */
function shown(rules: readonly CorpusRule[], outcomes: readonly Outcome[]): string[] {
  return outcomes.map((outcome, i) =>
    [command(rules[i]!), outcome.listing, ...outcome.expressions].join('\n'),
  );
}

describe.skipIf(!realNft())('single rules', () => {
  describe.each(FAMILIES)('of family %s', (family) => {
    const { taken, outcomes, refused } = ours(RULES.filter((rule) => rule.family === family));

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
      if (refused.length === 0) return;
      const takes = realTakes(refused);
      expect(refused.filter((_, i) => takes[i]).map(command)).toEqual([]);
    }, 60_000);
  });
});
