/** `keepstate conntrack` beside conntrack(8) itself, on equal tables: output, messages and exit status. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LABEL_NAMES, LABEL_SCENES, SCENES } from './conntrack-command-list.ts';
import { commandUsable, difference, TwoTables } from './conntrack-command-run.ts';

/** Every command of a scene on which the two differ, as text. */
async function differences(tables: TwoTables, commands: readonly string[]): Promise<string> {
  const found: string[] = [];
  for (const line of commands) {
    const { kernel, ours } = await tables.both(line);
    const text = difference(kernel, ours);
    if (text !== null) found.push(`$ conntrack ${line}\n${text}`);
  }
  return found.join('\n\n');
}

/** Labels are there in a namespace that has a rule about them, and names where /etc is another. */
function labelSetup(folder: string): string {
  return [
    `mkdir ${folder}/etc`,
    `mount -t tmpfs tmpfs ${folder}/etc`,
    `mkdir ${folder}/etc/xtables`,
    `cp /etc/protocols /etc/nsswitch.conf ${folder}/etc/`,
    `cp ${folder}/names ${folder}/etc/xtables/connlabel.conf`,
    "nft 'table ip t { chain c { type filter hook output priority 0; ct label 5 counter; }; }'",
    `mount --bind ${folder}/etc /etc`,
  ].join('\n');
}

describe.skipIf(!commandUsable())('keepstate conntrack does what conntrack(8) does', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keepstate-conntrack-'));
  const named = join(folder, 'names');
  let tables: TwoTables;
  let labelled: TwoTables;
  beforeAll(async () => {
    writeFileSync(named, LABEL_NAMES);
    tables = await TwoTables.open(folder);
    labelled = await TwoTables.open(folder, labelSetup(folder), { KEEPSTATE_CONNLABEL: named });
  });
  beforeEach(async () => {
    await tables.both('-F');
    await labelled.both('-F');
  });
  afterAll(() => {
    tables.close();
    labelled.close();
    rmSync(folder, { recursive: true });
  });

  test.each(SCENES.map(({ name, commands }) => [name, commands] as const))(
    'it %s',
    async (_name, commands) => {
      expect(await differences(tables, commands)).toBe('');
    },
    120_000,
  );

  test.each(LABEL_SCENES.map(({ name, commands }) => [name, commands] as const))(
    'it %s',
    async (_name, commands) => {
      expect(await differences(labelled, commands)).toBe('');
    },
    120_000,
  );
});
