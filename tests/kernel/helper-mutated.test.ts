/** Well-formed messages of every helper, damaged, through every kind of translation and over good and bad networks. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Dice } from '../traffic/dice.ts';
import type { Dialogue } from './dialogue.ts';
import { mutatedDialogue, type Network } from './helper-mutated.ts';
import { SCENES } from './helper-mutated-scenes.ts';
import { differences, many, SEED } from './helper-run.ts';
import { PROTOCOLS, type Protocol } from './helper-wellformed.ts';
import { LINKS } from './rules-namespace-links.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';

/** Dialogues of each protocol, and messages in each. 2,900,000 packets were compared when this was written. */
const COUNT = 6;
const MESSAGES = 60;
/** Translated messages may be longer than what they came in. */
const WIDE: readonly string[] = ['eth0', 'eth1'].map((device) => `link set dev ${device} mtu 65535`);

function dialogueOf(i: number, protocol: Protocol, network: Network): Dialogue {
  const seed = SEED * 1000 + i;
  const scenes = SCENES.filter(({ v6 }) => protocol.v6 || !v6);
  return mutatedDialogue(seed, protocol, new Dice(seed).pick(scenes), MESSAGES, network);
}

describe.skipIf(!rulesUsable())('damaged messages', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true, links: [...LINKS, ...WIDE] });
  });
  afterAll(() => kernel.close());

  test.each(
    PROTOCOLS.flatMap((protocol) =>
      (['good', 'bad'] as const).map((n) => [protocol.name, n, protocol] as const),
    ),
  )(
    'of %s are read, translated and dropped as in the kernel (%s network)',
    { timeout: 120_000 },
    async (_name, network, protocol) => {
      const dialogues = many(COUNT, (i) => dialogueOf(i, protocol, network));
      expect(await differences(kernel, dialogues)).toEqual([]);
    },
  );
});
