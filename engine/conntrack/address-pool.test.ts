import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashKey } from '../base/hash.ts';
import { AddressPool } from './address-pool.ts';

type Address = readonly [number, number, number, number];

const open = (): AddressPool => new AddressPool(hashKey(3));

function find(pool: AddressPool, address: Address): number {
  const view = new DataView(new ArrayBuffer(20));
  for (const [i, word] of address.entries()) view.setInt32(4 + i * 4, word);
  return pool.find(view, 4);
}

function hold(pool: AddressPool, address: Address): number {
  const handle = pool.intern(...address);
  pool.hold(handle);
  return handle;
}

function wordsOf(pool: AddressPool, handle: number): number[] {
  return [0, 1, 2, 3].map((index) => pool.word(handle, index));
}

describe('AddressPool', () => {
  test('gives an address one handle for as long as anybody holds it', () => {
    const pool = open();
    const address: Address = [0x20010db8, 0, 0, 1];
    expect(find(pool, address)).toBe(0);
    const handle = hold(pool, address);
    expect(handle).toBeGreaterThan(0);
    expect(hold(pool, address)).toBe(handle);
    expect(pool.size).toBe(1);
    pool.release(handle);
    expect(find(pool, address)).toBe(handle);
    pool.release(handle);
    expect(find(pool, address)).toBe(0);
    expect(pool.size).toBe(0);
  });

  test('tells addresses apart that differ in one word only', () => {
    const pool = open();
    const addresses: Address[] = [
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
      [0, 0, 0, 0],
    ];
    const handles = addresses.map((address) => hold(pool, address));
    expect(new Set(handles).size).toBe(5);
    for (const [i, address] of addresses.entries()) expect(wordsOf(pool, handles[i]!)).toEqual([...address]);
  });

  test('gives a freed handle to another address', () => {
    const pool = open();
    const first = hold(pool, [1, 2, 3, 4]);
    pool.release(first);
    expect(hold(pool, [5, 6, 7, 8])).toBe(first);
    expect(wordsOf(pool, first)).toEqual([5, 6, 7, 8]);
    expect(find(pool, [1, 2, 3, 4])).toBe(0);
  });

  test('holds ten thousand addresses, and keeps the right half when the other is let go', () => {
    const pool = open();
    const at = (i: number): Address => [0x20010db8, i >> 4, 0, i];
    const handles = Array.from({ length: 10_000 }, (_, i) => hold(pool, at(i)));
    for (let i = 0; i < 10_000; i += 2) pool.release(handles[i]!);
    expect(pool.size).toBe(5000);
    for (let i = 0; i < 10_000; i++) expect(find(pool, at(i))).toBe(i % 2 === 0 ? 0 : handles[i]);
  });
});

describe('AddressPool against a Map', () => {
  // Few addresses, so that each is held, let go and taken anew many times; the first words are often alike.
  const ADDRESS = fc.tuple(fc.constant(1), fc.nat(1), fc.nat(2), fc.nat(30));
  const STEP = fc.tuple(ADDRESS, fc.boolean());

  test('knows what is held and how often, whatever the order', () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 400 }), (steps) => {
        const pool = open();
        const model = new Map<string, { address: Address; handle: number; held: number }>();
        for (const [address, taking] of steps) {
          const key = address.join();
          const known = model.get(key);
          if (taking) {
            const handle = hold(pool, address);
            if (known === undefined) model.set(key, { address, handle, held: 1 });
            else {
              expect(handle).toBe(known.handle);
              known.held++;
            }
          } else if (known !== undefined) {
            pool.release(known.handle);
            if (--known.held === 0) model.delete(key);
          } else expect(find(pool, address)).toBe(0);
        }
        const kept = [...model.values()];
        expect(pool.size).toBe(kept.length);
        expect(new Set(kept.map(({ handle }) => handle)).size).toBe(kept.length);
        for (const { address, handle } of kept) {
          expect(find(pool, address)).toBe(handle);
          expect(wordsOf(pool, handle)).toEqual([...address]);
        }
      }),
      { numRuns: 200 },
    );
  });
});
