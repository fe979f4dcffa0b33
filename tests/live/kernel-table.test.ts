/** `keepstate conntrack --kernel` beside conntrack(8): each fills, looks at and changes a table of the kernel. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LABEL_NAMES } from '../kernel/conntrack-command-changes.ts';
import { FILL, LABEL_SCENES, SCENES } from '../kernel/conntrack-command-list.ts';
import { randomCommand } from '../kernel/conntrack-command-random.ts';
import { commandUsable, difference } from '../kernel/conntrack-command-run.ts';
import { Dice } from '../traffic/dice.ts';
import { KernelNamespace } from './kernel-table-run.ts';

/** Seed of this run: another one each day, or KEEPSTATE_SEED. */
const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));
const RANDOM_LINES = Number(process.env.KEEPSTATE_LINES ?? 120);
/** Lines after which both tables are filled anew. */
const REFILL = 25;

/** Scenes about command lines, whatever the table (conntrack-command.test.ts has them). */
const ONLY_WORDS: readonly string[] = [
  'getopt finds commands and tables',
  'a protocol has options behind -p only',
  'reads numbers of each base',
];

/** The two tables are filled one after the other, on a machine that may have much to do (seconds). */
const SLACK = 20;

/** Both do each line in a namespace of their own. @returns the lines on which they differ, as text */
async function differences(
  theirs: KernelNamespace,
  ours: KernelNamespace,
  commands: readonly string[],
): Promise<string> {
  const found: string[] = [];
  for (const line of commands) {
    const text = difference(theirs.real(line), await ours.ours(line), SLACK);
    if (text !== null) found.push(`$ conntrack ${line}\n${text}`);
  }
  return found.join('\n\n');
}

describe.skipIf(!commandUsable())('keepstate conntrack --kernel does what conntrack(8) does', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keepstate-kernel-'));
  const named = join(folder, 'names');
  let theirs: KernelNamespace;
  let ours: KernelNamespace;
  beforeAll(async () => {
    writeFileSync(named, LABEL_NAMES);
    const setup = (name: string): string =>
      [
        `mkdir ${folder}/${name}`,
        `mount -t tmpfs tmpfs ${folder}/${name}`,
        `mkdir ${folder}/${name}/xtables`,
        `cp /etc/protocols /etc/nsswitch.conf ${folder}/${name}/`,
        `cp ${named} ${folder}/${name}/xtables/connlabel.conf`,
        "nft 'table ip t { chain c { type filter hook output priority 0; ct label 5 counter; }; }'",
        `mount --bind ${folder}/${name} /etc`,
      ].join('\n');
    [theirs, ours] = await Promise.all([
      KernelNamespace.open(folder, setup('a'), { KEEPSTATE_CONNLABEL: named }),
      KernelNamespace.open(folder, setup('b'), { KEEPSTATE_CONNLABEL: named }),
    ]);
  }, 60_000);
  beforeEach(async () => {
    theirs.real('-F');
    await ours.ours('-F');
  });
  afterAll(() => {
    theirs?.close();
    ours?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(
    [...SCENES, ...LABEL_SCENES]
      .filter(({ name }) => !ONLY_WORDS.includes(name))
      .map(({ name, commands }) => [name, commands] as const),
  )(
    'it %s',
    async (_name, commands) => {
      expect(await differences(theirs, ours, commands)).toBe('');
    },
    120_000,
  );

  test('it does the same on random command lines', async () => {
    const dice = new Dice(SEED);
    const found: string[] = [];
    for (let i = 0; i < RANDOM_LINES; i++) {
      if (i % REFILL === 0) {
        theirs.real('-F');
        await ours.ours('-F');
        for (const line of FILL) {
          theirs.real(line);
          await ours.ours(line);
        }
      }
      const line = randomCommand(dice);
      const text = difference(theirs.real(line), await ours.ours(line), SLACK);
      if (text !== null) found.push(`$ conntrack ${line}\n${text}`);
    }
    expect(found.join('\n\n'), `seed ${SEED}`).toBe('');
  }, 300_000);
});
