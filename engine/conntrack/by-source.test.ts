import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashKey } from '../base/hash.ts';
import { BySource } from './by-source.ts';
import { F_KIND, F_PORTS, F_SRC, FlowTable, ROW_WORDS } from './flow-table.ts';

test('flows are found by their source, the latest first, whatever comes and goes', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(2), fc.boolean()), { maxLength: 80 }), (steps) => {
      const table = new FlowTable(hashKey(1));
      const index = new BySource(table);
      const model: [flow: number, src: number, port: number][] = [];
      for (const [src, port, removes] of steps) {
        if (removes && model.length > 0) {
          const [gone] = model.splice(src % model.length, 1);
          index.remove(gone![0]);
          table.release(gone![0]);
          continue;
        }
        const flow = table.alloc();
        const at = flow * ROW_WORDS;
        table.words[at + F_SRC] = src;
        table.words[at + F_PORTS] = (port << 16) | 53;
        table.words[at + F_KIND] = 17 | (2 << 8);
        index.add(flow);
        model.unshift([flow, src, port]);
      }
      for (let src = 0; src < 4; src++)
        for (let port = 0; port < 3; port++) {
          const found: number[] = [];
          for (let f = index.first(src, port, 17 | (2 << 8), 0); f !== 0; f = index.after(f)) found.push(f);
          const want = model.filter(([, s, p]) => s === src && p === port).map(([flow]) => flow);
          expect(found.filter((flow) => want.includes(flow))).toEqual(want);
        }
    }),
  );
});
