import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Dice } from '../traffic/dice.ts';
import { differences } from './clash-engine.ts';
import { clashUsable, HeldKernel } from './clash-kernel.ts';
import { KINDS } from './clash-packets.ts';
import type { Step } from './clash-script.ts';
import { randomScript, SCRIPTS, SLOW_SCRIPTS } from './clash-scripts.ts';

const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));
const RANDOM_SCRIPTS = 200;
const ACCT = { nf_conntrack_acct: 1 };

describe.skipIf(!clashUsable())('packets held between tracking and confirmation', () => {
  let kernel: HeldKernel;
  beforeAll(async () => {
    kernel = await HeldKernel.open({ sysctls: ACCT });
  });
  afterAll(() => kernel?.close());

  const compare = async (script: readonly Step[]): Promise<string[]> =>
    differences(script, await kernel.play(script), ACCT);

  test.each(Object.keys(SCRIPTS))('of every protocol the engine does as the kernel: %s', async (name) => {
    for (const kind of KINDS) {
      const found = await compare(SCRIPTS[name]!(kind));
      expect(found, kind.name).toEqual([]);
    }
  });

  test.each(Object.keys(SLOW_SCRIPTS))('the engine does as the kernel: %s', async (name) => {
    const udp = KINDS.find((kind) => kind.name === 'udp over IPv4')!;
    expect(await compare(SLOW_SCRIPTS[name]!(udp))).toEqual([]);
  });

  test('the engine does as the kernel when packets arrive, go on and are dropped in any order', async () => {
    const dice = new Dice(SEED);
    const seen: Record<string, number> = { clash_resolve: 0, insert_failed: 0 };
    for (let i = 0; i < RANDOM_SCRIPTS; i++) {
      const { name, steps } = randomScript(dice);
      const played = await kernel.play(steps);
      expect(differences(steps, played, ACCT), `seed ${SEED}, script ${i}: ${name}`).toEqual([]);
      for (const { statistics } of played.steps)
        for (const what of Object.keys(seen)) seen[what]! += statistics[what] ?? 0;
    }
    // Scripts in which nothing clashes would prove nothing.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(RANDOM_SCRIPTS / 10);
  });
});
