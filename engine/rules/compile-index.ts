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

/** Values of a byte. */
const BYTES = 256;
/** Of a change in {@link changesOf}: whether a rule begins to match, above the rule's number. */
const BEGINS: number = BLOCK_RULES;
const CHANGE: number = BLOCK_RULES * 2;

/**
 * Where rules begin and end to match: place * CHANGE + BEGINS or 0 + rule, in order; at one place what ends comes
 * before what begins, since ranges of one rule may touch. Rules that do not ask about the source are noted in `free`.
 */
function changesOf(rules: readonly Constraints[], slot: number, free: Int32Array): Float64Array {
  const changes: number[] = [];
  for (let rule = 0; rule < rules.length; rule++) {
    const ranges = rules[rule]!.get(slot);
    if (ranges === undefined) {
      free[rule >> 5]! |= 1 << (rule & 31);
      continue;
    }
    for (const [low, high] of ranges) {
      changes.push(low * CHANGE + BEGINS + rule);
      if (high !== TOP) changes.push((high + 1) * CHANGE + rule);
    }
  }
  return Float64Array.from(changes).sort();
}

/** Cuts the numbers of a source where a rule begins or ends to match, and notes for each stretch which rules may. */
function dimension(
  rules: readonly Constraints[],
  slot: number,
  words: number,
): Dimension & { average: number } {
  const free = new Int32Array(words);
  const changes = changesOf(rules, slot, free);
  const pool = new BitPool(words);
  const absent = pool.offsetOf(free);
  const now = free.slice();
  const bounds: number[] = [];
  const classes: number[] = [];
  let total = 0;
  for (let next = 0, bound = 0; ; ) {
    for (; next < changes.length && Math.floor(changes[next]! / CHANGE) === bound; next++) {
      const rule = changes[next]! % BLOCK_RULES;
      if (changes[next]! % CHANGE >= BEGINS) now[rule >> 5]! |= 1 << (rule & 31);
      else now[rule >> 5]! &= ~(1 << (rule & 31));
    }
    bounds.push(bound ^ FLIP);
    classes.push(pool.offsetOf(now));
    total += countBits(now);
    if (next === changes.length) break;
    bound = Math.floor(changes[next]! / CHANGE);
  }
  const shift = (SOURCE_LENGTHS[slot]! - 1) * 8;
  return {
    slot,
    bounds: Int32Array.from(bounds),
    shift,
    starts: startsOf(bounds, shift),
    classes: Int32Array.from(classes),
    absent,
    bits: pool.words(),
    average: total / bounds.length,
  };
}

/** By highest byte: the stretch that the byte's lowest number lies in. */
function startsOf(bounds: readonly number[], shift: number): Uint32Array {
  const starts = new Uint32Array(BYTES + 1);
  for (let byte = 0, at = 0; byte <= BYTES; byte++) {
    while (at + 1 < bounds.length && (bounds[at + 1]! ^ FLIP) >>> 0 <= byte * 2 ** shift) at++;
    starts[byte] = at;
  }
  return starts;
}

function countBits(words: Int32Array): number {
  let count = 0;
  for (let word of words) for (; word !== 0; word &= word - 1) count++;
  return count;
}

/** Sets of rules, each kept once. */
class BitPool {
  private readonly width: number;
  /** By hash: where sets of that hash begin. */
  private readonly offsets = new Map<number, number[]>();
  private readonly all: number[] = [];

  constructor(width: number) {
    this.width = width;
  }

  offsetOf(bits: Int32Array): number {
    let hash = 0;
    for (const word of bits) hash = Math.imul(hash ^ word, 0x9e3779b1) ^ (word >>> 15);
    let known = this.offsets.get(hash);
    if (known === undefined) {
      known = [];
      this.offsets.set(hash, known);
    }
    for (const offset of known) if (this.holds(offset, bits)) return offset;
    const offset = this.all.length;
    for (const word of bits) this.all.push(word);
    known.push(offset);
    return offset;
  }

  private holds(offset: number, bits: Int32Array): boolean {
    for (let i = 0; i < this.width; i++) if (this.all[offset + i] !== bits[i]) return false;
    return true;
  }

  words(): Int32Array {
    return Int32Array.from(this.all);
  }
}
