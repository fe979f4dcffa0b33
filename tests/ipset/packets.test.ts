/** IP sets that packets ask and change (`-m set`, `-j SET`), beside the kernel. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keepResults, shows } from '../features/record.ts';
import { complaint, report, safely } from '../kernel/rules-compare.ts';
import { RuleKernel, rulesUsable } from '../kernel/rules-oracle.ts';
import { setCase } from './packet-cases.ts';

/** Seed of this run: another one each day, or KEEPSTATE_SEED. */
const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));
const CASES = 60;
const SHOWN = 3;

describe.skipIf(!rulesUsable())('IP sets beside the kernel', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open();
  });
  afterAll(() => {
    kernel.close();
    keepResults('ipset-packets');
  });

  test('what a packet finds, adds and removes, and what the sets hold afterwards', {
    timeout: 300_000,
  }, async () => {
    const found: string[] = [];
    for (let i = 0; i < CASES && found.length < SHOWN; i++) {
      const one = setCase(SEED * 1000 + i);
      const why = complaint(await safely(kernel, one));
      if (why === null) for (const { kind, text } of one.sources) shows('compared', kind, text);
      else found.push(`seed ${SEED * 1000 + i} ${why}\n${await report(kernel, one, why)}`);
    }
    expect(found.join('\n')).toBe('');
  });
});
