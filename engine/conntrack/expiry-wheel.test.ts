import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashKey } from '../base/hash.ts';
import { ExpiryWheel } from './expiry-wheel.ts';
import { F_EXPIRES, FlowTable, ROW_WORDS } from './flow-table.ts';

const DAY = 86_400_000;

/** A wheel over a table of its own, with a note of every expiry. */
class Timers {
  readonly table: FlowTable = new FlowTable(hashKey(1));
  readonly wheel: ExpiryWheel = new ExpiryWheel(this.table);
  /** [row, moment] in the order they came. */
  readonly expired: [row: number, at: number][] = [];
  now: number;

  constructor(now: number) {
    this.now = now;
    this.wheel.advance(this);
  }

  expire(row: number): void {
    this.expired.push([row, this.wheel.now]);
    this.remove(row);
  }

  /** Starts a timer that runs out in so many ms. */
  add(left: number): number {
    const row = this.table.alloc();
    this.due(row, this.now + left);
    this.wheel.add(row);
    return row;
  }

  remove(row: number): void {
    this.wheel.remove(row);
    this.table.release(row);
  }

  /** Sets a timer anew, and tells the wheel as refreshing packets do: only if it is to run out earlier. */
  move(row: number, left: number): void {
    const before = this.table.doubles[row * (ROW_WORDS / 2) + F_EXPIRES / 2]!;
    this.due(row, this.now + left);
    if (this.now + left < before) this.wheel.moved(row);
  }

  advance(by: number): void {
    this.now += by;
    this.wheel.advance(this);
  }

  private due(row: number, at: number): void {
    this.table.doubles[row * (ROW_WORDS / 2) + F_EXPIRES / 2] = at;
  }
}

describe('ExpiryWheel', () => {
  test('lets a timer run out at its very millisecond, not one before', () => {
    const timers = new Timers(1_700_000_000_123);
    const row = timers.add(30_000);
    timers.advance(29_999);
    expect(timers.expired).toEqual([]);
    timers.advance(1);
    expect(timers.expired).toEqual([[row, 1_700_000_030_123]]);
  });

  test('tells the moment that was due, however late it is asked', () => {
    const timers = new Timers(1000);
    const late = timers.add(5 * DAY);
    const soon = timers.add(30);
    timers.advance(40 * DAY);
    expect(timers.expired).toEqual([
      [soon, 1030],
      [late, 1000 + 5 * DAY],
    ]);
  });

  test('lets a timer that is due already run out at the next millisecond', () => {
    const timers = new Timers(5000);
    const row = timers.add(-100);
    timers.advance(1);
    expect(timers.expired).toEqual([[row, 5001]]);
  });

  test('has nothing due without timers', () => {
    const timers = new Timers(0);
    expect(timers.wheel.nextDue()).toBe(Number.POSITIVE_INFINITY);
    timers.remove(timers.add(10));
    expect(timers.wheel.nextDue()).toBe(Number.POSITIVE_INFINITY);
  });

  test('told of an earlier time, lets the timer run out then', () => {
    const timers = new Timers(0);
    const row = timers.add(5 * DAY);
    timers.move(row, 10_000);
    timers.advance(10_000);
    expect(timers.expired).toEqual([[row, 10_000]]);
  });

  test('a timer that was set back again and again runs out once, at the last time', () => {
    const timers = new Timers(0);
    const row = timers.add(30_000);
    for (let i = 0; i < 1000; i++) {
      timers.advance(29_000);
      timers.move(row, 30_000);
    }
    timers.advance(DAY);
    expect(timers.expired).toEqual([[row, 29_030_000]]);
  });
});

type Step =
  | { readonly kind: 'add'; readonly ms: number }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'move'; readonly which: number; readonly ms: number }
  | { readonly kind: 'remove'; readonly which: number };

/** Around the borders of the wheels (1024 ms, 4096 blocks) as well as anywhere, and days. */
const MS = fc.oneof(
  fc.nat(3000),
  fc.nat(6_000_000),
  fc.constantFrom(0, 1, 1023, 1024, 1025, 4095 * 1024, 4096 * 1024, 4096 * 1024 + 1, 4097 * 1024),
  fc.integer({ min: 0, max: 10 * DAY }),
);
const STEP: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), ms: MS }),
  fc.record({ kind: fc.constant('advance' as const), ms: MS }),
  fc.record({ kind: fc.constant('move' as const), which: fc.nat(50), ms: MS }),
  fc.record({ kind: fc.constant('remove' as const), which: fc.nat(50) }),
);

/** The model: a plain list, sorted when asked. */
class Model {
  readonly due = new Map<number, number>();

  /** A timer that is due already runs out at the next millisecond. */
  set(row: number, at: number, now: number): void {
    this.due.set(row, Math.max(at, now + 1));
  }

  pick(which: number): number | undefined {
    return this.due.size === 0 ? undefined : [...this.due.keys()][which % this.due.size];
  }

  advance(now: number): [row: number, at: number][] {
    const out = [...this.due].filter(([, at]) => at <= now).sort((a, b) => a[1] - b[1] || a[0] - b[0]);
    for (const [row] of out) this.due.delete(row);
    return out;
  }
}

/** In the order they came, but of one millisecond by row: their order among each other is not promised. */
function inOrder(expired: [row: number, at: number][]): [row: number, at: number][] {
  for (let i = 1; i < expired.length; i++) expect(expired[i]![1]).toBeGreaterThanOrEqual(expired[i - 1]![1]);
  return expired.toSorted((a, b) => a[1] - b[1] || a[0] - b[0]);
}

function play(start: number, steps: readonly Step[]): void {
  const timers = new Timers(start);
  const model = new Model();
  const checkDue = (): void => {
    const earliest = Math.min(...model.due.values());
    const next = timers.wheel.nextDue();
    expect(next).toBeLessThanOrEqual(earliest);
    if (Number.isFinite(earliest)) expect(next).toBeGreaterThan(timers.now);
    else expect(next).toBe(earliest);
  };
  for (const step of steps) {
    if (step.kind === 'add') {
      const row = timers.add(step.ms);
      model.set(row, timers.now + step.ms, timers.now);
    } else if (step.kind === 'advance') {
      timers.advance(step.ms);
      expect(inOrder(timers.expired)).toEqual(model.advance(timers.now));
      timers.expired.length = 0;
    } else {
      const row = model.pick(step.which);
      if (row === undefined) continue;
      if (step.kind === 'move') {
        timers.move(row, step.ms);
        model.set(row, timers.now + step.ms, timers.now);
      } else {
        timers.remove(row);
        model.due.delete(row);
      }
    }
    checkDue();
  }
  timers.advance(20 * DAY);
  expect(inOrder(timers.expired)).toEqual(model.advance(timers.now));
  expect(model.due.size).toBe(0);
  expect(timers.wheel.nextDue()).toBe(Number.POSITIVE_INFINITY);
}

describe('ExpiryWheel against a sorted list', () => {
  test('lets every timer run out in order, at its millisecond, whatever is added, moved, removed or slept through', () => {
    const start = fc.constantFrom(0, 1, 1023, 1_700_000_000_000, 2_199_023_255_000, 8e15);
    fc.assert(fc.property(start, fc.array(STEP, { maxLength: 80 }), play), { numRuns: 150 });
  });
});
