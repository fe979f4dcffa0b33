import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyTable } from './key-table.ts';

const KEY = fc.tuple(fc.nat(3), fc.nat(9), fc.integer());

test('a key table finds the keys that are in it and no others', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), KEY), { maxLength: 200 }), (steps) => {
      const table = new KeyTable(3);
      const model = new Map<string, number>();
      for (const [adds, words] of steps) {
        const key = Int32Array.from(words);
        const had = model.get(words.join()) ?? 0;
        expect(table.find(key)).toBe(had);
        if (adds && had === 0) model.set(words.join(), table.add(key));
        if (!adds && had !== 0) {
          table.remove(had);
          model.delete(words.join());
        }
      }
      expect(table.size).toBe(model.size);
      for (const [name, row] of model) {
        expect(table.find(Int32Array.from(name.split(',').map(Number)))).toBe(row);
        expect(table.has(row)).toBe(true);
      }
    }),
  );
});
