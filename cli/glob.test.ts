import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { glob } from './glob.ts';

const folder = mkdtempSync(join(tmpdir(), 'keepstate-glob-'));
afterAll(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, 'sub.d'));
for (const name of ['b.nft', 'a.nft', '.hidden.nft', 'a+b.txt', 'sub.d/c.nft']) {
  writeFileSync(join(folder, name), '');
}
symlinkSync('nowhere', join(folder, 'broken.lnk'));

test.each([
  ['*.nft', ['a.nft', 'b.nft']],
  ['[!a].nft', ['b.nft']],
  ['?.nft', ['a.nft', 'b.nft']],
  ['.h*', ['.hidden.nft']],
  ['*.d/*.nft', ['sub.d/c.nft']],
  ['a+b.*', ['a+b.txt']],
  ['[z-a]*', []],
  ['[]a]+b.txt', ['a+b.txt']],
  ['[!]b].nft', ['a.nft']],
  ['[^a].nft', ['b.nft']],
  ['none*', []],
  ['a.nft', ['a.nft']],
  ['none.nft', []],
  ['sub.d', []],
  ['sub*', []],
  ['broken.*', []],
])('%s names %j', (pattern, files) => {
  expect(glob(join(folder, pattern))).toEqual(files.map((f) => join(folder, f)));
});
