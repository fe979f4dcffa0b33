/** `keepstate conntrack --kernel` beside conntrack(8): each fills, looks at and changes a table of the kernel. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LABEL_NAMES } from '../kernel/conntrack-command-changes.ts';
import { LABEL_SCENES, SCENES } from '../kernel/conntrack-command-list.ts';
import { commandUsable } from '../kernel/conntrack-command-run.ts';
import { type Both, differences, randomDifferences } from '../kernel/conntrack-command-same.ts';
import { KernelNamespace } from './kernel-table-run.ts';

/** Scenes about command lines, whatever the table (conntrack-command.test.ts has them). */
const ONLY_WORDS: readonly string[] = [
  'getopt finds commands and tables',
  'a protocol has options behind -p only',
  'reads numbers of each base',
];

/** The two tables are filled one after the other, on a machine that may have much to do (seconds). */
const SLACK = 20;

describe.skipIf(!commandUsable())('keepstate conntrack --kernel does what conntrack(8) does', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keepstate-kernel-'));
  const named = join(folder, 'names');
  let theirs: KernelNamespace;
  let ours: KernelNamespace;
  /** Each does a line in a namespace of its own. */
  const both: Both = async (line) => ({ kernel: theirs.real(line), ours: await ours.ours(line) });
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
    await both('-F');
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
      expect(await differences(both, commands, SLACK)).toBe('');
    },
    120_000,
  );

  test('it does the same on random command lines', async () => {
    expect(await randomDifferences(both, 120, SLACK)).toBe('');
  }, 300_000);
});
