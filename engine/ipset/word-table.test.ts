import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Random } from '../base/random.ts';
import { NO_ROW, WordTable } from './word-table.ts';

test('a table of words finds what was put in and nothing else, whatever was taken out before', () => {
  const key = fc.tuple(fc.nat(5), fc.nat(5)).map(([a, b]) => Int32Array.of(a, b));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), key), { maxLength: 200 }), (steps) => {
      const table = new WordTable(2, new Random(1));
      const model = new Map<string, number>();
      for (const [isIn, k] of steps) {
        const name = k.join();
        expect(table.find(k)).toBe(model.get(name) ?? NO_ROW);
        if (isIn) model.set(name, table.insert(k));
        else if (model.has(name)) {
          table.remove(model.get(name)!);
          model.delete(name);
        }
        expect(table.count).toBe(model.size);
      }
    }),
  );
});

test('a table of words keeps a hundred thousand rows apart', () => {
  const table = new WordTable(1, new Random(2));
  for (let i = 0; i < 100_000; i++) table.insert(Int32Array.of(i));
  expect(table.count).toBe(100_000);
  expect(table.word(table.find(Int32Array.of(77_777)), 0)).toBe(77_777);
  expect(table.find(Int32Array.of(100_000))).toBe(NO_ROW);
});
