/** The helpers of H.323 against the kernel's: generated calls and registrations through every kind of translation. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Dice } from '../traffic/dice.ts';
import { reportDialogue } from './dialogue.ts';
import { SCENES } from './h323-scenes.ts';
import { callDialogue, rasDialogue } from './h323-talks.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';

/** Generated dialogues for each scene. 1,120 of them were compared when this was written. */
const DIALOGUES = 6;

describe.skipIf(!rulesUsable())('H.323', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  });
  afterAll(() => kernel.close());

  for (const [i, scene] of SCENES.entries()) {
    describe(scene.name, () => {
      test('calls, their control channels and media go as in the kernel', async () => {
        for (let n = 0; n < DIALOGUES; n++) {
          const dialogue = callDialogue(new Dice(100 * i + n), scene);
          expect(await reportDialogue(kernel, dialogue)).toBe(null);
        }
      });

      test('registrations and the calls that a gatekeeper admits go as in the kernel', async () => {
        for (let n = 0; n < DIALOGUES; n++) {
          const dialogue = rasDialogue(new Dice(100 * i + n), scene);
          expect(await reportDialogue(kernel, dialogue)).toBe(null);
        }
      });
    });
  }
});
