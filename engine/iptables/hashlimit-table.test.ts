import { expect, test } from 'vitest';
import { Random } from '../base/random.ts';
import { newState } from '../rules/testing.mts';
import { BUCKET_WORDS, ENOUGH, HashlimitTable, NO_BUCKET } from './hashlimit-table.ts';

function keyOf(source: number): Int32Array {
  const key = new Int32Array(BUCKET_WORDS);
  key[0] = source;
  return key;
}

test('whoever comes when there are as many buckets as there may be gets none, until one has ended', () => {
  const rule = { period: 1_000_000, burst: 2, bytes: false, expire: 1000, sweep: 500, max: 2 };
  const table = new HashlimitTable(rule, new Random(1));
  const state = newState();
  const take = (source: number, now: number): number => {
    state.pkt.time = now;
    return table.take(keyOf(source), state, 100);
  };
  expect([1, 2, 3, 1].map((source) => take(source, 1000))).toEqual([ENOUGH, ENOUGH, NO_BUCKET, ENOUGH]);
  expect(take(1, 1004)).toBe(0);
  expect(take(3, 2600)).toBe(ENOUGH);
});
