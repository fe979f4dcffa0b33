/** `keepstate conntrack` beside conntrack(8) itself, on equal tables: output, messages and exit status. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LABEL_NAMES } from './conntrack-command-changes.ts';
import { DUMPS, VISIBLE } from './conntrack-command-dumps.ts';
import { FILL, LABEL_SCENES, SCENES } from './conntrack-command-list.ts';
import { commandUsable, difference, TwoTables } from './conntrack-command-run.ts';
import { differences, randomDifferences } from './conntrack-command-same.ts';

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
      expect(await differences((line) => tables.both(line), commands)).toBe('');
    },
    120_000,
  );

  test.each(LABEL_SCENES.map(({ name, commands }) => [name, commands] as const))(
    'it %s',
    async (_name, commands) => {
      expect(await differences((line) => labelled.both(line), commands)).toBe('');
    },
    120_000,
  );

  test('it does the same on random command lines', async () => {
    expect(await randomDifferences((line) => tables.both(line), 300)).toBe('');
  }, 180_000);

  test('it counts what was inserted, whichever CPU did it', async () => {
    const inserted = ({ out }: { readonly out: string }): number =>
      [...out.matchAll(/ insert=(\d+) /g)].reduce((sum, [, n]) => sum + Number(n), 0);
    const before = await tables.both('-S');
    for (const line of FILL) await tables.both(line);
    const after = await tables.both('-S');
    expect(inserted(after.kernel) - inserted(before.kernel)).toBe(FILL.length);
    expect(inserted(after.ours) - inserted(before.ours)).toBe(FILL.length);
    const shape = (text: string): string => text.split('\n')[0]!.replace(/=\d+/g, '=N');
    expect(shape(after.ours.out)).toBe(shape(after.kernel.out));
    const expect0 = await tables.both('-S expect');
    expect(expect0.ours.out.split('\n')[0]).toBe(expect0.kernel.out.split('\n')[0]);
  });

  describe('on what conntrack(8) printed', () => {
    beforeEach(() => {
      for (const name of ['acct', 'timestamp']) {
        tables.inside(['sysctl', '-qw', `net.netfilter.nf_conntrack_${name}=1`]);
      }
      for (const line of FILL) tables.inside(['conntrack', ...line.split(' ')]);
    });
    afterEach(() => {
      for (const name of ['acct', 'timestamp']) {
        tables.inside(['sysctl', '-qw', `net.netfilter.nf_conntrack_${name}=0`]);
      }
    });

    test.each(DUMPS)('%s is printed as it was', async (real, ours) => {
      const dump = tables.inside(real.split(' '));
      expect(await tables.onDump(dump.out, ours.split(' '))).toEqual(dump);
    });

    test('/proc/net/nf_conntrack has the flows that conntrack -L -o extended has', async () => {
      const proc = tables.inside(['cat', '/proc/net/nf_conntrack']);
      expect(proc.out.split('\n').length).toBeGreaterThan(FILL.length);
      const real = tables.inside(['conntrack', '-L', '-o', 'extended']);
      expect(difference(real, await tables.onDump(proc.out, ['-L', '-o', 'extended']))).toBe(null);
    });

    test('filters find the same', async () => {
      const dump = tables.inside(['conntrack', '-L']);
      for (const filter of VISIBLE) {
        const real = tables.inside(['conntrack', ...filter.split(' ')]);
        expect(difference(real, await tables.onDump(dump.out, filter.split(' '))), filter).toBe(null);
      }
    });

    test('what -o save printed fills a table of keepstate as it fills that of the kernel', async () => {
      const saved = tables.inside(['conntrack', '-L', '-o', 'save', '-p', 'tcp']).out;
      const file = join(folder, 'saved');
      writeFileSync(file, saved);
      await tables.both('-F');
      expect(tables.inside(['conntrack', '-R', file])).toEqual(await tables.keepstate(['-R', file]));
      for (const line of ['-L -o save', '-L -n -o save', '-L -g -o save', '-C']) {
        const { kernel, ours } = await tables.both(line);
        expect(difference(kernel, ours), line).toBe(null);
      }
    });
  });
});
