/** Helpers on connections whose segments come in pieces, late, twice, overlapping and in another order. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { differences, many, SEED } from './helper-run.ts';
import { NATS, type Nat } from './helper-scene.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import { KINDS, scrambled } from './scrambled-helpers.ts';

const COUNT = 6;

describe.skipIf(!rulesUsable())('segments in any order', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  }, 60_000);
  afterAll(() => kernel.close());

  test.each(KINDS.flatMap((kind) => NATS.map((nat) => [kind.name, nat, kind] as const)))(
    'are read, translated and numbered as in the kernel: %s (%s)',
    { timeout: 120_000 },
    async (_name, nat, kind) => {
      const dialogues = many(COUNT, (i) => scrambled(SEED * 1000 + i, nat, [kind]));
      expect(await differences(kernel, dialogues)).toEqual([]);
    },
  );

  test.each(NATS)('of several helpers at once too (%s)', { timeout: 120_000 }, async (nat: Nat) => {
    const dialogues = many(COUNT, (i) => scrambled(SEED * 1000 + 500 + i, nat, KINDS));
    expect(await differences(kernel, dialogues)).toEqual([]);
  });
});
