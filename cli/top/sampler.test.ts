import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../conntrack/table.ts';
import { compileFilter } from '../filter.ts';
import { counted, NO_LOOK, topEntry } from '../testing/top-flows.ts';
import { ORDERS } from './order.ts';
import { ratesBetween } from './rates.ts';
import { refreshRow, Sampler, type Snapshot, type Wish } from './sampler.ts';

const BY_RATE: Wish = { filter: null, order: ORDERS[0]!, reversed: false };
const BY_ID: Wish = { filter: null, order: ORDERS.find(({ name }) => name === 'id')!, reversed: false };

function pass(sampler: Sampler, wish: Wish, entries: readonly Entry[], now: number): Snapshot {
  sampler.begin(wish, now);
  for (let at = 0; at < entries.length; at += 7) sampler.add(entries.slice(at, at + 7), now);
  return sampler.end();
}

/** Flows with all that can be sorted by. */
const anyFlows = fc
  .uniqueArray(
    fc.record({
      flowId: fc.integer({ min: 1, max: 60_000 }),
      timeout: fc.integer({ min: 0, max: 1e9 }),
      state: fc.constantFrom('SYN_SENT', 'ESTABLISHED', null),
      protonum: fc.constantFrom(6, 17),
      packets: fc.integer({ min: 0, max: 1e6 }),
      bytes: fc.integer({ min: 0, max: 1e9 }),
      dst: fc.constantFrom('9.0.0.1', '10.0.0.1', '10.0.0.200', '200.0.0.1'),
    }),
    { selector: ({ flowId }) => flowId, maxLength: 60 },
  )
  .map((all) =>
    all.map(({ flowId, packets, bytes, dst, ...rest }) => {
      const entry = topEntry(flowId, { ...rest, ...counted(packets, bytes) });
      return { ...entry, original: { ...entry.original, dst } };
    }),
  );

describe('the flows that top keeps', () => {
  test('are, in every order, the first of all when they are sorted', () => {
    fc.assert(
      fc.property(
        anyFlows,
        fc.constantFrom(...ORDERS),
        fc.boolean(),
        fc.integer({ min: 1, max: 20 }),
        (flows, order, reversed, most) => {
          const { rows, total, matched } = pass(
            new Sampler(most),
            { filter: null, order, reversed },
            flows,
            5,
          );
          const all = pass(new Sampler(1000), { filter: null, order, reversed }, flows, 5).rows;
          expect(rows.map((r) => r.entry.flowId)).toEqual(all.slice(0, most).map((r) => r.entry.flowId));
          expect([total, matched]).toEqual([flows.length, flows.length]);
          const down = order.down !== reversed;
          for (const [i, row] of all.entries()) {
            if (i === 0) continue;
            const before = all[i - 1]!.key;
            expect(down ? before >= row.key : before <= row.key).toBe(true);
          }
        },
      ),
    );
  });

  test('keep their order however the table hands them out', () => {
    fc.assert(
      fc.property(anyFlows, fc.constantFrom(...ORDERS), (flows, order) => {
        const wish = { filter: null, order, reversed: false };
        const ids = ({ rows }: Snapshot): number[] => rows.map((r) => r.entry.flowId);
        const one = pass(new Sampler(1000), wish, flows, 5);
        expect(ids(pass(new Sampler(1000), wish, [...flows].reverse(), 5))).toEqual(ids(one));
      }),
    );
  });

  test('fit the filter, and how many there are of all is known', () => {
    fc.assert(
      fc.property(anyFlows, (flows) => {
        const filter = compileFilter('dst 10.0.0.0/8 and state ESTABLISHED', 'top');
        const { rows, total, matched, states } = pass(new Sampler(1000), { ...BY_ID, filter }, flows, 5);
        const right = flows.filter((e) => e.original.dst.startsWith('10.') && e.state === 'ESTABLISHED');
        expect(rows.map((r) => r.entry.flowId).sort()).toEqual(right.map((e) => e.flowId).sort());
        expect([total, matched]).toEqual([flows.length, right.length]);
        const counts = Object.values(states).flatMap((of) => Object.values(of));
        expect(counts.reduce((a, b) => a + b, 0)).toBe(flows.length);
      }),
    );
  });

  test('are sorted by addresses as numbers', () => {
    const dst = (flowId: number, text: string): Entry => {
      const entry = topEntry(flowId);
      return { ...entry, original: { ...entry.original, dst: text } };
    };
    const flows = [dst(1, '100.0.0.1'), dst(2, 'fd00::2'), dst(3, '20.0.0.1'), dst(4, '9.0.0.1')];
    const order = ORDERS.find(({ name }) => name === 'dst')!;
    const { rows } = pass(new Sampler(10), { filter: null, order, reversed: false }, flows, 5);
    expect(rows.map((r) => r.entry.flowId)).toEqual([4, 3, 1, 2]);
  });
});

describe('a rate', () => {
  test('is what both directions together grew by, a second', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e9 }),
        fc.integer({ min: 0, max: 1e9 }),
        fc.integer({ min: 1, max: 1e5 }),
        (before, more, ms) => {
          const sampler = new Sampler(10);
          const first = pass(sampler, BY_RATE, [topEntry(1, counted(2, before))], 1000);
          expect(first.rows[0]!.byteRate).toBe(null);
          const [row] = pass(sampler, BY_RATE, [topEntry(1, counted(12, before + more))], 1000 + ms).rows;
          expect(row!.byteRate).toBeCloseTo((more * 1000) / ms, 6);
          expect(row!.packetRate).toBeCloseTo(10_000 / ms, 6);
        },
      ),
    );
  });

  test('of a flow that came since the last look counts all of it', () => {
    const sampler = new Sampler(10);
    pass(sampler, BY_RATE, [topEntry(1, counted(2, 100))], 1000);
    const flows = [topEntry(1, counted(2, 100)), topEntry(2, counted(4, 800))];
    const { rows } = pass(sampler, BY_RATE, flows, 3000);
    expect(rows.map((r) => [r.entry.flowId, r.byteRate, r.packetRate])).toEqual([
      [2, 400, 2],
      [1, 0, 0],
    ]);
  });

  test('begins at 0 again where counters were set to 0', () => {
    const sampler = new Sampler(10);
    pass(sampler, BY_RATE, [topEntry(1, counted(1000, 1e6))], 0);
    const [row] = pass(sampler, BY_RATE, [topEntry(1, counted(2, 300))], 1000).rows;
    expect([row!.byteRate, row!.packetRate]).toEqual([300, 2]);
  });

  test('is not known where flows are not counted, and no row is lost for it', () => {
    const sampler = new Sampler(10);
    pass(sampler, BY_RATE, [topEntry(1)], 0);
    const { rows, counts } = pass(sampler, BY_RATE, [topEntry(1)], 1000);
    expect([rows[0]!.byteRate, counts]).toEqual([null, false]);
  });

  test('can be filtered by: at least so much, or within bounds', () => {
    const sampler = new Sampler(10);
    const flows = (bytes: readonly number[]): Entry[] => bytes.map((b, i) => topEntry(i + 1, counted(2, b)));
    pass(sampler, BY_RATE, flows([0, 0, 0]), 0);
    const at = (text: string): Wish => ({ ...BY_ID, filter: compileFilter(text, 'top') });
    const found = pass(sampler, at('rate 500'), flows([100, 500, 900]), 1000);
    expect(found.rows.map((r) => r.entry.flowId)).toEqual([3, 2]);
    const within = pass(sampler, at('rate 50-150'), flows([200, 1000, 1800]), 2000);
    expect(within.rows.map((r) => r.entry.flowId)).toEqual([1]);
    expect(() => compileFilter('rate 5', 'flow')).toThrow('only top can filter by it');
    expect(() => compileFilter('ctstate NEW', 'top')).toThrow('only trace can filter by it');
  });

  test('of a single row that is read anew is that since it was read last', () => {
    const { rows } = pass(new Sampler(10), BY_RATE, [topEntry(1, counted(2, 100))], 1000);
    const row = rows[0]!;
    refreshRow(row, topEntry(1, counted(4, 600)), 1500);
    expect([row.byteRate, row.packetRate, row.at]).toEqual([1000, 4, 1500]);
    refreshRow(row, null, 2000);
    expect([row.isGone, row.byteRate]).toEqual([true, 1000]);
  });

  test('of the table is what its counts grew by, a second', () => {
    const after = { ...NO_LOOK, created: 30, destroyed: 10, invalid: 4, dropped: 2 };
    expect(ratesBetween(NO_LOOK, after, 2000)).toEqual({
      created: 15,
      destroyed: 5,
      invalid: 2,
      dropped: 1,
      earlyDropped: 0,
      packets: null,
    });
    expect(ratesBetween(after, { ...after, created: null }, 1000)!.created).toBe(null);
    expect(ratesBetween(NO_LOOK, after, 0)).toBe(null);
  });
});

test('what is remembered of flows goes with them', () => {
  const sampler = new Sampler(10);
  for (let i = 0; i < 50; i++) {
    const flows = Array.from({ length: 20 }, (_, n) => topEntry(1 + i * 20 + n, counted(2, 2)));
    pass(sampler, BY_RATE, flows, i * 1000);
  }
  expect(sampler.remembered).toBe(20);
});
