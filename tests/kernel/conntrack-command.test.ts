/** `keepstate conntrack` beside conntrack(8) itself, on equal tables: output, messages and exit status. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SCENES } from './conntrack-command-list.ts';
import { commandUsable, difference, TwoTables } from './conntrack-command-run.ts';

describe.skipIf(!commandUsable())('keepstate conntrack does what conntrack(8) does', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keepstate-conntrack-'));
  let tables: TwoTables;
  beforeAll(async () => {
    tables = await TwoTables.open(folder);
  });
  beforeEach(async () => {
    await tables.both('-F');
  });
  afterAll(() => {
    tables.close();
    rmSync(folder, { recursive: true });
  });

  test.each(SCENES.map(({ name, commands }) => [name, commands] as const))(
    'it %s',
    async (_name, commands) => {
      const found: string[] = [];
      for (const line of commands) {
        const { kernel, ours } = await tables.both(line);
        const text = difference(kernel, ours);
        if (text !== null) found.push(`$ conntrack ${line}\n${text}`);
      }
      expect(found.join('\n\n')).toBe('');
    },
    120_000,
  );
});
