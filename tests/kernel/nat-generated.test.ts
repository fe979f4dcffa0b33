/** Generated rulesets and conversations through NAT: every byte, every entry as in the kernel. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Dice } from '../traffic/dice.ts';
import { compareNat, natReport } from './nat-compare.ts';
import { NAT_KINDS, natRules } from './nat-rules.ts';
import { NatTalk } from './nat-talk.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';

const SEED = Number(process.env.KEEPSTATE_SEED ?? 1);
const RULESETS = Number(process.env.KEEPSTATE_RULESETS ?? 12);
const PACKETS = 40;

describe.skipIf(!rulesUsable())('translated conversations', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  });
  afterAll(() => kernel.close());

  test.each(NAT_KINDS)('leave, arrive and are tracked as in the kernel: %s', async (kind) => {
    let packets = 0;
    for (let i = 0; i < RULESETS; i++) {
      const dice = new Dice(SEED * 100_000 + i);
      const sources = natRules(dice, kind);
      const families = kind === 'nft-inet' ? [4, 6] : [kind.includes('6') ? 6 : 4];
      const nat = { sources, packets: new NatTalk(dice, sources, families).take(PACKETS) };
      if (kind.endsWith('legacy') || i === 0) await kernel.reset();
      const found = await compareNat(kernel, nat);
      expect(found.length === 0 ? '' : `seed ${SEED}, ruleset ${i}\n${natReport(nat, found)}`).toBe('');
      packets += nat.packets.length;
    }
    expect(packets).toBeGreaterThan(RULESETS * 5);
  }, 120_000);
});
