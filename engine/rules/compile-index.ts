import type { SourceTest } from './compile-test.ts';
import { BLOCK_WORDS, type Block, type Dimension, FLIP } from './program.ts';
import { SOURCE_LENGTHS } from './source.ts';

/** Rules of a block; its sets are as many bits. */
export const BLOCK_RULES: number = BLOCK_WORDS * 32;
/** Fewer rules than this are asked one after the other. */
const FEWEST = 12;
/** No more sources than this are looked at to find the rules that may match. */
const MOST_DIMENSIONS = 4;
/** The highest unsigned number. */
const TOP = 0xffffffff;

type Range = readonly [number, number];

/** What a rule asks of sources before it does anything else: for each slot the numbers that it may match. */
export type Constraints = ReadonlyMap<number, readonly Range[]>;

/** Takes a test into a rule's constraints, if it says something that an index can use. */
export function constrain(constraints: Map<number, readonly Range[]>, test: SourceTest): void {
  if (test.invert) return;
  const ranges = unmasked(test);
  if (ranges === null) return;
  const before = constraints.get(test.slot);
  constraints.set(test.slot, before === undefined ? ranges : intersect(before, ranges));
}

/** The numbers that a test leaves over if its mask covers the high bits of its source only; else null. */
function unmasked(test: SourceTest): readonly Range[] | null {
  const rest = (256 ** SOURCE_LENGTHS[test.slot]! - 1 - (test.mask >>> 0)) >>> 0;
  if (rest === 0) return test.ranges;
  if ((rest & (rest + 1)) !== 0 || !test.ranges.every(([low, high]) => low === high)) return null;
  return test.ranges.filter(([low]) => (low & rest) === 0).map(([low]): Range => [low, (low | rest) >>> 0]);
}

function intersect(a: readonly Range[], b: readonly Range[]): readonly Range[] {
  const out: Range[] = [];
  for (const [x, y] of a)
    for (const [u, v] of b) if (Math.max(x, u) <= Math.min(y, v)) out.push([Math.max(x, u), Math.min(y, v)]);
  return out;
}

/**
 * Decides whether a stretch of rules is worth an index.
 * @returns the slots to look at, those that most rules ask about first; none for no index
 */
export function indexSlots(rules: readonly Constraints[]): number[] {
  if (rules.length < FEWEST) return [];
  const asked = new Map<number, number>();
  for (const rule of rules) for (const slot of rule.keys()) asked.set(slot, (asked.get(slot) ?? 0) + 1);
  const constrained = rules.filter((rule) => rule.size > 0).length;
  if (constrained < FEWEST || constrained * 2 < rules.length) return [];
  return [...asked]
    .filter(([, count]) => count * 8 >= rules.length)
    .sort((a, b) => b[1] - a[1])
    .map(([slot]) => slot);
}

/** Makes the index of a block. @param entries where each rule begins, `end` where the program goes on behind them */
export function makeBlock(
  rules: readonly Constraints[],
  slots: readonly number[],
  entries: readonly number[],
  end: number,
): Block {
  const words = (rules.length + 31) >> 5;
  const dimensions = slots.map((slot) => dimension(rules, slot, words));
  // Those that leave the fewest rules over come first: often nothing is left to ask the others about.
  dimensions.sort((a, b) => a.average - b.average);
  return {
    words,
    entries: Int32Array.from(entries),
    dimensions: dimensions.slice(0, MOST_DIMENSIONS).map(({ average: _, ...rest }) => rest),
    end,
  };
}

/** Cuts the numbers of a source where a rule begins or ends to match, and notes for each stretch which rules may. */
function dimension(
  rules: readonly Constraints[],
  slot: number,
  words: number,
): Dimension & { average: number } {
  const cuts = new Set<number>([0]);
  const free = new Int32Array(words);
  const changes: { at: number; rule: number; on: boolean }[] = [];
  rules.forEach((constraints, rule) => {
    const ranges = constraints.get(slot);
    if (ranges === undefined) free[rule >> 5]! |= 1 << (rule & 31);
    for (const [low, high] of ranges ?? []) {
      cuts.add(low);
      changes.push({ at: low, rule, on: true });
      if (high === TOP) continue;
      cuts.add(high + 1);
      changes.push({ at: high + 1, rule, on: false });
    }
  });
  const bounds = [...cuts].sort((a, b) => a - b);
  // At one place what ends comes before what begins: ranges of one rule may touch.
  changes.sort((a, b) => a.at - b.at || Number(a.on) - Number(b.on));
  const pool = new BitPool(words);
  const absent = pool.offsetOf(free);
  const now = free.slice();
  const classes = new Int32Array(bounds.length);
  let next = 0;
  let total = 0;
  bounds.forEach((bound, i) => {
    for (; next < changes.length && changes[next]!.at === bound; next++) {
      const { rule, on } = changes[next]!;
      if (on) now[rule >> 5]! |= 1 << (rule & 31);
      else now[rule >> 5]! &= ~(1 << (rule & 31));
    }
    classes[i] = pool.offsetOf(now);
    total += countBits(now);
  });
  return {
    slot,
    bounds: Int32Array.from(bounds, (bound) => bound ^ FLIP),
    classes,
    absent,
    bits: pool.words(),
    average: total / bounds.length,
  };
}

function countBits(words: Int32Array): number {
  let count = 0;
  for (let word of words) for (; word !== 0; word &= word - 1) count++;
  return count;
}

/** Sets of rules, each kept once. */
class BitPool {
  private readonly width: number;
  private readonly offsets = new Map<string, number>();
  private readonly all: number[] = [];

  constructor(width: number) {
    this.width = width;
  }

  offsetOf(bits: Int32Array): number {
    const key = bits.join();
    let offset = this.offsets.get(key);
    if (offset === undefined) {
      offset = this.offsets.size * this.width;
      this.offsets.set(key, offset);
      this.all.push(...bits);
    }
    return offset;
  }

  words(): Int32Array {
    return Int32Array.from(this.all);
  }
}
