import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tcpPacket } from '../packet/build.ts';
import { CounterExpr } from './expr-counter.ts';
import { DynsetExpr, NFT_DYNSET_OP_ADD, NFT_DYNSET_OP_DELETE, NFT_DYNSET_OP_UPDATE } from './expr-dynset.ts';
import { LimitExpr, NFT_LIMIT_F_INV, NFT_LIMIT_PKTS } from './expr-limit.ts';
import { LookupExpr, NFT_REG_VERDICT } from './expr-lookup.ts';
import { VerdictExpr } from './expr-verdict.ts';
import { RuleSet } from './set.ts';
import { cutRange } from './set-concat.ts';
import { arrive, be, newState, stateWith } from './testing.mts';
import { NF_DROP, NFT_BREAK, NFT_CONTINUE } from './verdict.ts';

const PACKET = tcpPacket({ src: '10.0.0.2', dst: '10.0.1.2', sport: 1000, dport: 80, flags: 2 });

/** Looks a key up as a packet does: from register 1. */
function has(set: RuleSet, key: Uint8Array, now = 1000): boolean {
  const state = stateWith(PACKET, now);
  state.regs.set(key);
  return set.find(state, 0) >= 0;
}

describe('a set', () => {
  test('holds what was added and not removed, through growth and removal', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(300), fc.boolean()), { maxLength: 400 }), (steps) => {
        const set = new RuleSet({ name: 's', keyLen: 2 });
        const model = new Set<number>();
        for (const [key, add] of steps) {
          if (add) expect(set.add({ key: be(key, 2) }, 0)).toBe(model.has(key) ? 'exists' : 'added');
          else expect(set.remove(be(key, 2), null, 0)).toBe(model.has(key));
          if (add) model.add(key);
          else model.delete(key);
        }
        expect(set.elements(0).map(({ key }) => key[0]! * 256 + key[1]!)).toHaveLength(model.size);
        for (let key = 0; key <= 300; key++) expect(set.get(be(key, 2), 0) !== null).toBe(model.has(key));
      }),
    );
  });

  test('looks only at the bytes of its key, whatever stands behind them in the register', () => {
    const set = new RuleSet({ name: 's', keyLen: 2 });
    set.add({ key: be(80, 2) }, 0);
    expect(has(set, Uint8Array.of(0, 80, 7, 7))).toBe(true);
    expect(has(set, Uint8Array.of(0, 81, 0, 0))).toBe(false);
  });

  test('forgets an element when its own timeout, or else the set’s, has run out', () => {
    const set = new RuleSet({ name: 's', keyLen: 1, timeout: 5000 });
    set.add({ key: be(1, 1) }, 1000);
    set.add({ key: be(2, 1), timeout: 2000 }, 1000);
    set.add({ key: be(3, 1), timeout: 9000, left: 500 }, 1000);
    const at = (now: number): number[] => [1, 2, 3].filter((key) => has(set, be(key, 1), now));
    expect(at(1499)).toEqual([1, 2, 3]);
    expect(at(1500)).toEqual([1, 2]);
    expect(at(2999)).toEqual([1, 2]);
    expect(at(3000)).toEqual([1]);
    expect(at(6000)).toEqual([]);
    expect(set.elements(6000)).toEqual([]);
    expect(set.add({ key: be(1, 1) }, 6000)).toBe('added');
  });

  test('takes no more elements than its size, but those that have expired make room', () => {
    const set = new RuleSet({ name: 's', keyLen: 1, size: 2, timeout: 1000 });
    expect([1, 2, 3].map((key) => set.add({ key: be(key, 1) }, 0))).toEqual(['added', 'added', 'full']);
    expect(set.add({ key: be(3, 1) }, 1000)).toBe('added');
    expect(set.elements(1000)).toHaveLength(1);
  });

  test('finds the catch-all element for every key that no other holds', () => {
    const set = new RuleSet({ name: 's', keyLen: 1, map: 'data', dataLen: 1 });
    set.add({ key: be(1, 1), data: be(10, 1) }, 0);
    set.add({ key: be(0, 1), data: be(99, 1), catchall: true }, 0);
    const value = (key: number): number => {
      const state = stateWith(PACKET);
      state.regs[0] = key;
      expect(new LookupExpr(set, 1, 2).eval(state)).toBe(NFT_CONTINUE);
      return state.regs[16]!;
    };
    expect([value(1), value(0), value(7)]).toEqual([10, 99, 99]);
    expect(set.removeCatchall()).toBe(true);
    expect(has(set, be(7, 1))).toBe(false);
  });

  test('tells an equal element from one with another value', () => {
    const map = new RuleSet({ name: 'm', keyLen: 1, map: 'data', dataLen: 4 });
    map.add({ key: be(1, 1), data: be(5, 4) }, 0);
    expect(map.add({ key: be(1, 1), data: be(5, 4) }, 0)).toBe('exists');
    expect(map.add({ key: be(1, 1), data: be(6, 4) }, 0)).toBe('conflict');
  });
});

describe('a set of ranges', () => {
  const range = fc.tuple(fc.nat(2000), fc.nat(40)).map(([low, length]) => [low, low + length] as const);

  test.each([2, 4, 16])('of %i bytes holds exactly the keys between its starts and ends', (length) => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 120 }), fc.boolean(), (ranges, atOnce) => {
        const set = new RuleSet({ name: 's', keyLen: length, interval: true });
        const model: (readonly [number, number])[] = [];
        const elements = ranges.map(([low, high]) => ({ key: be(low, length), keyEnd: be(high, length) }));
        if (atOnce) set.addAll(elements, 0);
        else for (const element of elements) set.add(element, 0);
        for (const { key, keyEnd } of set.elements(0)) {
          const number = (bytes: Uint8Array): number => bytes[length - 2]! * 256 + bytes[length - 1]!;
          model.push([number(key), number(keyEnd ?? key)]);
        }
        for (let i = 1; i < model.length; i++) expect(model[i]![0]).toBeGreaterThan(model[i - 1]![1]);
        for (let key = 0; key <= 2050; key += 7) {
          const inside = model.some(([low, high]) => key >= low && key <= high);
          expect(set.get(be(key, length), 0) !== null).toBe(inside);
        }
        for (const [low, high] of ranges) expect(model.some(([a, b]) => low <= b && high >= a)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('refuses what overlaps another range, and takes what only touches it', () => {
    const set = new RuleSet({ name: 's', keyLen: 2, interval: true });
    const add = (low: number, high: number): string => set.add({ key: be(low, 2), keyEnd: be(high, 2) }, 0);
    expect(add(100, 200)).toBe('added');
    expect(add(100, 200)).toBe('exists');
    expect([add(50, 100), add(150, 160), add(200, 300), add(50, 300)]).toEqual(new Array(4).fill('conflict'));
    expect([add(50, 99), add(201, 201)]).toEqual(['added', 'added']);
    expect(set.remove(be(100, 2), be(200, 2), 0)).toBe(true);
    expect(set.remove(be(100, 2), be(200, 2), 0)).toBe(false);
    expect([99, 100, 200, 201].map((key) => has(set, be(key, 2)))).toEqual([true, false, false, true]);
  });

  test('of addresses compares them as the network orders their bytes', () => {
    const set = new RuleSet({ name: 's', keyLen: 4, interval: true });
    set.add({ key: Uint8Array.of(10, 0, 0, 0), keyEnd: Uint8Array.of(10, 255, 255, 255) }, 0);
    set.add({ key: Uint8Array.of(192, 168, 0, 1) }, 0);
    expect(has(set, Uint8Array.of(10, 7, 200, 3))).toBe(true);
    expect(has(set, Uint8Array.of(9, 255, 255, 255))).toBe(false);
    expect(has(set, Uint8Array.of(192, 168, 0, 1))).toBe(true);
    expect(has(set, Uint8Array.of(192, 168, 0, 2))).toBe(false);
  });
});

describe('a set of concatenations with ranges', () => {
  test('cuts a range into prefixes that hold its numbers, each once, and no others', () => {
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat(0xffff), (a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const prefixes = cutRange(be(low, 2), be(high, 2));
        const word = (bytes: Uint8Array): number => bytes[0]! * 256 + bytes[1]!;
        for (const key of [0, low - 1, low, low + 1, (low + high) >> 1, high - 1, high, high + 1, 0xffff]) {
          if (key < 0 || key > 0xffff) continue;
          const holding = prefixes.filter(({ value, mask }) => (key & word(mask)) === word(value));
          expect(holding).toHaveLength(key >= low && key <= high ? 1 : 0);
        }
      }),
    );
  });

  test.each([4, 6, 16])(
    'with addresses of %i bytes finds the element whose every field holds the key, the first of several',
    (bytes) => {
      const width = (bytes + 3) & ~3;
      const padding = new Uint8Array(width - bytes);
      const field = fc.tuple(fc.nat(60), fc.nat(20)).map(([low, length]) => [low, low + length] as const);
      fc.assert(
        fc.property(fc.array(fc.tuple(field, field), { maxLength: 30 }), (pairs) => {
          const set = new RuleSet({
            name: 's',
            keyLen: width + 4,
            fields: [bytes, 2],
            interval: true,
            map: 'data',
            dataLen: 4,
          });
          const held: (typeof pairs)[number][] = [];
          const key = (address: number, port: number): Uint8Array =>
            Uint8Array.of(...be(address, bytes), ...padding, ...be(port, 2), 0, 0);
          pairs.forEach(([address, port], i) => {
            const element = {
              key: key(address[0], port[0]),
              keyEnd: key(address[1], port[1]),
              data: be(i, 4),
            };
            if (set.add(element, 0) === 'added') held[i] = [address, port];
          });
          for (let a = 0; a < 85; a += 3)
            for (let p = 0; p < 85; p += 5) {
              const wanted = held.findIndex(
                (h) => h !== undefined && a >= h[0][0] && a <= h[0][1] && p >= h[1][0] && p <= h[1][1],
              );
              const found = set.get(key(a, p), 0);
              expect(found === null ? -1 : found.data![3]).toBe(wanted);
            }
        }),
        { numRuns: 30 },
      );
    },
  );
});

describe('dynset', () => {
  function dynamic(op: number, timeout = 0): { set: RuleSet; expr: DynsetExpr } {
    const set = new RuleSet({ name: 's', keyLen: 4, timeout: 10_000, size: 3 });
    return { set, expr: new DynsetExpr(set, op, 1, null, timeout, [], false) };
  }

  test('adds a packet’s key; add leaves an element its time, update starts it anew', () => {
    for (const [op, later] of [
      [NFT_DYNSET_OP_ADD, 11_000],
      [NFT_DYNSET_OP_UPDATE, 15_000],
    ] as const) {
      const { set, expr } = dynamic(op);
      const state = newState();
      for (const now of [1000, 5000]) {
        arrive(state, PACKET, now);
        state.regs.set(be(7, 4));
        expect(expr.eval(state)).toBe(NFT_CONTINUE);
      }
      expect(set.elements(5000).map(({ expires }) => expires)).toEqual([later]);
    }
  });

  test('does not match when the set is full, and matches again when elements have expired', () => {
    const { set, expr } = dynamic(NFT_DYNSET_OP_ADD);
    const state = newState();
    const add = (key: number, now: number): number => {
      arrive(state, PACKET, now);
      state.regs.set(be(key, 4));
      return expr.eval(state);
    };
    expect([1, 2, 3, 4].map((key) => add(key, 1000))).toEqual([
      NFT_CONTINUE,
      NFT_CONTINUE,
      NFT_CONTINUE,
      NFT_BREAK,
    ]);
    expect(add(4, 11_000)).toBe(NFT_CONTINUE);
    expect(set.elements(11_000)).toHaveLength(1);
  });

  test('deletes the packet’s key', () => {
    const { set, expr } = dynamic(NFT_DYNSET_OP_DELETE);
    set.add({ key: be(9, 4) }, 0);
    const state = stateWith(PACKET);
    state.regs.set(be(9, 4));
    expect(expr.eval(state)).toBe(NFT_CONTINUE);
    expect(set.size).toBe(0);
  });

  test('gives each element a limit and a counter of its own', () => {
    const set = new RuleSet({ name: 'meter', keyLen: 4, size: 100 });
    const own = [new LimitExpr(1, 1, 2, NFT_LIMIT_PKTS, NFT_LIMIT_F_INV), new CounterExpr()];
    const expr = new DynsetExpr(set, NFT_DYNSET_OP_ADD, 1, null, 0, own, false);
    const state = newState();
    const hit = (key: number): number => {
      arrive(state, PACKET);
      state.regs.set(be(key, 4));
      return expr.eval(state);
    };
    // Two packets at once are within the burst; `over` matches from the third on.
    expect([hit(1), hit(1), hit(1), hit(2)]).toEqual([NFT_BREAK, NFT_BREAK, NFT_CONTINUE, NFT_BREAK]);
    expect(set.elements(1000).map(({ exprs }) => (exprs[1] as CounterExpr).packets)).toEqual([1, 0]);
  });
});

test('a verdict map gives the verdict of the key, and does not match without one', () => {
  const map = new RuleSet({ name: 'v', keyLen: 2, map: 'verdict' });
  map.add({ key: be(80, 2), verdict: new VerdictExpr(NF_DROP) }, 0);
  const lookup = new LookupExpr(map, 1, NFT_REG_VERDICT);
  const state = stateWith(PACKET);
  state.regs.set(Uint8Array.of(0, 80, 0, 0));
  expect(lookup.eval(state)).toBe(NF_DROP);
  state.regs[1] = 81;
  expect(lookup.eval(state)).toBe(NFT_BREAK);
});
