import { expect, test } from 'vitest';
import { hashKeyWords, keyHashTables } from './set-hash.ts';

/** Of many addresses, those whose hashes meet in the first of 256 slots. */
function meeting(from: readonly number[]): number[] {
  return from.filter((address) => (hashKeyWords(Int32Array.of(address), 0, 1) & 255) === 0);
}

test('keys that were chosen to meet in a table no longer do once it has a key of its own', () => {
  const addresses = Array.from({ length: 100_000 }, (_, i) => 0x0a000000 + i);
  const chosen = meeting(addresses);
  expect(chosen.length).toBeGreaterThan(250);
  keyHashTables(1);
  expect(meeting(chosen).length).toBeLessThan(chosen.length / 20);
});
