/** Matches and targets beside iptables' core: what they do to packets, beside the kernel. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { complaint, report, safely } from '../kernel/rules-compare.ts';
import { RuleKernel, rulesUsable } from '../kernel/rules-oracle.ts';
import { comparable, extensionCase } from './extension-cases.ts';

/** Seed of this run: another one each day, or KEEPSTATE_SEED. */
const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));
const CASES = 60;
const SHOWN = 3;

describe.skipIf(!rulesUsable())('extensions of iptables beside the kernel', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open();
  });
  afterAll(() => kernel.close());

  test('verdict, bytes, marks, log groups and counters of single rules are the kernel’s', {
    timeout: 300_000,
  }, async () => {
    const lines = comparable();
    const found: string[] = [];
    for (let i = 0; i < CASES && found.length < SHOWN; i++) {
      const one = extensionCase(SEED * 1000 + i, lines);
      const why = complaint(await safely(kernel, one));
      if (why !== null) found.push(`seed ${SEED * 1000 + i} ${why}\n${await report(kernel, one, why)}`);
    }
    expect(found.join('\n')).toBe('');
  });
});
