import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { until } from '../testing/daemon.ts';
import { FileWatch } from './watch.ts';

const folder = mkdtempSync(join(tmpdir(), 'keepstate-watch-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a change that comes while a changed file is read is told, too', async () => {
  const file = join(folder, 'rules.nft');
  writeFileSync(file, 'first');
  let told = 0;
  const watch = new FileWatch(() => {
    // It was read; before that is known, somebody writes it again.
    if (++told === 1) writeFileSync(file, 'the third text');
    watch.set([file]);
  });
  watch.set([file]);
  writeFileSync(file, 'the second');
  await until(() => told > 1);
  watch.close();
  expect(told).toBe(2);
});
