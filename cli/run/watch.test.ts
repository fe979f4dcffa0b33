import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

test('a file that is still being written is not told before it is at rest', async () => {
  const file = join(folder, 'slow.nft');
  writeFileSync(file, 'whole');
  const told: string[] = [];
  const watch = new FileWatch(() => told.push(readFileSync(file, 'utf8')));
  watch.set([file]);
  writeFileSync(file, '');
  // The time between two writes is more than that between a write and a look.
  for (const part of ['a', 'b', 'c']) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    appendFileSync(file, part);
  }
  await until(() => told.length > 0);
  watch.close();
  expect(told).toEqual(['abc']);
});
