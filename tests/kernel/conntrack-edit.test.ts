/**
 * conntrack(8) on the table of a running keepstate beside the real one on the kernel's: the same command lines as for
 * tables in files, and flows that a command made, met by packets.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { LiveTable } from '../../cli/run/live-table.ts';
import { Firewall } from '../../engine/hook/firewall.ts';
import { SCENES } from './conntrack-command-list.ts';
import { commandUsable, difference, TwoTables } from './conntrack-command-run.ts';

/** The table that commands look at, in place of a file. */
const live = vi.hoisted((): { table: unknown } => ({ table: null }));
vi.mock('../../cli/conntrack/open-table.ts', async (original) => ({
  ...(await original<object>()),
  openTable: async () => live.table,
}));

/** What a live table does otherwise on purpose, by the command line. */
const OTHERWISE: Readonly<Record<string, string>> = {};

describe.skipIf(!commandUsable())(
  'commands on a running keepstate do what conntrack(8) does to the kernel',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'keepstate-edit-'));
    let tables: TwoTables;
    beforeAll(async () => {
      tables = await TwoTables.open(folder);
    });
    beforeEach(async () => {
      live.table = new LiveTable(new Firewall().conntrack, () => Date.now());
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
          const text = line in OTHERWISE ? null : difference(kernel, ours);
          if (text !== null) found.push(`$ conntrack ${line}\n${text}`);
        }
        expect(found.join('\n\n')).toBe('');
      },
      120_000,
    );
  },
);
