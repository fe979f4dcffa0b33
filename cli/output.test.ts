import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { piece } from '@keepstate/engine';
import { afterAll, expect, test } from 'vitest';
import { Output } from './output.ts';

const folder = mkdtempSync(join(tmpdir(), 'keepstate-output-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What stands in the file after something was written to it and flushed. */
function written(write: (out: Output) => void): string {
  const path = join(folder, 'out');
  const fd = openSync(path, 'w');
  const out = new Output(fd);
  write(out);
  out.flush();
  closeSync(fd);
  return readFileSync(path, 'utf8');
}

function line(out: Output, text: string): void {
  out.line().piece(piece(text));
  out.endLine();
}

test('text and lines of bytes come out in the order in which they were written', () => {
  const text = written((out) => {
    out.write('head …\n');
    line(out, 'one\n');
    line(out, 'two …\n');
    out.write('three\n');
    out.write('four\n');
    line(out, 'five\n');
  });
  expect(text).toBe('head …\none\ntwo …\nthree\nfour\nfive\n');
});

test('more than is collected at once comes out whole, once', () => {
  const lines = Array.from({ length: 30_000 }, (_, i) => `line ${i}\n`);
  const text = written((out) => {
    for (const [i, l] of lines.entries()) {
      if (i % 1000 === 999) out.write(l);
      else line(out, l);
    }
  });
  expect(text === lines.join('')).toBe(true);
});

test('nothing is written before it is much, or flushed', () => {
  const path = join(folder, 'out');
  const fd = openSync(path, 'w');
  const out = new Output(fd);
  line(out, 'a line\n');
  expect(readFileSync(path, 'utf8')).toBe('');
  out.flush();
  expect(readFileSync(path, 'utf8')).toBe('a line\n');
  out.flush();
  expect(readFileSync(path, 'utf8')).toBe('a line\n');
  closeSync(fd);
});
