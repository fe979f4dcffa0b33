/** Generated rulesets and conversations through NAT: every byte, every entry as in the kernel. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keepResults } from '../features/record.ts';
import { Dice } from '../traffic/dice.ts';
import { compareNat, natReport } from './nat-compare.ts';
import { NAT_KINDS, natRules } from './nat-rules.ts';
import { NatTalk } from './nat-talk.ts';
import { generate } from './rules-case.ts';
import { EngineRules } from './rules-engine.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import type { Source } from './rules-types.ts';
import { isFragment } from './rules-view.ts';

const SEED = Number(process.env.KEEPSTATE_SEED ?? 1);
const RULESETS = Number(process.env.KEEPSTATE_RULESETS ?? 12);
const PACKETS = 40;

describe.skipIf(!rulesUsable())('translated conversations', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  });
  afterAll(() => kernel.close());

  test.each(NAT_KINDS)(
    'leave, arrive and are tracked as in the kernel: %s',
    async (kind) => {
      let packets = 0;
      for (let i = 0; i < RULESETS; i++) {
        const dice = new Dice(SEED * 100_000 + i);
        const sources = natRules(dice, kind);
        const families = kind === 'nft-inet' ? [4, 6] : [kind.includes('6') ? 6 : 4];
        const nat = { sources, packets: new NatTalk(dice, sources, families).take(PACKETS) };
        // Fragments that wait would meet those of another ruleset with their number.
        const hasPieces = nat.packets.some(({ bytes }) => isFragment(bytes));
        if (kind.endsWith('legacy') || i === 0 || hasPieces) await kernel.reset();
        const found = await compareNat(kernel, nat);
        expect(found.length === 0 ? '' : `seed ${SEED}, ruleset ${i}\n${natReport(nat, found)}`).toBe('');
        packets += nat.packets.length;
      }
      expect(packets).toBeGreaterThan(RULESETS * 5);
    },
    120_000,
  );
});

/** Rules that count connections look at them once a jiffy; sets of ipset belong to the machine. */
const LEFT_OUT = /connlimit|ct count|match-set|-j SET/;

describe.skipIf(!rulesUsable())('translation among other rules', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  });
  afterAll(() => kernel.close());
  afterAll(() => keepResults('nat-generated'));

  test('of filter, mangle and raw, in both languages, is as in the kernel', async () => {
    let packets = 0;
    for (let i = 0; i < RULESETS * 2; i++) {
      const seed = SEED * 100_000 + i;
      const dice = new Dice(seed);
      const nat = natRules(dice, dice.pick(['nft-ip', 'nft-ip6', 'nft-inet'] as const));
      const kind = dice.pick(['nft', 'iptables-legacy', 'iptables-nft', 'ip6tables-nft'] as const);
      const others = generate(kind, seed, 0).sources.filter((source) => source.kind !== 'ipset');
      const sources = [...nat, ...others];
      if (others.some(({ text }) => LEFT_OUT.test(text)) || refuses(sources)) continue;
      const one = { sources, packets: new NatTalk(dice, sources, [4, 6]).take(PACKETS) };
      await kernel.reset();
      const found = await compareNat(kernel, one);
      // What the tools take is rules-verdicts.test.ts's business.
      if (found[0]?.startsWith('refused')) continue;
      expect(found.length === 0 ? '' : `seed ${SEED}, ruleset ${i}\n${natReport(one, found)}`).toBe('');
      packets += one.packets.length;
    }
    expect(packets).toBeGreaterThan(RULESETS * 5);
  }, 120_000);
});

function refuses(sources: readonly Source[]): boolean {
  const rules = new EngineRules();
  return sources.some((source) => rules.load(source).length > 0);
}
