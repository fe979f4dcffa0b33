import { Random } from '../../engine/base/random.ts';

/** Seeded chance for traffic generators: equal seeds give equal traffic. */
export class Dice {
  private readonly random: Random;

  /** @param seed any integer */
  constructor(seed: number) {
    this.random = new Random(seed);
  }

  /** A whole number from 0 to n - 1. */
  below(n: number): number {
    return this.random.below(n);
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.random.below(high - low + 1);
  }

  /** True `percent` times in a hundred. */
  chance(percent: number): boolean {
    return this.random.below(1000) < percent * 10;
  }

  /** One of the values. */
  pick<T>(values: readonly T[]): T {
    return values[this.random.below(values.length)]!;
  }

  /** Any 32-bit word, unsigned. */
  word(): number {
    return this.random.word() >>> 0;
  }

  /** Random bytes. */
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.random.below(256));
  }

  /** One of the keys, each as often as its weight says. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries(weights) as [K, number][];
    let at = this.random.below(entries.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [key, weight] of entries) {
      if (at < weight) return key;
      at -= weight;
    }
    return entries[0]![0];
  }
}
